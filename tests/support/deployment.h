/* deployment.h - a coordinator, workers and others as processes of the command, as a user starts
 * them, for tests of what goes on between them. What still runs when a test fails is killed. */

#ifndef TESTS_DEPLOYMENT_H
#define TESTS_DEPLOYMENT_H

#include "tests/support/command.h"

#define LOOPBACK "tcp://127.0.0.1:*"

typedef struct deployment_t {
    command_t coordinator, workers[2], other;
    char endpoint[COMMAND_ENDPOINT_SIZE]; /* where the coordinator listens */
} deployment_t;

int deployment_set_up (void **state);
int deployment_tear_down (void **state);

/* Starts the coordinator and takes where it listens from what it prints. */
void deployment_coordinate (deployment_t *self, const char *const *words);
#define COORDINATE(...) \
    deployment_coordinate (f, (const char *const[]){"coordinator", __VA_ARGS__, NULL})

/* Waits for its end, which must have this status, and frees it. */
void deployment_expect_end (command_t *command, int status);

/* Makes a pair of keys in the command's folder, in place of one of that name, and returns its file;
 * line gets what the list of allowed keys takes. */
const char *deployment_keygen (const char *name, const char *role, char line[128]);

#endif
