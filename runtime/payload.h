/* payload.h - msgpack values that somebody else wrote: measured, checked and read in place.
 *
 * A payload is one msgpack value. The runtime never decodes it: it needs its size, whether it can
 * be trusted, and the bytes of a str or a bin without a copy. msgpack-c allocates whatever an array
 * header declares before it looks for an element; bytes that passed dw_payload_check are safe to
 * give to it. Nothing here allocates, recurses, or reads a byte beyond size; time is linear in the
 * bytes there are. Whether a str is UTF-8 is not looked at. Every function may be called by any
 * thread. (The format: github.com/msgpack/msgpack/blob/master/spec.md) */

#ifndef DW_PAYLOAD_H
#define DW_PAYLOAD_H

#include <assert.h>
#include <string.h>

#include "dagwood.h"

/* Arrays and maps within each other; a value that is neither has depth 0. */
#define DW_PAYLOAD_DEPTH_MAX 16

#define DW_PAYLOAD_BIN_8 0xc4u /* of a bin, and of a str, with one byte of length */
#define DW_PAYLOAD_STR_8 0xd9u

/* The most bytes that the header of a str or a bin takes. */
#define DW_PAYLOAD_HEAD_MAX 5

/* DW_OK when bytes are exactly one well-formed value, else DW_EPROTOCOL. bytes may be NULL when
 * size is 0, here and below. */
int dw_payload_check (const void *bytes, size_t size);

/* The size of the value that bytes begin with; 0 when it is not well-formed or not all there. */
size_t dw_payload_measure (const void *bytes, size_t size);

/* The content of the str or bin that bytes begin with, borrowed from bytes, not ended by NUL; its
 * size in *text_size_p. NULL (and 0) when it is neither, or is not all there. */
const char *dw_payload_text (const void *bytes, size_t size, size_t *text_size_p);

/* Whether bytes begin with the header of a str. */
bool dw_payload_is_text (const void *bytes, size_t size);

/* -- Maps of str to str: metadata ----------------------------------------------------------- */

typedef struct dw_payload_pair_t {
    const char *key, *value; /* borrowed from the map's bytes, not ended by NUL */
    size_t key_size, value_size;
} dw_payload_pair_t;

/* A position in a map; plain data, nothing to release. */
typedef struct dw_payload_map_t {
    const uint8_t *bytes;
    size_t size;         /* bytes left */
    uint32_t pairs_left; /* pairs that were declared and not yet read */
} dw_payload_map_t;

/* DW_OK when bytes are exactly one map whose keys and values are str, else DW_EPROTOCOL. A key may
 * be there twice. */
int dw_payload_map_check (const void *bytes, size_t size);
/* Begins with the first pair; returns how many there are said to be. What is no map has none. */
uint32_t dw_payload_map_start (dw_payload_map_t *self, const void *bytes, size_t size);
/* Gives the next pair; false at the end, and at the first damage. */
bool dw_payload_map_next (dw_payload_map_t *self, dw_payload_pair_t *pair);
/* The value of a key, borrowed from bytes, not ended by NUL; NULL when the map has no such key. */
const char *dw_payload_map_find (const void *bytes, size_t size, const char *key, size_t key_size,
                                 size_t *value_size_p);

/* -- Writing headers ------------------------------------------------------------------------ */

/* Writes the shortest header of a str of size bytes, at most UINT32_MAX; returns the header's size.
 * The content follows it. */
static inline size_t dw_payload_text_head (uint8_t head[DW_PAYLOAD_HEAD_MAX], size_t size);
/* The same for a bin, which has no form shorter than two bytes. */
static inline size_t dw_payload_bytes_head (uint8_t head[DW_PAYLOAD_HEAD_MAX], size_t size);

/* The forms with one, two and four bytes of length have codes that follow each other. */
static inline size_t dw_payload_long_head (uint8_t head[DW_PAYLOAD_HEAD_MAX], size_t size,
                                           uint8_t code) {
    assert (size <= UINT32_MAX);
    if (size <= UINT8_MAX) {
        head[0] = code;
        head[1] = (uint8_t) size;
        return 2;
    }
    if (size <= UINT16_MAX) {
        head[0] = (uint8_t) (code + 1);
        head[1] = (uint8_t) (size >> 8);
        head[2] = (uint8_t) size;
        return 3;
    }
    head[0] = (uint8_t) (code + 2);
    head[1] = (uint8_t) (size >> 24);
    head[2] = (uint8_t) (size >> 16);
    head[3] = (uint8_t) (size >> 8);
    head[4] = (uint8_t) size;
    return 5;
}

static inline size_t dw_payload_text_head (uint8_t head[DW_PAYLOAD_HEAD_MAX], size_t size) {
    if (size > 31)
        return dw_payload_long_head (head, size, 0xd9);
    head[0] = (uint8_t) (0xa0 | size);
    return 1;
}

static inline size_t dw_payload_bytes_head (uint8_t head[DW_PAYLOAD_HEAD_MAX], size_t size) {
    return dw_payload_long_head (head, size, 0xc4);
}

#endif
