/* net.h - a system that listens, with keys in a folder of their own, and workers and clients of it
 * as from elsewhere.
 *
 * What does not go as it should fails the test. Only the test's own thread asserts. */

#ifndef TESTS_NET_H
#define TESTS_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dagwood_processor.h"
#include "tests/support/gate.h"

#define NET_HEARTBEAT_MS 100
#define NET_SILENCE_MS   2000 /* a machine that is busy is no fault */

typedef struct net_t {
    char folder[32];  /* of all keys */
    char text[8][64]; /* of names, for those who ask; used in turns */
    unsigned texts;
    char endpoint[128]; /* to listen on, then where it listens */
    dw_graph_t *graph;
    dw_processors_t *processors;
    gate_t *gate; /* a processor of that name */
    dw_error_t *error;
    dw_system_t *system;
    int notices[2]; /* a pipe: lines that the system told */
} net_t;

/* A cmocka state: a graph of three nodes that reverses a text in capitals, on any port of the
 * loopback interface. */
int net_setup (void **state);
/* Closes the system, which must close. */
int net_teardown (void **state);

/* The name of a file in the folder; valid for seven more. */
const char *net_file (net_t *self, const char *name);
/* Makes a key pair NAME and NAME.pub. */
void net_make_key (net_t *self, const char *name);
/* Makes the coordinator's keys, and key pairs "worker", "client", "monitor" and "stranger", all but
 * the last of which are listed. */
void net_make_keys (net_t *self);
/* Writes the list: for each letter of who a line, w, c or m for "worker", "client", "monitor" with
 * their own keys. */
void net_allow (net_t *self, const char *who);
/* Adds the key NAME.pub to it. */
void net_allow_also (net_t *self, const char *role, const char *name);

/* What is asked for, with listen and the heartbeat filled in, and keys when has_keys. */
int net_try_open (net_t *self, const dw_system_options_t *asked, bool has_keys);
void net_open (net_t *self, const dw_system_options_t *asked, bool has_keys);

/* How somebody with this key connects; key NULL: without. */
dw_connect_options_t net_connect (net_t *self, const char *key);
dw_agent_t *net_agent (net_t *self, const char *key, uint32_t slots, int reconnect_ms);
dw_client_t *net_client (net_t *self, const char *key);
/* A try that must fail within 3.5 s, with this error and a message with this part. */
void net_expect_no_agent (net_t *self, const dw_connect_options_t *connect, int err,
                          const char *part);
void net_expect_no_client (net_t *self, const dw_connect_options_t *connect, int err,
                           const char *part);
/* A run that must be right. */
void net_run (net_t *self, dw_client_t *client);
/* The system tells a line with this part within 10 s. */
void net_expect_notice (net_t *self, const char *part);
dw_status_t *net_status (dw_client_t *client);

#endif
