/* system.h - what clients need to know of the system that they talk to. */

#ifndef DW_SYSTEM_H
#define DW_SYSTEM_H

#include "dagwood.h"

/* ZeroMQ's context, the coordinator's endpoint, the token that HELLO shows. Borrowed from self. */
void *dw_system_context (const dw_system_t *self);
const char *dw_system_endpoint (const dw_system_t *self);
const uint8_t *dw_system_token (const dw_system_t *self);

/* What the coordinator has counted: messages, and steps by worker, its own thread's first, of which
 * at most steps_max; returns how many, 0 when it does not answer within a second. The owner's. */
uint32_t dw_system_counts (dw_system_t *self, uint64_t *messages_p, uint64_t *steps,
                           uint32_t steps_max);

#endif
