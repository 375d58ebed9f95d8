/* test_net_standstill.c - what does not go on is said, and mended where it can be: runs that nobody
 * serves, slots that are long at a task, tasks that were lost on their way, and what liars may say
 * of all that. */

#include <string.h>
#include <unistd.h>

#include "tests/support/net.h"
#include "tests/support/process.h"
#include "tests/support/raw_peer.h"

#define STALLED_MS 300

/* A system that speaks of what stands still after a short while. */
static void s_open (net_t *net, uint32_t lease_ms) {
    net_open (
        net,
        &(dw_system_options_t){.no_actors = true, .stalled_ms = STALLED_MS, .lease_ms = lease_ms},
        false);
}

static uint64_t s_submit (net_t *net, dw_client_t *client) {
    uint64_t run;
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    if (dw_client_submit (client, &submission, &run, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return run;
}

static void s_expect_ok (dw_client_t *client, uint64_t run, unsigned attempts) {
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    int gate = dw_result_find (result, "gate");
    assert_int_equal (dw_result_attempts (result, gate), attempts);
    dw_result_destroy (&result);
}

/* Waits until the status says so many runs stalled, slots down and slots long at a task. */
static void s_expect_troubles (dw_client_t *client, uint64_t stalled, uint64_t is_long,
                               const char *part) {
    for (int i = 0; i < 500; i++) {
        dw_status_t *status = net_status (client);
        bool is_so = status->runs_stalled == stalled && status->slots_long == is_long &&
                     status->troubles_count == stalled + is_long &&
                     (!part || strstr (status->troubles[0], part));
        dw_status_destroy (&status);
        if (is_so)
            return;
        sleep_ms (10);
    }
    fail_msg ("there are not %d stalled runs and %d long slots", (int) stalled, (int) is_long);
}

/* ---- Runs that nobody serves ------------------------------------------------------------------ */

static void s_note (void *arg, const char *line) {
    char *text = arg;
    strncat (text, line, 1000 - strlen (text));
}

static void a_run_that_nobody_serves_is_said_to_be_stalled (void **state) {
    net_t *net = *state;
    char told[1024] = "";
    gate_open (net->gate);
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL), *other = net_client (net, NULL);
    dw_client_set_notice (client, s_note, told);
    uint64_t run = s_submit (net, client);
    net_expect_notice (net, "stalled: no worker serves node \"upper\" for ");
    s_expect_troubles (other, 1, 0, "a run is stalled: no worker serves node \"upper\"");
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 3 * STALLED_MS, &result), DW_ETIMEDOUT);
    assert_string_equal (told, "run 1 is stalled: no worker serves node \"upper\" for 0 s");
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    s_expect_ok (client, run, 1);
    s_expect_troubles (other, 0, 0, NULL);
    dw_client_destroy (&client);
    dw_client_destroy (&other);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_run_whose_last_worker_goes_is_stalled_again (void **state) {
    net_t *net = *state;
    char told[1024] = "";
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL), *other = net_client (net, NULL);
    dw_client_set_notice (client, s_note, told);
    uint64_t run = s_submit (net, client);
    s_expect_troubles (other, 1, 0, "\"upper\"");
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    assert_true (gate_wait_entered (net->gate, 1));
    s_expect_troubles (other, 0, 1, "at node \"gate\"");
    gate_open (net->gate); /* who closes waits for it */
    dw_result_t *result = NULL;
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    int err = dw_client_wait (client, run, 100, &result);
    dw_result_destroy (&result);
    if (err == DW_OK) /* it was done before the agent was gone */
        run = s_submit (net, client);
    s_expect_troubles (other, 1, 0, NULL);
    assert_int_equal (dw_client_wait (client, run, STALLED_MS, &result), DW_ETIMEDOUT);
    const char *first = strstr (told, "is stalled");
    assert_true (first && strstr (first + 1, "is stalled"));
    dw_client_destroy (&client);
    dw_client_destroy (&other);
}

/* ---- Slots that are long at a task ------------------------------------------------------------ */

