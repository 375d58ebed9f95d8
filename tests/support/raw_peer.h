/* raw_peer.h - a bare socket that is connected to a fixture's coordinator, and says what a test
 * likes. What does not go as it should fails the test. */

#ifndef TESTS_RAW_PEER_H
#define TESTS_RAW_PEER_H

#include "actors/message.h"
#include "tests/support/random.h"
#include "tests/support/system_fixture.h"

typedef struct raw_peer_t {
    void *context; /* its own; NULL: the system's, for inproc */
    void *socket;
    dw_packet_t out;
    dw_message_t in;
    dw_wire_reader_t reader; /* of the message received last, behind its type */
} raw_peer_t;

/* The system that a raw peer talks to, of three nodes that reverse a text in capitals; and the
 * proof that it still serves, whatever a peer has said. */
void raw_peer_open_system (system_fixture_t *f);
void raw_peer_expect_served (system_fixture_t *f);

raw_peer_t raw_peer_connect (const system_fixture_t *f);
/* The same to any endpoint, with a key and the coordinator's public one; key NULL: without. */
raw_peer_t raw_peer_connect_to (const char *endpoint, const char *key, const char *server_key);
/* Without a goodbye. */
void raw_peer_disconnect (raw_peer_t *raw);
/* Sends out; the second what is in out and bytes behind it. */
void raw_peer_send (raw_peer_t *raw);
void raw_peer_send_bytes (raw_peer_t *raw, const void *bytes, size_t size);
/* Sends random bytes, of which the first is often a type. */
void raw_peer_send_garbage (raw_peer_t *raw, random_t *random);
/* The next message, whose type is given. */
uint32_t raw_peer_receive (raw_peer_t *raw);
/* Says HELLO as an agent. */
void raw_peer_say_agent (raw_peer_t *raw, const dw_wire_agent_t *agent);
/* The next message is REFUSED, with this code and a text with this part. */
void raw_peer_expect_refused (raw_peer_t *raw, uint32_t code, const char *part);
/* HELLO of somebody who speaks this version alone. */
void raw_peer_say_hello (raw_peer_t *raw, uint32_t version, uint32_t role, const uint8_t *token,
                         uint32_t number);
/* HELLO of a client that speaks all versions from oldest to version; and one as version 2 had
 * it. */
void raw_peer_say_hello_of_range (raw_peer_t *raw, uint32_t version, uint32_t oldest,
                                  const uint8_t *token);
void raw_peer_say_hello_of_version_2 (raw_peer_t *raw, uint32_t role, const uint8_t *token);
/* Joins as a client that is welcome; gives its peer number. */
uint32_t raw_peer_join (raw_peer_t *raw, const system_fixture_t *f);

#endif
