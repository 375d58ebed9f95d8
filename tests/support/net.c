/* net.c - a system that listens, with keys, workers and clients. */

#include "tests/support/net.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/keys.h"

#define FAIL_MS 3500

/* ---- The fixture ------------------------------------------------------------------------------ */

int net_setup (void **state) {
    net_t *self = calloc (1, sizeof *self);
    *state = self;
    if (!self)
        return -1;
    snprintf (self->folder, sizeof self->folder, "/tmp/dagwood-XXXXXX");
    if (!mkdtemp (self->folder) || pipe2 (self->notices, O_NONBLOCK | O_CLOEXEC))
        return -1;
    snprintf (self->endpoint, sizeof self->endpoint, "tcp://127.0.0.1:*");
    self->gate = gate_new ();
    self->processors = dw_processors_new ();
    dw_processors_add_function (self->processors, "gate", gate_polite, self->gate);
    self->graph = dw_graph_new ();
    dw_graph_add (self->graph, "upper", "change_text_case_upper");
    dw_graph_depend (self->graph, dw_graph_add (self->graph, "gate", "gate"), "upper");
    dw_graph_depend (self->graph, dw_graph_add (self->graph, "last", "reverse_text"), "gate");
    self->error = dw_error_new ();
    return 0;
}

static void s_remove_folder (const char *folder) {
    char command[64];
    snprintf (command, sizeof command, "rm -rf %s", folder);
    if (system (command))
        fprintf (stderr, "%s failed\n", command);
}

int net_teardown (void **state) {
    net_t *self = *state;
    gate_open (self->gate);
    int err = dw_system_close (&self->system, -1, self->error);
    if (err)
        fprintf (stderr, "%s", dw_error_text (self->error));
    dw_graph_destroy (&self->graph);
    dw_processors_destroy (&self->processors);
    dw_error_destroy (&self->error);
    gate_destroy (&self->gate);
    close (self->notices[0]);
    close (self->notices[1]);
    s_remove_folder (self->folder);
    free (self);
    return err;
}

/* ---- Keys ------------------------------------------------------------------------------------- */

const char *net_file (net_t *self, const char *name) {
    char *text = self->text[self->texts++ % 8];
    size_t size = strlen (self->folder), name_size = strlen (name);
    assert_true (size + 1 + name_size < sizeof self->text[0]);
    memcpy (text, self->folder, size);
    text[size] = '/';
    memcpy (text + size + 1, name, name_size + 1);
    return text;
}

void net_make_key (net_t *self, const char *name) {
    dw_keys_t keys;
    if (dw_keys_generate (&keys, self->error) ||
        dw_keys_write (&keys, net_file (self, name), self->error))
        fail_msg ("%s", dw_error_text (self->error));
    dw_keys_wipe (&keys);
}

static void s_allow (net_t *self, FILE *list, const char *role, const char *who) {
    char name[32], text[DW_KEY_TEXT_SIZE];
    uint8_t key[DW_KEY_SIZE];
    snprintf (name, sizeof name, "%s.pub", who);
    assert_int_equal (dw_keys_read_public (key, net_file (self, name), self->error), DW_OK);
    dw_key_text (text, key);
    fprintf (list, "%s %s some-%s\n", role, text, who);
}

void net_allow (net_t *self, const char *who) {
    const char *path = net_file (self, "allowed");
    unlink (path);
    FILE *list = fopen (path, "w");
    assert_non_null (list);
    fprintf (list, "# who is let in\n");
    for (; *who; who++) {
        const char *role = *who == 'w' ? "worker" : *who == 'c' ? "client" : "monitor";
        s_allow (self, list, role, role);
    }
    assert_int_equal (fclose (list), 0);
}

void net_allow_also (net_t *self, const char *role, const char *name) {
    FILE *list = fopen (net_file (self, "allowed"), "a");
    assert_non_null (list);
    s_allow (self, list, role, name);
    assert_int_equal (fclose (list), 0);
}

