/* system_fixture.c - a system with a client, at every place where its actors can be. */

#include "tests/support/system_fixture.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 20000

static const place_t s_places[] = {{"thread, inproc", DW_ACTORS_THREAD, NULL, false},
                                   {"thread, ipc", DW_ACTORS_THREAD, "ipc", false},
                                   {"thread, tcp", DW_ACTORS_THREAD, "tcp", false},
                                   {"pool:2, inproc", DW_ACTORS_POOL, NULL, false},
                                   {"pool:2, ipc", DW_ACTORS_POOL, "ipc", false},
                                   {"pool:2, tcp", DW_ACTORS_POOL, "tcp", false},
                                   {"elsewhere, ipc", DW_ACTORS_POOL, "ipc", true},
                                   {"elsewhere, tcp", DW_ACTORS_POOL, "tcp", true}};
#define PLACES_HERE 6u
#define PLACES      (sizeof s_places / sizeof *s_places)

/* ---- Its life --------------------------------------------------------------------------------- */

/* Called by the coordinator's thread. */
static void s_on_notice (void *arg, const char *line) {
    const system_fixture_t *self = arg;
    char text[sizeof self->notice + 1];
    int size = snprintf (text, sizeof text, "%s\n", line);
    if (write (self->notices[1], text, (size_t) size) < 0)
        return; /* nobody reads: the pipe is full */
}

static void s_make_endpoint (system_fixture_t *self) {
    if (!self->place->transport)
        return;
    if (strcmp (self->place->transport, "tcp") == 0) {
        snprintf (self->endpoint, sizeof self->endpoint, "tcp://127.0.0.1:*");
    } else {
        /* Under 34 bytes: docs/DECISIONS.md, "A system that is left behind loses events". */
        snprintf (self->folder, sizeof self->folder, "/tmp/dagwood-XXXXXX");
        assert_non_null (mkdtemp (self->folder));
        snprintf (self->endpoint, sizeof self->endpoint, "ipc://%s/s", self->folder);
    }
    if (!self->place->is_elsewhere) {
        self->options.endpoint = self->endpoint;
        return;
    }
    self->options.listen = self->endpoint;
    self->options.no_actors = true;
}

static int s_setup (void **state) {
    system_fixture_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->place = *state;
    *state = self;
    self->tasks_count = threads_count ();
    self->processors = dw_processors_new ();
    self->graph = dw_graph_new ();
    self->error = dw_error_new ();
    assert_true (self->processors && self->graph && self->error);
    assert_int_equal (pipe2 (self->notices, O_NONBLOCK | O_CLOEXEC), 0);
    dw_graph_options_t *options = dw_graph_options (self->graph);
    options->actors = self->place->actors;
    options->pool_size = self->place->actors == DW_ACTORS_POOL ? 2 : DW_UNSET;
    options->max_concurrency = 4;
    self->options.processors = self->processors;
    self->options.notice = s_on_notice;
    self->options.notice_arg = self;
    s_make_endpoint (self);
    return 0;
}

int system_fixture_try_close (system_fixture_t *self, int timeout_ms) {
    dw_client_destroy (&self->client);
    int err = dw_system_close (&self->system, timeout_ms, self->error);
    int agent_err = dw_agent_close (&self->agent, timeout_ms, self->error);
    self->left_behind |= err == DW_ESTUCK || agent_err == DW_ESTUCK;
    return err ? err : agent_err;
}

/* After DW_ESTUCK processors have to stay, as dagwood.h says. They stay where a leak checker sees
 * them. */
static void s_keep_processors (system_fixture_t *self) {
    static dw_processors_t *kept[256];
    static unsigned count;
    assert (count < sizeof kept / sizeof *kept);
    kept[count++] = self->processors;
    self->processors = NULL;
}

void system_fixture_close (system_fixture_t *self) {
    if (system_fixture_try_close (self, -1) != DW_OK)
        fail_msg ("the system does not close: %s", dw_error_text (self->error));
}

/* Nothing is left of a test: no thread, no file. */
static int s_teardown (void **state) {
    system_fixture_t *self = *state;
    for (unsigned i = 0; i < self->gates_count; i++)
        gate_open (self->gates[i]);
    system_fixture_close (self);
    if (!threads_fall_to (self->tasks_count))
        fail_msg ("%u threads are left, there were %u", threads_count (), self->tasks_count);
    if (self->folder[0]) {
        unlink (self->endpoint + strlen ("ipc://")); /* ZeroMQ leaves it where it was */
        assert_int_equal (rmdir (self->folder), 0);
    }
    for (unsigned i = 0; i < self->gates_count; i++)
        gate_destroy (&self->gates[i]);
    dw_graph_destroy (&self->graph);
    if (self->left_behind)
        s_keep_processors (self);
    dw_processors_destroy (&self->processors);
    dw_error_destroy (&self->error);
    close (self->notices[0]);
    close (self->notices[1]);
    free (self);
    return 0;
}

