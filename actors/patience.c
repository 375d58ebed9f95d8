/* patience.c - a bucket of tokens for each connection that sends nonsense. */

#include "actors/patience.h"

#include <stdlib.h>
#include <string.h>

#include "dagwood.h"

#define WINDOW   8u /* places at which a bucket may be */
#define TOKEN_NS (INT64_C (1000000000) / DW_PATIENCE_RATE)

void dw_patience_init (dw_patience_t *self, uint32_t connections_max) {
    *self = (dw_patience_t){.size = connections_max + WINDOW};
}

void dw_patience_free (dw_patience_t *self) {
    free (self->buckets);
    *self = (dw_patience_t){0};
}

/* ZeroMQ counts upwards, so those of one time have places of their own. */
static uint32_t s_first (const dw_patience_t *self, const uint8_t *id, size_t id_size) {
    uint32_t number = 0;
    for (size_t i = 0; i < id_size; i++)
        number = number << 8 | id[i];
    return number % self->size;
}

/* A token comes to all buckets at the same time. */
static void s_fill (dw_bucket_t *bucket, uint32_t now) {
    uint32_t tokens = now - bucket->used;
    bucket->used = now;
    if (tokens < DW_PATIENCE_BURST - bucket->tokens) {
        bucket->tokens = (uint16_t) (bucket->tokens + tokens);
        return;
    }
    bucket->tokens = DW_PATIENCE_BURST;
    bucket->excess = 0;
}

/* The bucket of a connection, a new one in the place of the one that was used least lately when it
 * has none. */
static dw_bucket_t *s_bucket (dw_patience_t *self, const void *id, size_t id_size, int64_t now_ns) {
    if (id_size > sizeof self->buckets->id)
        id_size = sizeof self->buckets->id; /* ZeroMQ's own have five bytes */
    uint32_t first = s_first (self, id, id_size), now = (uint32_t) (now_ns / TOKEN_NS);
    dw_bucket_t *oldest = &self->buckets[first];
    for (uint32_t i = 0; i < WINDOW; i++) {
        dw_bucket_t *bucket = &self->buckets[(first + i) % self->size];
        if (bucket->id_size == id_size && memcmp (bucket->id, id, id_size) == 0) {
            s_fill (bucket, now);
            return bucket;
        }
        if (now - bucket->used > now - oldest->used)
            oldest = bucket;
    }
    *oldest = (dw_bucket_t){.used = now, .id_size = (uint8_t) id_size, .tokens = DW_PATIENCE_BURST};
    memcpy (oldest->id, id, id_size);
    return oldest;
}

/* They are made when somebody needs one. */
static bool s_have_buckets (dw_patience_t *self) {
    if (!self->buckets)
        self->buckets = calloc (self->size, sizeof *self->buckets);
    return self->buckets;
}

bool dw_patience_is_left (dw_patience_t *self, const void *id, size_t id_size, int64_t now_ns) {
    return s_have_buckets (self) && s_bucket (self, id, id_size, now_ns)->tokens > 0;
}

bool dw_patience_spend (dw_patience_t *self, const void *id, size_t id_size, int64_t now_ns) {
    if (!s_have_buckets (self))
        return false;
    dw_bucket_t *bucket = s_bucket (self, id, id_size, now_ns);
    if (bucket->tokens > 0) {
        bucket->tokens--;
        return true;
    }
    if (++bucket->excess < DW_PATIENCE_EXCESS)
        return true;
    bucket->excess = 0;
    return false;
}
