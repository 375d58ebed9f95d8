/* system_fixture.h - a system with a client, at every place where its actors can be: a thread for
 * each node or a pool of two, over inproc, ipc and tcp. A test is run once for each place.
 *
 * A test adds nodes (and processors of its own), opens, and asks the client; what it left is closed
 * behind it, and must close. Only the test's own thread asserts. */

#ifndef TESTS_SYSTEM_FIXTURE_H
#define TESTS_SYSTEM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dagwood_processor.h"
#include "tests/support/gate.h"
#include "tests/support/process.h"

typedef struct place_t {
    const char *name;
    dw_actors_t actors;
    const char *transport; /* NULL: inproc */
    /* nodes are run by an agent of two slots, and the client comes from elsewhere, too */
    bool is_elsewhere;
} place_t;

typedef struct system_fixture_t {
    const place_t *place;
    dw_processors_t *processors;
    dw_graph_t *graph;
    dw_system_options_t options; /* the test's to change before it opens */
    dw_error_t *error;           /* what open, client and close said */
    dw_system_t *system;
    dw_client_t *client;
    dw_agent_t *agent; /* NULL: the system has actors of its own */
    char endpoint[128];
    char folder[32];      /* of the ipc socket */
    int notices[2];       /* a pipe: lines that the system told */
    char notice[512];     /* the line read last */
    bool left_behind;     /* a close said DW_ESTUCK */
    unsigned tasks_count; /* threads of this program before the test */
    gate_t *gates[4];
    unsigned gates_count;
} system_fixture_t;

/* Runs every test at every place; returns what main returns. A test's state is the fixture. */
int system_fixture_run_tests (const char *group, const struct CMUnitTest *tests, size_t count);
#define system_fixture_run(group, tests) \
    system_fixture_run_tests (group, tests, sizeof (tests) / sizeof *(tests))

/* The same with workers and clients that come to the system as from other processes. */
int system_fixture_run_tests_everywhere (const char *group, const struct CMUnitTest *tests,
                                         size_t count);
#define system_fixture_run_everywhere(group, tests) \
    system_fixture_run_tests_everywhere (group, tests, sizeof (tests) / sizeof *(tests))

/* Adds a node that depends on the nodes whose ids are in depends_on, with spaces between them;
 * returns it. */
int system_fixture_add (system_fixture_t *self, const char *id, const char *processor,
                        const char *depends_on);
/* Adds a processor that is one function. */
void system_fixture_add_function (system_fixture_t *self, const char *name,
                                  int (*process) (dw_call_t *call, void *arg), void *arg);
/* Adds a processor that is a gate: gate_deaf or gate_polite. The fixture frees it. */
gate_t *system_fixture_add_gate (system_fixture_t *self, const char *name,
                                 int (*process) (dw_call_t *call, void *gate));
dw_graph_options_t *system_fixture_options (system_fixture_t *self);
/* Opens the system, and a client of it. */
void system_fixture_open (system_fixture_t *self);
dw_client_t *system_fixture_client (system_fixture_t *self); /* one more */
/* Closes all; the second gives what closing said, which the first expects to be DW_OK. */
void system_fixture_close (system_fixture_t *self);
int system_fixture_try_close (system_fixture_t *self, int timeout_ms);

/* Submits text and says its number; waits for its result, at most 20 s. */
uint64_t system_fixture_submit (system_fixture_t *self, const char *text);
dw_result_t *system_fixture_wait (system_fixture_t *self, uint64_t run);
/* Both; the second for the outputs of these nodes only. */
dw_result_t *system_fixture_run_text (system_fixture_t *self, const char *text);
dw_result_t *system_fixture_run_outputs (system_fixture_t *self, const char *text,
                                         const char *const *outputs, size_t count);
/* A run that echoes: what a system must still do whatever went before. The graph's sinks must be
 * done, and the one with this id has given the text. */
void system_fixture_expect_run (system_fixture_t *self, const char *text, const char *id,
                                const char *expected);

void expect_text (const dw_result_t *result, const char *id, const char *expected);
void expect_status (const dw_result_t *result, const char *id, dw_node_status_t expected);
void expect_failure (const dw_result_t *result, const char *id, int code, const char *part);
/* The causes of a node, with spaces between them. */
void expect_because_of (const dw_result_t *result, const char *id, const char *expected);
/* The list has a message with this part. */
void expect_message (const dw_error_t *error, const char *part);
/* The system tells a line with this part within some seconds. */
void expect_notice (system_fixture_t *self, const char *part);
void expect_no_notice (system_fixture_t *self);

#endif
