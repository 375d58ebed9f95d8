/* hostile.h - a coordinator that listens, an honest client and an honest worker beside it, and what
 * peers that are not honest say to it: bare sockets that know the protocol. Without keys on the
 * loopback interface, and with keys that are listed. */

#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "tests/support/raw_peer.h"

#include "tests/support/net.h"

#define HOSTILE_SLOTS_MAX 16u /* of the coordinator */

typedef struct hostile_t {
    net_t *net;
    bool has_keys;
    dw_agent_t *agent; /* the honest worker; NULL: it has not been needed yet */
    dw_client_t *client;
} hostile_t;

int hostile_set_up_plain (void **state);
int hostile_set_up_keys (void **state);
int hostile_tear_down (void **state);
/* A test, once without keys and once with them. */
#define HOSTILE_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown (name, hostile_set_up_plain, hostile_tear_down), \
        cmocka_unit_test_setup_teardown (name, hostile_set_up_keys, hostile_tear_down)

/* The honest ones are served, whatever was said. */
void hostile_expect_served (hostile_t *self);
/* How many messages the coordinator has counted and passed over. */
uint64_t hostile_ignored_count (hostile_t *self);
/* Until so many worker processes are known. */
void hostile_await_workers (hostile_t *self, size_t count);

/* Connects with the key of this name, where there are keys. */
raw_peer_t hostile_connect (hostile_t *self, const char *key);

extern const uint8_t hostile_uuid[DW_WIRE_UUID_SIZE];
extern const uint8_t hostile_no_token[DW_WIRE_TOKEN_SIZE];
/* What the worker process 4711 at "evil" says of itself. */
dw_wire_agent_t hostile_agent_record (const uint8_t *uuid, uint64_t incarnation, uint32_t slots);

typedef struct hostile_welcome_t {
    uint32_t peer, count, numbers[HOSTILE_SLOTS_MAX];
    uint8_t token[DW_WIRE_TOKEN_SIZE];
} hostile_welcome_t;

/* Say HELLO and are welcomed; a client and a slot have the number of their peer. */
hostile_welcome_t hostile_join_as_agent (raw_peer_t *raw, const dw_wire_agent_t *record);
uint32_t hostile_join_as_client (raw_peer_t *raw);
uint32_t hostile_join_as_slot (raw_peer_t *raw, const hostile_welcome_t *welcome, uint32_t slot);

/* Says a type in the name of a peer, and no more. */
void hostile_say (raw_peer_t *raw, uint32_t type, uint32_t peer);
/* Everything that was said before has been taken in, and none of it was answered. */
void hostile_expect_no_answer (raw_peer_t *raw);

#endif