static void a_slot_that_is_long_at_a_task_is_said_to_be (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL), *other = net_client (net, NULL);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    uint64_t run = s_submit (net, client);
    assert_true (gate_wait_entered (net->gate, 1));
    net_expect_notice (net, " has been at node \"gate\" for 0 s without an answer");
    s_expect_troubles (other, 0, 1, " has been at node \"gate\" for ");
    gate_open (net->gate);
    s_expect_ok (client, run, 1);
    s_expect_troubles (other, 0, 0, NULL);
    dw_client_destroy (&client);
    dw_client_destroy (&other);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_slot_is_named_by_its_place_in_its_process (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL);
    dw_agent_t *agents[] = {net_agent (net, NULL, 1, 0), net_agent (net, NULL, 1, 0)};
    uint64_t runs[] = {s_submit (net, client), s_submit (net, client)};
    assert_true (gate_wait_entered (net->gate, 2));
    s_expect_troubles (client, 0, 2, "slot 1 of process ");
    dw_status_t *status = net_status (client);
    assert_non_null (strstr (status->troubles[1], "slot 1 of process "));
    dw_status_destroy (&status);
    gate_open (net->gate);
    for (int i = 0; i < 2; i++)
        s_expect_ok (client, runs[i], 1);
    dw_client_destroy (&client);
    for (int i = 0; i < 2; i++)
        assert_int_equal (dw_agent_close (&agents[i], -1, net->error), DW_OK);
}

static void a_stuck_slot_is_named_as_it_is_everywhere (void **state) {
    net_t *net = *state;
    char host[65] = "", told[256];
    gethostname (host, sizeof host - 1);
    dw_processors_add_function (net->processors, "deaf", gate_deaf, net->gate);
    dw_graph_node_options (net->graph, dw_graph_add (net->graph, "stuck", "deaf"))->timeout_us =
        30000;
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    s_submit (net, client);
    snprintf (told, sizeof told, "slot 1 of process %d at %s is stuck in node \"stuck\"",
              (int) getpid (), host);
    net_expect_notice (net, told);
    gate_open (net->gate);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_task_whose_lease_is_over_is_given_to_another (void **state) {
    net_t *net = *state;
    s_open (net, 400);
    dw_client_t *client = net_client (net, NULL);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    uint64_t run = s_submit (net, client);
    assert_true (gate_wait_entered (net->gate, 2)); /* the second is another slot's */
    net_expect_notice (net, "its lease of 400 ms is over: another takes its place");
    gate_open (net->gate);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_true (dw_result_attempts (result, dw_result_find (result, "gate")) >= 2);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* Expects the gate's failure with 503 and says whether its story has part. */
static void s_expect_lost (dw_client_t *client, uint64_t run, const char *begin, const char *part) {
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 20000, &result), DW_OK);
    int gate = dw_result_find (result, "gate");
    const char *message = dw_result_error_message (result, gate);
    assert_int_equal (dw_result_error_code (result, gate), 503);
    if (strncmp (message, begin, strlen (begin)) != 0 || !strstr (message, part))
        fail_msg ("%s", message);
    dw_result_destroy (&result);
}

static void a_task_that_is_over_its_lease_three_times_says_so (void **state) {
    net_t *net = *state;
    s_open (net, 200);
    dw_client_t *client = net_client (net, NULL);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    s_expect_lost (client, s_submit (net, client), "three workers went down while they ran it, or ",
                   ", its lease of 200 ms was over\n  attempt 3: slot 1 of process ");
    gate_open (net->gate);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* For a stuck slot, which reads them when its processor has returned. */
dw_processors_t *stuck_processors;

static void who_gave_back_what_may_run_but_once_is_named (void **state) {
    net_t *net = *state;
    dw_processors_add_function (net->processors, "once", gate_deaf, net->gate);
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    dw_graph_node_options (net->graph, dw_graph_add (net->graph, "gate", "once"))->not_idempotent =
        true;
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    uint64_t run = s_submit (net, client);
    assert_true (gate_wait_entered (net->gate, 1));
    assert_int_equal (dw_agent_close (&agent, 0, net->error), DW_ESTUCK);
    s_expect_lost (client, run, "its worker was lost while it may have run", ", gave it back");
    gate_open (net->gate);
    dw_client_destroy (&client);
    stuck_processors = net->processors;
    net->processors = NULL;
}

/* ---- Slots as a test says that they are ------------------------------------------------------- */

typedef struct fake_t {
    raw_peer_t agent, slot;
    uint32_t peer, slot_peer, number;
    uint8_t token[DW_WIRE_TOKEN_SIZE];
} fake_t;

static uint32_t s_join_slot (raw_peer_t *raw, const fake_t *fake) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_WORKER, fake->token, fake->number);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

static fake_t s_fake (net_t *net) {
    static const uint8_t uuid[DW_WIRE_UUID_SIZE] = "a test's process";
    fake_t fake = {.agent = raw_peer_connect_to (net->endpoint, NULL, NULL),
                   .slot = raw_peer_connect_to (net->endpoint, NULL, NULL)};
    dw_wire_agent_t record = {
        .uuid = uuid, .incarnation = 1, .slots = 1, .pid = 4711, .host = "there", .host_size = 5};
    dw_wire_welcome_t welcome;
    raw_peer_say_agent (&fake.agent, &record);
    assert_int_equal (raw_peer_receive (&fake.agent), DW_WIRE_WELCOME);
    assert_true (dw_read_welcome (&fake.agent.reader, &welcome));
    fake.peer = welcome.peer;
    memcpy (fake.token, welcome.token, sizeof fake.token);
    fake.number = dw_read_uint_max (&fake.agent.reader, UINT32_MAX);
    fake.slot_peer = s_join_slot (&fake.slot, &fake);
    return fake;
}

