/* patience.h - how much nonsense a connection may send: what is refused or passed over costs it of
 * a bucket that fills slowly.
 *
 * Each message that makes no sense takes one token. While there are some what was sent is answered,
 * if it has an answer; then it is counted and no more; and who goes on all the same is not listened
 * to any longer. Connections are told apart by the routing ids that ZeroMQ gives them, so a new
 * connection has a new bucket, and has cost a handshake. The table has as many places as there may
 * be connections, and a bucket that was not used for longest gives way. It is made when the first
 * nonsense comes: where there is no memory for it nobody has patience. */

#ifndef DW_PATIENCE_H
#define DW_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DW_PATIENCE_RATE  16u  /* tokens a second */
#define DW_PATIENCE_BURST 256u /* tokens at most, and at first */
#define DW_PATIENCE_EXCESS \
    1024u /* messages without a token, since the bucket was full, after which it is over */

/* Small, as there are as many as connections. */
typedef struct dw_bucket_t {
    uint8_t id[8];
    uint32_t used; /* when it was used last and what had come by then was put in, in tokens */
    uint16_t tokens, excess;
    uint8_t id_size; /* 0: nobody's */
} dw_bucket_t;

typedef struct dw_patience_t {
    dw_bucket_t *buckets; /* NULL: nobody has sent nonsense */
    uint32_t size;
} dw_patience_t;

void dw_patience_init (dw_patience_t *self, uint32_t connections_max);
void dw_patience_free (dw_patience_t *self);
/* Whether nonsense of a connection is still answered. */
bool dw_patience_is_left (dw_patience_t *self, const void *id, size_t id_size, int64_t now_ns);
/* A connection has sent nonsense. False: it is over, and told so once: the next one it sends begins
 * anew. */
bool dw_patience_spend (dw_patience_t *self, const void *id, size_t id_size, int64_t now_ns);

#endif
