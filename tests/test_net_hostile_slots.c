/* test_net_hostile_slots.c - a coordinator that listens, among slots that answer nonsense, answer
 * again, vanish, never start, or keep leaving: their tasks go elsewhere and their places come back.
 * Without keys on the loopback interface, and with keys that are listed. */

#include "tests/support/hostile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/wire_records.h"

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_answer (raw_peer_t *slot, uint32_t peer, uint64_t ticket, const char *payload) {
    dw_ref_t refs[] = {{.bytes = (const uint8_t *) payload, .size = strlen (payload)},
                       {.frame = 0}};
    dw_wire_answer_record_t done = {
        .ticket = ticket, .answer = DW_WIRE_DONE, .duration_ns = 1, .steps = 1};
    dw_write_uint (&slot->out.head, DW_WIRE_ANSWERS);
    dw_write_uint (&slot->out.head, peer);
    wire_write_answer (&slot->out.head, &done, refs);
    raw_peer_send (slot);
}

/* A slot that has one task under way. */
typedef struct s_holder_t {
    raw_peer_t agent, slot;
    hostile_welcome_t welcome;
    uint32_t peer;
    uint64_t run, ticket;
} s_holder_t;

static s_holder_t s_hold (hostile_t *self, uint64_t incarnation) {
    s_holder_t holder = {.agent = hostile_connect (self, "worker"),
                         .slot = hostile_connect (self, "worker")};
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, incarnation, 1);
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    holder.welcome = hostile_join_as_agent (&holder.agent, &record);
    holder.peer = hostile_join_as_slot (&holder.slot, &holder.welcome, 0);
    assert_int_equal (dw_client_submit (self->client, &submission, &holder.run, NULL), DW_OK);
    assert_int_equal (raw_peer_receive (&holder.slot), DW_WIRE_TASKS);
    holder.ticket = dw_read_uint (&holder.slot.reader);
    return holder;
}

static void s_drop (s_holder_t *holder) {
    raw_peer_disconnect (&holder->slot);
    raw_peer_disconnect (&holder->agent);
}

/* It was put out: its agent is to make another, people know who it was, and what it goes on saying
 * is nobody's. */
static void s_expect_put_out (hostile_t *self, s_holder_t *holder, const char *what) {
    char notice[200];
    uint64_t ignored = hostile_ignored_count (self);
    snprintf (notice, sizeof notice, "of process 4711 at evil sent %s: it is put out", what);
    net_expect_notice (self->net, notice);
    assert_int_equal (raw_peer_receive (&holder->agent), DW_WIRE_REPLACE);
    assert_int_equal (dw_read_uint (&holder->agent.reader), holder->welcome.numbers[0]);
    s_answer (&holder->slot, holder->peer, holder->ticket, "\xa5WRONG");
    hostile_expect_no_answer (&holder->slot);
    assert_true (hostile_ignored_count (self) > ignored);
}

static void a_slot_that_answers_nonsense_is_put_out_by_name_and_its_task_goes_elsewhere (
    void **state) {
    hostile_t *self = *state;
    for (uint64_t lie = 1; lie <= 4; lie++) {
        s_holder_t holder = s_hold (self, lie);
        dw_result_t *result = NULL;
        size_t size;
        if (lie == 1)
            s_answer (&holder.slot, holder.peer, holder.ticket + 1,
                      "\xa6"
                      "forged");
        else if (lie == 2)
            s_answer (&holder.slot, holder.peer, holder.ticket, "\xc1");
        else
            hostile_say (&holder.slot, DW_WIRE_ANSWERS, holder.peer);
        if (lie > 2)
            hostile_expect_no_answer (&holder.slot); /* one without an answer is none that lies */
        if (lie > 2) {
            dw_write_uint (&holder.slot.out.head, DW_WIRE_ANSWERS);
            dw_write_uint (&holder.slot.out.head, holder.peer);
            dw_write_uint (&holder.slot.out.head, holder.ticket);
            raw_peer_send_bytes (&holder.slot, lie == 3 ? "" : "\x00\xc1", lie == 3 ? 0 : 2);
        }
        static const char *const said[] = {
            "an answer for a task that it was never sent", "an output that is no value of msgpack",
            "an answer that cannot be read", "an answer that cannot be read"};
        s_expect_put_out (self, &holder, said[lie - 1]);
        hostile_expect_served (self);
        assert_int_equal (dw_client_wait (self->client, holder.run, 10000, &result), DW_OK);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
        assert_int_equal (size, 5);
        assert_memory_equal (text, "OLLEH", 5);
        dw_result_destroy (&result);
        s_drop (&holder);
        assert_int_equal (dw_agent_close (&self->agent, -1, NULL), DW_OK);
    }
    hostile_expect_served (self);
}