static void *s_do_nothing (void *args) {
    return args;
}

/* A sanitizer may start a thread of its own with the program's first one; it is not to be
 * counted. */
static void s_start_first_thread (void) {
    pthread_t thread;
    assert (pthread_create (&thread, NULL, s_do_nothing, NULL) == 0);
    pthread_join (thread, NULL);
}

static int s_run_tests (const char *group, const struct CMUnitTest *tests, size_t count,
                        size_t places) {
    s_start_first_thread ();
    struct CMUnitTest *all = calloc (count * places, sizeof *all);
    char (*names)[160] = calloc (count * places, sizeof *names);
    assert (all && names);
    for (size_t i = 0; i < count * places; i++) {
        const place_t *place = &s_places[i / count];
        snprintf (names[i], sizeof names[i], "%s (%s)", tests[i % count].name, place->name);
        all[i] = (struct CMUnitTest){.name = names[i],
                                     .test_func = tests[i % count].test_func,
                                     .setup_func = s_setup,
                                     .teardown_func = s_teardown,
                                     .initial_state = (void *) place};
    }
    int failed = _cmocka_run_group_tests (group, all, count * places, NULL, NULL);
    free (all);
    free (names);
    return !!failed;
}

int system_fixture_run_tests (const char *group, const struct CMUnitTest *tests, size_t count) {
    return s_run_tests (group, tests, count, PLACES_HERE);
}

int system_fixture_run_tests_everywhere (const char *group, const struct CMUnitTest *tests,
                                         size_t count) {
    return s_run_tests (group, tests, count, PLACES);
}

/* ---- Graph and system ------------------------------------------------------------------------- */

int system_fixture_add (system_fixture_t *self, const char *id, const char *processor,
                        const char *depends_on) {
    char word[64];
    int taken, node = dw_graph_add (self->graph, id, processor);
    assert_true (node >= 0);
    for (; sscanf (depends_on, "%63s%n", word, &taken) == 1; depends_on += taken)
        assert_int_equal (dw_graph_depend (self->graph, node, word), DW_OK);
    return node;
}

void system_fixture_add_function (system_fixture_t *self, const char *name,
                                  int (*process) (dw_call_t *call, void *arg), void *arg) {
    assert_int_equal (dw_processors_add_function (self->processors, name, process, arg), DW_OK);
}

gate_t *system_fixture_add_gate (system_fixture_t *self, const char *name,
                                 int (*process) (dw_call_t *call, void *gate)) {
    assert_true (self->gates_count < sizeof self->gates / sizeof *self->gates);
    gate_t *gate = self->gates[self->gates_count++] = gate_new ();
    system_fixture_add_function (self, name, process, gate);
    return gate;
}

dw_graph_options_t *system_fixture_options (system_fixture_t *self) {
    return dw_graph_options (self->graph);
}

dw_client_t *system_fixture_client (system_fixture_t *self) {
    dw_client_t *client = NULL;
    dw_connect_options_t there = {.endpoint = dw_system_listening (self->system)};
    int err = self->place->is_elsewhere ? dw_client_connect (&client, &there, self->error)
                                        : dw_client_new (&client, self->system, self->error);
    if (err)
        fail_msg ("no client: %s", dw_error_text (self->error));
    return client;
}

