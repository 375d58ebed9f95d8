/* hostile.c */

#include "tests/support/hostile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/traits.h"

static int s_set_up (void **state, bool has_keys) {
    void *net = NULL;
    if (net_setup (&net))
        return -1;
    hostile_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    *self = (hostile_t){.net = net, .has_keys = has_keys};
    *state = self;
    if (has_keys)
        net_make_keys (net);
    gate_open (self->net->gate);
    net_open (net, &(dw_system_options_t){.no_actors = true, .slots_max = HOSTILE_SLOTS_MAX},
              has_keys);
    self->client = net_client (net, has_keys ? "client" : NULL);
    return 0;
}

int hostile_set_up_plain (void **state) {
    return s_set_up (state, false);
}

int hostile_set_up_keys (void **state) {
    return s_set_up (state, true);
}

int hostile_tear_down (void **state) {
    hostile_t *self = *state;
    void *net = self->net;
    dw_client_destroy (&self->client);
    dw_agent_close (&self->agent, -1, NULL);
    free (self);
    return net_teardown (&net);
}

void hostile_expect_served (hostile_t *self) {
    if (!self->agent)
        self->agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 1, 0);
    for (int i = 0; i < 3; i++)
        net_run (self->net, self->client);
}

raw_peer_t hostile_connect (hostile_t *self, const char *key) {
    net_t *net = self->net;
    return raw_peer_connect_to (net->endpoint, self->has_keys ? net_file (net, key) : NULL,
                                self->has_keys ? net_file (net, "coordinator.key.pub") : NULL);
}

dw_wire_agent_t hostile_agent_record (const uint8_t *uuid, uint64_t incarnation, uint32_t slots) {
    return (dw_wire_agent_t){.uuid = uuid,
                             .incarnation = incarnation,
                             .slots = slots,
                             .pid = 4711,
                             .host = "evil",
                             .host_size = 4};
}

const uint8_t hostile_uuid[DW_WIRE_UUID_SIZE] = "an evil process";

hostile_welcome_t hostile_join_as_agent (raw_peer_t *raw, const dw_wire_agent_t *record) {
    dw_wire_welcome_t welcome;
    raw_peer_say_agent (raw, record);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    assert_true (dw_read_welcome (&raw->reader, &welcome));
    hostile_welcome_t self = {.peer = welcome.peer, .count = welcome.workers_count};
    assert_in_range (self.count, 1, HOSTILE_SLOTS_MAX);
    for (uint32_t i = 0; i < self.count; i++)
        self.numbers[i] = dw_read_uint_max (&raw->reader, UINT32_MAX);
    dw_read_uint (&raw->reader); /* lanes, and what it says of its processors */
    dw_traits_t *traits = NULL;
    assert_int_equal (dw_traits_read (&traits, &raw->reader), DW_OK);
    dw_traits_destroy (&traits);
    assert_true (dw_wire_reader_is_over (&raw->reader));
    memcpy (self.token, welcome.token, sizeof self.token);
    return self;
}

const uint8_t hostile_no_token[DW_WIRE_TOKEN_SIZE];

uint32_t hostile_join_as_client (raw_peer_t *raw) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, hostile_no_token, 0);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

uint32_t hostile_join_as_slot (raw_peer_t *raw, const hostile_welcome_t *welcome, uint32_t slot) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome->token,
                        welcome->numbers[slot]);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

/* What comes after all that was taken in behind it; nothing else has come before. */
void hostile_expect_no_answer (raw_peer_t *raw) {
    raw_peer_say_hello (raw, 9, DW_WIRE_CLIENT, hostile_no_token, 0);
    raw_peer_expect_refused (raw, 400, "not 9");
}

void hostile_say (raw_peer_t *raw, uint32_t type, uint32_t peer) {
    dw_write_uint (&raw->out.head, type);
    dw_write_uint (&raw->out.head, peer);
    raw_peer_send (raw);
}

uint64_t hostile_ignored_count (hostile_t *self) {
    dw_status_t *status = net_status (self->client);
    uint64_t count = status->messages_ignored;
    dw_status_destroy (&status);
    return count;
}

void hostile_await_workers (hostile_t *self, size_t count) {
    for (int i = 0; i < 500; i++) {
        dw_status_t *status = net_status (self->client);
        bool ok = status->workers_count == count;
        dw_status_destroy (&status);
        if (ok)
            return;
        usleep (10000);
    }
    fail_msg ("there are not %zu workers", count);
}