/* As an honest one may say them: again, behind a cut, or too late. */
static void answers_that_were_given_before_are_counted_and_nobody_is_put_out_for_them (
    void **state) {
    hostile_t *self = *state;
    s_holder_t holder = s_hold (self, 1);
    for (int i = 0; i < 100; i++)
        s_answer (&holder.slot, holder.peer, holder.ticket, "\xa5HELLO");
    for (int node = 1; node < 3; node++) { /* its chain goes on with tasks of their own */
        assert_int_equal (raw_peer_receive (&holder.slot), DW_WIRE_TASKS);
        uint64_t last = dw_read_uint (&holder.slot.reader);
        for (uint64_t ticket = holder.ticket; ticket <= last; ticket++)
            s_answer (&holder.slot, holder.peer, ticket, "\xa5OLLEH");
    }
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, holder.run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_status_t *status = net_status (self->client);
    assert_true (status->answers_ignored >= 100);
    assert_int_equal (status->workers_count, 1);
    dw_status_destroy (&status);
    s_drop (&holder);
    net_expect_notice (self->net, "the worker at evil");
    hostile_expect_served (self);
}

/* An answer that brings a graph, of a node that may not become one, and again. */
static void s_answer_added (raw_peer_t *slot, uint32_t peer, uint64_t ticket) {
    static const char addition[] = "\xa1"
                                   "a"
                                   "\x90";
    const dw_ref_t refs[] = {{.bytes = (const uint8_t *) "\xa1x", .size = 2},
                             {.frame = 0},
                             {.bytes = (const uint8_t *) addition, .size = sizeof addition - 1}};
    dw_wire_answer_record_t added = {.ticket = ticket, .answer = DW_WIRE_ADDED, .duration_ns = 1};
    dw_write_uint (&slot->out.head, DW_WIRE_ANSWERS);
    dw_write_uint (&slot->out.head, peer);
    wire_write_answer (&slot->out.head, &added, refs);
    raw_peer_send (slot);
}

static void a_graph_that_is_not_to_be_added_is_counted_or_fails_its_task (void **state) {
    hostile_t *self = *state;
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    uint32_t peer = hostile_join_as_slot (&slot, &welcome, 0);
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    uint64_t run;
    assert_int_equal (dw_client_submit (self->client, &submission, &run, NULL), DW_OK);
    hostile_say (&agent, DW_WIRE_BEAT, welcome.peer);
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_TASKS);
    uint64_t ticket = dw_read_uint (&slot.reader);
    s_answer_added (&slot, peer, ticket);
    s_answer_added (&slot, peer, ticket);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_error_code (result, dw_result_find (result, "upper")), 502);
    dw_result_destroy (&result);
    dw_status_t *status = net_status (self->client);
    assert_true (status->answers_ignored >= 1);
    dw_status_destroy (&status);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    net_expect_notice (self->net, "the worker at evil");
    hostile_expect_served (self);
}

/* A slot whose connection is gone is forgotten when it is sent something, or when another comes in
 * its place, again and again: what is kept of it does not grow. */
static void slots_that_vanish_with_their_tasks_leave_nothing_behind (void **state) {
    hostile_t *self = *state;
    raw_peer_t agent = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    uint32_t first_peer = UINT32_MAX;
    for (int i = 0; i < 20; i++) {
        raw_peer_t slot = hostile_connect (self, "worker");
        uint32_t peer = hostile_join_as_slot (&slot, &welcome, 0);
        if (first_peer == UINT32_MAX)
            first_peer = peer;
        assert_true (peer <= first_peer + 1);
        raw_peer_disconnect (&slot);
        dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
        uint64_t run;
        usleep (30000); /* until the coordinator's ZeroMQ has seen it */
        assert_int_equal (dw_client_submit (self->client, &submission, &run, NULL), DW_OK);
        hostile_say (&agent, DW_WIRE_BEAT, welcome.peer);
        assert_int_equal (raw_peer_receive (&agent), DW_WIRE_BEAT);
        dw_client_cancel (self->client, run);
        dw_result_t *result = NULL;
        assert_int_equal (dw_client_wait (self->client, run, 10000, &result), DW_OK);
        dw_result_destroy (&result);
    }
    hostile_say (&agent, DW_WIRE_BYE, welcome.peer);
    raw_peer_disconnect (&agent);
    hostile_expect_served (self);
}

/* ---- Places ----------------------------------------------------------------------------------- */