void net_make_keys (net_t *self) {
    static const char *const names[] = {"coordinator.key", "worker", "client", "monitor",
                                        "stranger"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        net_make_key (self, names[i]);
    net_allow (self, "wcm");
}

/* ---- The system ------------------------------------------------------------------------------- */

static void s_note (void *arg, const char *line) {
    const net_t *self = arg;
    char text[600];
    int size = snprintf (text, sizeof text, "%s\n", line);
    if (write (self->notices[1], text, (size_t) size) < 0)
        return; /* the pipe is full: nobody waits for this one */
}

int net_try_open (net_t *self, const dw_system_options_t *asked, bool has_keys) {
    dw_system_options_t options = *asked;
    options.listen = self->endpoint;
    options.processors = self->processors;
    options.keys = has_keys ? self->folder : NULL;
    options.notice = s_note;
    options.notice_arg = self;
    if (!options.heartbeat_ms) {
        options.heartbeat_ms = NET_HEARTBEAT_MS;
        options.silence_ms = NET_SILENCE_MS;
    }
    int err = dw_system_open (&self->system, self->graph, &options, self->error);
    if (!err)
        snprintf (self->endpoint, sizeof self->endpoint, "%s", dw_system_listening (self->system));
    return err;
}

void net_open (net_t *self, const dw_system_options_t *asked, bool has_keys) {
    if (net_try_open (self, asked, has_keys))
        fail_msg ("%s", dw_error_text (self->error));
}

void net_expect_notice (net_t *self, const char *part) {
    char text[8192] = "";
    size_t count = 0;
    for (int64_t end_ns = dw_clock_ns () + INT64_C (10000000000); dw_clock_ns () < end_ns;) {
        struct pollfd item = {.fd = self->notices[0], .events = POLLIN};
        poll (&item, 1, 100);
        ssize_t got = read (self->notices[0], text + count, sizeof text - 1 - count);
        count += got > 0 ? (size_t) got : 0;
        text[count] = '\0';
        if (strstr (text, part))
            return;
    }
    fail_msg ("not told \"%s\", only: %s", part, text);
}

/* ---- Who connects ----------------------------------------------------------------------------- */

dw_connect_options_t net_connect (net_t *self, const char *key) {
    return (dw_connect_options_t){.endpoint = self->endpoint,
                                  .key = key ? net_file (self, key) : NULL,
                                  .server_key = key ? net_file (self, "coordinator.key.pub")
                                                    : NULL};
}

static int s_try_agent (net_t *self, dw_agent_t **agent_p, const dw_connect_options_t *connect,
                        uint32_t slots, int reconnect_ms) {
    dw_agent_options_t options = {.coordinator = *connect,
                                  .processors = self->processors,
                                  .slots = slots,
                                  .reconnect_ms = reconnect_ms};
    return dw_agent_open (agent_p, &options, self->error);
}

dw_agent_t *net_agent (net_t *self, const char *key, uint32_t slots, int reconnect_ms) {
    dw_agent_t *agent = NULL;
    dw_connect_options_t connect = net_connect (self, key);
    if (s_try_agent (self, &agent, &connect, slots, reconnect_ms))
        fail_msg ("%s", dw_error_text (self->error));
    return agent;
}

dw_client_t *net_client (net_t *self, const char *key) {
    dw_client_t *client = NULL;
    dw_connect_options_t connect = net_connect (self, key);
    if (dw_client_connect (&client, &connect, self->error))
        fail_msg ("%s", dw_error_text (self->error));
    return client;
}

static void s_expect_refused (net_t *self, int got, int err, const char *part, int64_t begin_ns) {
    int64_t ms = (dw_clock_ns () - begin_ns) / 1000000;
    if (got != err || !strstr (dw_error_text (self->error), part))
        fail_msg ("%s: %s", dw_err_text (got), dw_error_text (self->error));
    if (ms > FAIL_MS)
        fail_msg ("it took %d ms", (int) ms);
    dw_error_destroy (&self->error);
    self->error = dw_error_new ();
}

void net_expect_no_agent (net_t *self, const dw_connect_options_t *connect, int err,
                          const char *part) {
    dw_agent_t *agent = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int got = s_try_agent (self, &agent, connect, 1, 0);
    assert_null (agent);
    s_expect_refused (self, got, err, part, begin_ns);
}

void net_expect_no_client (net_t *self, const dw_connect_options_t *connect, int err,
                           const char *part) {
    dw_client_t *client = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int got = dw_client_connect (&client, connect, self->error);
    assert_null (client);
    s_expect_refused (self, got, err, part, begin_ns);
}

void net_run (net_t *self, dw_client_t *client) {
    dw_result_t *result = NULL;
    uint64_t run;
    size_t size;
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    if (dw_client_submit (client, &submission, &run, self->error))
        fail_msg ("%s", dw_error_text (self->error));
    int err = dw_client_wait (client, run, 20000, &result);
    if (err)
        fail_msg ("the run has no result: %s", dw_err_text (err));
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
    assert_non_null (text);
    assert_int_equal (size, 5);
    assert_memory_equal (text, "OLLEH", 5);
    dw_result_destroy (&result);
}

dw_status_t *net_status (dw_client_t *client) {
    dw_status_t *status = NULL;
    int err = dw_client_status (client, 10000, &status);
    if (err)
        fail_msg ("no status: %s", dw_err_text (err));
    return status;
}
