/* command.h - runs build/dagwood as a user would, and catches what it says.
 *
 * Programs that use it check results with cmocka's assertions on their own thread. A command that
 * hangs is ended by SIGALRM after two minutes, which shows as its signal. */

#ifndef TESTS_COMMAND_H
#define TESTS_COMMAND_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct command_t {
    const char *input;      /* standard input; NULL: empty */
    void (*prepare) (void); /* called in the new process before it becomes dagwood; NULL: nothing */

    pid_t pid; /* 0: it does not run */
    int out_fd, err_fd;
    int status; /* exit status, or minus the number of the signal that ended it */
    char *out;  /* standard output, ended by NUL */
    char *err;  /* standard error */
    size_t out_size;
} command_t;

/* Starts dagwood with these words, ended by NULL. */
void command_start (command_t *self, const char *const *words);
#define START(self, ...) command_start (self, (const char *const[]){__VA_ARGS__, NULL})
/* Waits, while it runs, until standard output (or error) has this text in it; after ten seconds the
 * test fails. What it said so far is in out (or err). */
void command_await_output (command_t *self, const char *text);
void command_await_error (command_t *self, const char *text);
/* Sends it a signal. */
void command_signal (const command_t *self, int number);
/* Waits for its end and reads what it said. */
void command_end (command_t *self);
void command_free (command_t *self);
/* Kills it if it still runs, and frees: what a tear-down does with whatever a test that failed left
 * behind. */
void command_forget (command_t *self);

/* Where a coordinator listens, of what it has said by now. */
#define COMMAND_ENDPOINT_SIZE 256
void command_take_endpoint (const command_t *self, char endpoint[COMMAND_ENDPOINT_SIZE]);

/* Both at once, for most tests: COMMAND (&c, "run", file, "--format", "json"); */
void command_run (command_t *self, const char *const *words);
#define COMMAND(self, ...) command_run (self, (const char *const[]){__VA_ARGS__, NULL})

/* Fails the test unless the command ended with status, showing what it said. */
void command_expect (const command_t *self, int status);
/* Fails the test unless standard error (or output) has this text in it. */
void command_expect_error (const command_t *self, const char *text);
void command_expect_output (const command_t *self, const char *text);
/* Fails the test if either, as far as it was read, has a byte in it that moves or colours the terminal of who reads it. */
void command_expect_tame (const command_t *self);
/* The JSON object that standard output must be; the caller's. */
json_t *command_json (const command_t *self);
/* The next line of a text, which must be JSON; *text_p goes on behind it. */
json_t *command_next_json (const char **text_p);

/* A folder for a program's files, made and removed by the group's set-up and tear-down. */
int command_folder_set_up (void **state);
int command_folder_tear_down (void **state);
/* The path of a file there that a command is to write. Whatever is there at the tear-down is
 * removed. */
const char *command_path (const char *name);
/* Writes a file there, readable for everybody; the path is valid until the tear-down. */
const char *command_file (const char *name, const char *text);
const char *command_file_of (const char *name, const void *bytes, size_t size);

#endif