static void places_of_agents_that_vanish_come_back (void **state) {
    hostile_t *self = *state;
    hostile_expect_served (self);
    for (unsigned i = 0; i < 60; i++) {
        uint8_t uuid[DW_WIRE_UUID_SIZE] = {(uint8_t) i, 1};
        raw_peer_t raw = hostile_connect (self, "worker");
        dw_wire_agent_t record = hostile_agent_record (uuid, 1, 4);
        raw_peer_say_agent (&raw, &record);
        uint32_t type = raw_peer_receive (&raw); /* welcome, until there are no places left */
        assert_true (type == DW_WIRE_WELCOME || type == DW_WIRE_REFUSED);
        raw_peer_disconnect (&raw);
        if (i % 10 == 0)
            hostile_expect_served (self);
    }
    hostile_await_workers (self, 1);
    raw_peer_t raw = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, HOSTILE_SLOTS_MAX - 1);
    hostile_join_as_agent (&raw, &record);
    raw_peer_disconnect (&raw);
    hostile_expect_served (self);
}

/* Nobody takes them away: slots_max is the bound, and that the key can be. */
static void an_agent_that_never_starts_its_slots_keeps_their_places_while_it_beats (void **state) {
    hostile_t *self = *state;
    hostile_expect_served (self);
    raw_peer_t raw = hostile_connect (self, "worker"), other = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, HOSTILE_SLOTS_MAX - 1);
    hostile_welcome_t welcome = hostile_join_as_agent (&raw, &record);
    static const uint8_t uuid[DW_WIRE_UUID_SIZE] = "honest";
    record = hostile_agent_record (uuid, 1, 1);
    for (int i = 0; i < 30; i++) {
        hostile_say (&raw, DW_WIRE_BEAT, welcome.peer);
        assert_int_equal (raw_peer_receive (&raw), DW_WIRE_BEAT);
        raw_peer_say_agent (&other, &record);
        raw_peer_expect_refused (&other, 503, "slots_max");
        hostile_expect_served (self);
        usleep (NET_HEARTBEAT_MS * 1000);
    }
    hostile_await_workers (self, 1); /* it has fallen silent */
    hostile_join_as_agent (&other, &record);
    raw_peer_disconnect (&other);
    raw_peer_disconnect (&raw);
    hostile_expect_served (self);
}

/* ---- Draining --------------------------------------------------------------------------------- */

static void an_agent_may_drain_again_and_again (void **state) {
    hostile_t *self = *state;
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "worker");
    raw_peer_t late = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 2);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    uint32_t peer = hostile_join_as_slot (&slot, &welcome, 0);
    for (int i = 0; i < 1000; i++)
        hostile_say (&agent, DW_WIRE_DRAIN, welcome.peer);
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_STOP);
    hostile_expect_no_answer (&slot); /* it is told once */
    raw_peer_say_hello (&late, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[1]);
    raw_peer_expect_refused (&late, 400, "no worker of this number");
    hostile_say (&slot, DW_WIRE_BYE, peer);
    assert_int_equal (raw_peer_receive (&agent), DW_WIRE_STOP);
    hostile_await_workers (self, 0);
    raw_peer_disconnect (&late);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    hostile_expect_served (self);
}

static void a_worker_that_leaves_as_soon_as_it_came_has_left (void **state) {
    hostile_t *self = *state;
    for (int i = 0; i < 20; i++) {
        dw_agent_t *agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 4, -1);
        dw_agent_drain (agent);
        assert_int_equal (dw_agent_wait (agent, 5000), DW_OK);
        assert_int_equal (dw_agent_close (&agent, -1, NULL), DW_OK);
    }
    hostile_expect_served (self);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST (a_slot_that_answers_nonsense_is_put_out_by_name_and_its_task_goes_elsewhere),
        HOSTILE_TEST (answers_that_were_given_before_are_counted_and_nobody_is_put_out_for_them),
        HOSTILE_TEST (a_graph_that_is_not_to_be_added_is_counted_or_fails_its_task),
        HOSTILE_TEST (slots_that_vanish_with_their_tasks_leave_nothing_behind),
        HOSTILE_TEST (places_of_agents_that_vanish_come_back),
        HOSTILE_TEST (an_agent_that_never_starts_its_slots_keeps_their_places_while_it_beats),
        HOSTILE_TEST (an_agent_may_drain_again_and_again),
        HOSTILE_TEST (a_worker_that_leaves_as_soon_as_it_came_has_left),
    };
    return !!cmocka_run_group_tests_name ("net_hostile_slots", tests, NULL, NULL);
}