void system_fixture_open (system_fixture_t *self) {
    if (dw_system_open (&self->system, self->graph, &self->options, self->error))
        fail_msg ("the system does not open: %s", dw_error_text (self->error));
    if (self->place->is_elsewhere) {
        dw_agent_options_t options = {
            .coordinator = {.endpoint = dw_system_listening (self->system)},
            .processors = self->processors,
            .slots = 2,
            .notice = s_on_notice,
            .notice_arg = self};
        if (dw_agent_open (&self->agent, &options, self->error))
            fail_msg ("no agent: %s", dw_error_text (self->error));
    }
    self->client = system_fixture_client (self);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

static uint64_t s_submit (system_fixture_t *self, const dw_submission_t *submission) {
    uint64_t run = 0;
    int err = dw_client_submit (self->client, submission, &run, self->error);
    if (err)
        fail_msg ("not submitted: %s", dw_error_text (self->error));
    return run;
}

uint64_t system_fixture_submit (system_fixture_t *self, const char *text) {
    dw_submission_t submission = {
        .payload = text, .size = strlen (text), .is_text = true, .wait_ms = WAIT_MS};
    return s_submit (self, &submission);
}

dw_result_t *system_fixture_wait (system_fixture_t *self, uint64_t run) {
    dw_result_t *result = NULL;
    int err = dw_client_wait (self->client, run, WAIT_MS, &result);
    if (err)
        fail_msg ("run %llu has no result: %s", (unsigned long long) run, dw_err_text (err));
    assert_true (dw_result_run (result) == run);
    return result;
}

dw_result_t *system_fixture_run_text (system_fixture_t *self, const char *text) {
    return system_fixture_wait (self, system_fixture_submit (self, text));
}

dw_result_t *system_fixture_run_outputs (system_fixture_t *self, const char *text,
                                         const char *const *outputs, size_t count) {
    dw_submission_t submission = {.payload = text,
                                  .size = strlen (text),
                                  .is_text = true,
                                  .outputs = outputs,
                                  .outputs_count = count,
                                  .wait_ms = WAIT_MS};
    return system_fixture_wait (self, s_submit (self, &submission));
}

void system_fixture_expect_run (system_fixture_t *self, const char *text, const char *id,
                                const char *expected) {
    dw_result_t *result = system_fixture_run_text (self, text);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, id, expected);
    dw_result_destroy (&result);
}

/* ---- What is expected ------------------------------------------------------------------------- */

static int s_find (const dw_result_t *result, const char *id) {
    int node = dw_result_find (result, id);
    if (node < 0)
        fail_msg ("the result has no node %s", id);
    return node;
}

void expect_text (const dw_result_t *result, const char *id, const char *expected) {
    size_t size;
    const char *text = dw_result_text (result, s_find (result, id), &size);
    if (!text) {
        fail_msg ("node %s is %s and has no text", id,
                  dw_node_status_text (dw_result_node_status (result, s_find (result, id))));
        return;
    }
    if (size != strlen (expected) || memcmp (text, expected, size) != 0)
        fail_msg ("node %s gave \"%.*s\", not \"%s\"", id, (int) size, text, expected);
}

void expect_status (const dw_result_t *result, const char *id, dw_node_status_t expected) {
    assert_string_equal (dw_node_status_text (dw_result_node_status (result, s_find (result, id))),
                         dw_node_status_text (expected));
}

void expect_failure (const dw_result_t *result, const char *id, int code, const char *part) {
    int node = s_find (result, id);
    expect_status (result, id, DW_NODE_FAILED);
    assert_int_equal (dw_result_error_code (result, node), code);
    const char *message = dw_result_error_message (result, node);
    if (!message || !strstr (message, part))
        fail_msg ("node %s failed with \"%s\", not \"%s\"", id, message ? message : "", part);
    assert_null (dw_result_payload (result, node, NULL));
}

void expect_because_of (const dw_result_t *result, const char *id, const char *expected) {
    char causes[512] = "";
    int node = s_find (result, id), size = 0;
    for (size_t i = 0; i < dw_result_because_of_count (result, node); i++)
        size += snprintf (causes + size, sizeof causes - (size_t) size, "%s%s", i ? " " : "",
                          dw_result_id (result, dw_result_because_of_at (result, node, i)));
    assert_string_equal (causes, expected);
}

void expect_message (const dw_error_t *error, const char *part) {
    if (!strstr (dw_error_text (error), part))
        fail_msg ("\"%s\" is not in: %s", part, dw_error_text (error));
}

/* Reads the next line; false when none comes in time. */
static bool s_read_notice (system_fixture_t *self, int timeout_ms) {
    size_t size = 0;
    struct pollfd item = {.fd = self->notices[0], .events = POLLIN};
    while (poll (&item, 1, timeout_ms) == 1 && size + 1 < sizeof self->notice &&
           read (self->notices[0], &self->notice[size], 1) == 1)
        if (self->notice[size++] == '\n') {
            self->notice[size - 1] = '\0';
            return true;
        }
    self->notice[size] = '\0';
    return false;
}

void expect_notice (system_fixture_t *self, const char *part) {
    while (s_read_notice (self, WAIT_MS))
        if (strstr (self->notice, part))
            return;
    fail_msg ("the system did not tell of \"%s\"", part);
}

void expect_no_notice (system_fixture_t *self) {
    if (s_read_notice (self, 0))
        fail_msg ("the system told: %s", self->notice);
}