static void s_end_fake (fake_t *fake) {
    raw_peer_disconnect (&fake->slot);
    raw_peer_disconnect (&fake->agent);
}

static void s_beat (fake_t *fake, const dw_wire_slot_t *slot) {
    dw_write_uint (&fake->agent.out.head, DW_WIRE_BEAT);
    dw_write_uint (&fake->agent.out.head, fake->peer);
    dw_write_slot (&fake->agent.out.head, slot);
    raw_peer_send (&fake->agent);
}

static void s_say_ended (fake_t *fake, dw_wire_ended_t ended) {
    dw_write_uint (&fake->agent.out.head, DW_WIRE_ENDED);
    dw_write_uint (&fake->agent.out.head, fake->peer);
    dw_write_ended (&fake->agent.out.head, &ended);
    raw_peer_send (&fake->agent);
}

/* What the agent is sent next besides BEAT. */
static uint32_t s_next_word (fake_t *fake) {
    uint32_t type;
    do
        type = raw_peer_receive (&fake->agent);
    while (type == DW_WIRE_BEAT);
    return type;
}

/* Beats with this word until the agent is told REPLACE, at most for 5 s; returns after how many
 * ms. */
static int64_t s_beat_until_replaced (fake_t *fake, dw_wire_slot_t slot) {
    int64_t begin_ms = now_ms ();
    while (now_ms () - begin_ms < 5000) {
        s_beat (fake, &slot);
        sleep_ms (20);
        if (raw_peer_receive (&fake->agent) == DW_WIRE_REPLACE) {
            assert_int_equal (dw_read_uint_max (&fake->agent.reader, UINT32_MAX), fake->number);
            return now_ms () - begin_ms;
        }
    }
    fail_msg ("no REPLACE came");
    return 0;
}

static void a_task_that_an_idle_slot_never_got_is_sent_again (void **state) {
    net_t *net = *state;
    gate_open (net->gate);
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL);
    fake_t fake = s_fake (net);
    uint64_t run = s_submit (net, client);
    assert_int_equal (raw_peer_receive (&fake.slot), DW_WIRE_TASKS);
    /* As if that had never come. */
    dw_wire_slot_t idle = {.number = fake.number, .at = DW_WIRE_AT_IDLE};
    assert_in_range (s_beat_until_replaced (&fake, idle), STALLED_MS, 5000);
    net_expect_notice (net, "what it was sent was lost on its way: that is sent again");
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    s_expect_ok (client, run, 1); /* the lost dispatch of "upper" is no attempt: it never began */
    s_end_fake (&fake);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_slot_that_is_at_its_task_has_not_lost_it (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    dw_client_t *client = net_client (net, NULL);
    fake_t fake = s_fake (net);
    s_submit (net, client);
    assert_int_equal (raw_peer_receive (&fake.slot), DW_WIRE_TASKS);
    uint64_t ticket = dw_read_uint (&fake.slot.reader);
    static const dw_wire_at_t turns[] = {DW_WIRE_AT_TASK, DW_WIRE_AT_SILENT, DW_WIRE_AT_IDLE};
    for (int i = 0; i < 30; i++) { /* three times as long as an idle one is given */
        s_beat (&fake,
                &(dw_wire_slot_t){.number = fake.number, .at = turns[i % 3], .ticket = ticket});
        sleep_ms (STALLED_MS / 10);
        assert_int_equal (raw_peer_receive (&fake.agent), DW_WIRE_BEAT);
    }
    s_end_fake (&fake);
    dw_client_destroy (&client);
}

/* ---- Ends that a test makes up ---------------------------------------------------------------- */

static void an_end_of_a_process_that_was_replaced_is_not_put_down_to_the_next (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    fake_t fake = s_fake (net);
    s_say_ended (&fake,
                 (dw_wire_ended_t){.number = fake.number, .how = DW_WIRE_SIGNALLED, .value = 9});
    assert_int_equal (s_next_word (&fake), DW_WIRE_REPLACE);
    net_expect_notice (net, "of process 4711 at there, killed by SIGKILL");
    raw_peer_t next = raw_peer_connect_to (net->endpoint, NULL, NULL);
    uint32_t peer = s_join_slot (&next, &fake);
    s_say_ended (&fake,
                 (dw_wire_ended_t){.number = fake.number, .how = DW_WIRE_EXITED}); /* of before */
    dw_client_t *client = net_client (net, NULL);
    s_submit (net, client);
    assert_int_equal (raw_peer_receive (&next), DW_WIRE_TASKS); /* it is still there */
    assert_true (peer != UINT32_MAX);
    s_say_ended (&fake,
                 (dw_wire_ended_t){.number = fake.number, .replaced = 1, .how = DW_WIRE_EXITED});
    assert_int_equal (s_next_word (&fake), DW_WIRE_REPLACE);
    net_expect_notice (net, ", ended with status 0, in node \"upper\"");
    raw_peer_disconnect (&next);
    s_end_fake (&fake);
    dw_client_destroy (&client);
}

