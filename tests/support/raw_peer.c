/* raw_peer.c - a bare socket that is connected to a coordinator, and says what a test likes. */

#include "tests/support/raw_peer.h"

#include <stdio.h>
#include <string.h>

#include "actors/keys.h"
#include "actors/system.h"
#include "tests/support/agent_hello.h"

#define REPLY_MS 10000

void raw_peer_open_system (system_fixture_t *f) {
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_add (f, "sleep", "sleep", "upper");
    system_fixture_add (f, "last", "reverse_text", "sleep");
    dw_graph_set_integer (f->graph, 1, "ms", 0);
    system_fixture_open (f);
}

void raw_peer_expect_served (system_fixture_t *f) {
    dw_result_t *result = system_fixture_run_text (f, "abc");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "upper", "ABC");
    expect_text (result, "last", "CBA");
    for (int node = 0; node < 3; node++)
        assert_int_equal (dw_result_attempts (result, node), 1);
    dw_result_destroy (&result);
    expect_no_notice (f);
}

raw_peer_t raw_peer_connect (const system_fixture_t *f) {
    raw_peer_t raw = {0};
    int linger_ms = 0, unlimited = 0;
    if (f->place->transport)
        raw.context = zmq_ctx_new ();
    raw.socket = zmq_socket (raw.context ? raw.context : dw_system_context (f->system), ZMQ_DEALER);
    assert_non_null (raw.socket);
    zmq_setsockopt (raw.socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (raw.socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    assert_int_equal (zmq_connect (raw.socket, dw_system_endpoint (f->system)), 0);
    return raw;
}

raw_peer_t raw_peer_connect_to (const char *endpoint, const char *key, const char *server_key) {
    raw_peer_t raw = {.context = zmq_ctx_new ()};
    int linger_ms = 0, unlimited = 0;
    raw.socket = zmq_socket (raw.context, ZMQ_DEALER);
    assert_non_null (raw.socket);
    zmq_setsockopt (raw.socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (raw.socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    if (key) {
        dw_keys_t own;
        uint8_t server[DW_KEY_SIZE];
        assert_int_equal (dw_keys_read (&own, key, NULL), DW_OK);
        assert_int_equal (dw_keys_read_public (server, server_key, NULL), DW_OK);
        assert_int_equal (dw_keys_use (&own, raw.socket, server, NULL), DW_OK);
        dw_keys_wipe (&own);
    }
    assert_int_equal (zmq_connect (raw.socket, endpoint), 0);
    return raw;
}

void raw_peer_disconnect (raw_peer_t *raw) {
    zmq_close (raw->socket);
    if (raw->context)
        zmq_ctx_term (raw->context);
    dw_packet_free (&raw->out);
    dw_message_free (&raw->in);
}

void raw_peer_send (raw_peer_t *raw) {
    assert_int_equal (dw_packet_send (&raw->out, raw->socket, NULL, 0), DW_OK);
}

void raw_peer_send_bytes (raw_peer_t *raw, const void *bytes, size_t size) {
    uint8_t *at = dw_writer_room (&raw->out.head, size);
    if (size)
        memcpy (at, bytes, size);
    raw->out.head.count += size;
    raw_peer_send (raw);
}

void raw_peer_send_garbage (raw_peer_t *raw, random_t *random) {
    uint8_t bytes[600];
    size_t size = random_below (random, random_one_in (random, 8) ? sizeof bytes : 12);
    for (size_t k = 0; k < size; k++)
        bytes[k] = (uint8_t) random_next (random);
    if (size && random_one_in (random, 2))
        bytes[0] = (uint8_t) random_below (random, DW_WIRE_TYPES + 1);
    raw_peer_send_bytes (raw, bytes, size);
}

uint32_t raw_peer_receive (raw_peer_t *raw) {
    zmq_pollitem_t item = {.socket = raw->socket, .events = ZMQ_POLLIN};
    if (zmq_poll (&item, 1, REPLY_MS) != 1 || dw_message_receive (&raw->in, raw->socket))
        fail_msg ("the coordinator does not answer");
    raw->reader = dw_wire_reader (zmq_msg_data (&raw->in.frames[0]),
                                  zmq_msg_size (&raw->in.frames[0]));
    return dw_read_uint_max (&raw->reader, DW_WIRE_TYPES);
}

void raw_peer_expect_refused (raw_peer_t *raw, uint32_t code, const char *part) {
    char text[256];
    size_t size;
    uint32_t type = raw_peer_receive (raw);
    while (type == DW_WIRE_RESULTS && !dw_wire_reader_has_more (&raw->reader))
        type = raw_peer_receive (raw); /* every few seconds, which may pass on a busy machine */
    assert_int_equal (type, DW_WIRE_REFUSED);
    assert_int_equal (dw_read_uint (&raw->reader), code);
    const char *said = dw_read_str (&raw->reader, sizeof text - 1, &size);
    assert_non_null (said);
    snprintf (text, sizeof text, "%.*s", (int) size, said);
    if (!strstr (text, part))
        fail_msg ("refused with \"%s\", not \"%s\"", text, part);
}

/* Only its name is told. */
static int s_no_function (dw_call_t *call, void *arg) {
    (void) call;
    (void) arg;
    return 0;
}

/* It offers what the net fixture's graphs need, and has no tags. */
void raw_peer_say_agent (raw_peer_t *raw, const dw_wire_agent_t *agent) {
    dw_processors_t *processors = dw_processors_new ();
    assert_non_null (processors);
    assert_int_equal (dw_processors_add_function (processors, "gate", s_no_function, NULL), DW_OK);
    agent_hello_write (&raw->out.head, *agent, processors);
    dw_processors_destroy (&processors);
    raw_peer_send (raw);
}

void raw_peer_say_hello (raw_peer_t *raw, uint32_t version, uint32_t role, const uint8_t *token,
                         uint32_t number) {
    dw_wire_hello_t hello = {.version = version,
                             .oldest = version,
                             .role = role,
                             .token = token,
                             .number = number,
                             .credit = 100};
    dw_write_hello (&raw->out.head, &hello);
    raw_peer_send (raw);
}

void raw_peer_say_hello_of_range (raw_peer_t *raw, uint32_t version, uint32_t oldest,
                                  const uint8_t *token) {
    dw_wire_hello_t hello = {
        .version = version, .oldest = oldest, .role = DW_WIRE_CLIENT, .token = token};
    dw_write_hello (&raw->out.head, &hello);
    raw_peer_send (raw);
}

void raw_peer_say_hello_of_version_2 (raw_peer_t *raw, uint32_t role, const uint8_t *token) {
    dw_writer_t *head = &raw->out.head;
    dw_write_uint (head, DW_WIRE_HELLO);
    dw_write_str (head, "dagwood", 7);
    dw_write_uint (head, 2);
    dw_write_uint (head, role);
    dw_write_bin (head, token, 16);
    dw_write_uint (head, 0);
    dw_write_uint (head, 0);
    raw_peer_send (raw);
}

uint32_t raw_peer_join (raw_peer_t *raw, const system_fixture_t *f) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}