static void s_expect_down_once (net_t *net, fake_t *fake, dw_client_t *client) {
    for (int i = 0; i < 3; i++)
        s_say_ended (fake, (dw_wire_ended_t){.number = fake->number, .how = DW_WIRE_DOWN});
    net_expect_notice (net, " is down: it could not be started again, or went down too often");
    dw_status_t *status = net_status (client);
    assert_int_equal (status->slots_down, 1);
    assert_int_equal (status->troubles_count, 1);
    assert_non_null (strstr (status->troubles[0], " of process 4711 at there is down"));
    dw_status_destroy (&status);
}

static void a_slot_that_is_down_is_said_to_be_once (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    fake_t fake = s_fake (net);
    dw_client_t *client = net_client (net, NULL);
    s_say_ended (&fake, (dw_wire_ended_t){.number = fake.number, .how = DW_WIRE_UNKNOWN});
    assert_int_equal (s_next_word (&fake), DW_WIRE_REPLACE);
    s_expect_down_once (net, &fake, client);
    s_end_fake (&fake);
    dw_client_destroy (&client);
}

static void a_slot_is_down_when_its_agent_says_so (void **state) {
    net_t *net = *state;
    s_open (net, 0);
    fake_t fake = s_fake (net);
    dw_client_t *client = net_client (net, NULL);
    s_expect_down_once (net, &fake, client);
    s_end_fake (&fake);
    dw_client_destroy (&client);
}

static void words_about_slots_of_others_are_ignored (void **state) {
    net_t *net = *state;
    gate_open (net->gate);
    s_open (net, 0);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0); /* has the first slot */
    fake_t fake = s_fake (net);
    dw_client_t *client = net_client (net, NULL);
    random_t random = random_from (7);
    uint64_t ignored = 0;
    for (uint32_t number = 0; number < 800; number++) {
        if (number == fake.number)
            continue;
        s_say_ended (&fake,
                     (dw_wire_ended_t){.number = number, .how = DW_WIRE_SIGNALLED, .value = 11});
        s_beat (&fake,
                &(dw_wire_slot_t){.number = number, .at = DW_WIRE_AT_IDLE, .ticket = number});
    }
    for (int i = 0; i < 200; i++) { /* cut anywhere, or nonsense */
        uint8_t bytes[40];
        dw_write_uint (&fake.agent.out.head, i % 2 ? DW_WIRE_ENDED : DW_WIRE_BEAT);
        dw_write_uint (&fake.agent.out.head, fake.peer);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t) random_next (&random);
        raw_peer_send_bytes (&fake.agent, bytes, random_below (&random, sizeof bytes));
    }
    for (int i = 0; i < 500; i++) { /* until all of it was read */
        dw_status_t *status = net_status (client);
        ignored = status->messages_ignored;
        assert_int_equal (status->lost, 0);
        dw_status_destroy (&status);
        if (ignored >= 799)
            break;
        sleep_ms (10);
    }
    assert_true (ignored >= 799);
    s_end_fake (&fake);
    for (int i = 0; i < 3; i++)
        net_run (net, client);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, net_setup, net_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_run_that_nobody_serves_is_said_to_be_stalled),
        TEST (a_run_whose_last_worker_goes_is_stalled_again),
        TEST (a_slot_that_is_long_at_a_task_is_said_to_be),
        TEST (a_slot_is_named_by_its_place_in_its_process),
        TEST (a_stuck_slot_is_named_as_it_is_everywhere),
        TEST (a_task_whose_lease_is_over_is_given_to_another),
        TEST (a_task_that_is_over_its_lease_three_times_says_so),
        TEST (who_gave_back_what_may_run_but_once_is_named),
        TEST (a_task_that_an_idle_slot_never_got_is_sent_again),
        TEST (a_slot_that_is_at_its_task_has_not_lost_it),
        TEST (an_end_of_a_process_that_was_replaced_is_not_put_down_to_the_next),
        TEST (a_slot_that_is_down_is_said_to_be_once),
        TEST (a_slot_is_down_when_its_agent_says_so),
        TEST (words_about_slots_of_others_are_ignored),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
