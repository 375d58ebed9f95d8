/* payload.c - see payload.h. */

#include "runtime/payload.h"

/* -- Heads ---------------------------------------------------------------------------------- */

typedef enum { NEVER, SCALAR, STR, BIN, ARRAY, MAP } kind_t;

/* What the first bytes of a value say of it. Everything but an array or a map is a head and then
 * content_size bytes; those two are a head and then count values, or pairs of them. */
typedef struct {
    kind_t kind;
    size_t head_size;
    uint64_t content_size; /* of STR, BIN and SCALAR; up to UINT32_MAX + 1 */
    uint32_t count;        /* of ARRAY and MAP */
} head_t;

/* The codes 0xc0 to 0xdf: the kind, how many bytes of length follow the code, and how many bytes of
 * content there are beside that length (the value of a number, the type of an extension). */
static const struct {
    uint8_t kind, length_size, content_size;
} s_codes[32] = {
    {SCALAR, 0, 0},  {NEVER, 0, 0},  {SCALAR, 0, 0}, {SCALAR, 0, 0}, /* nil, -, false, true */
    {BIN, 1, 0},     {BIN, 2, 0},    {BIN, 4, 0},                    /* bin 8, 16, 32 */
    {SCALAR, 1, 1},  {SCALAR, 2, 1}, {SCALAR, 4, 1},                 /* ext 8, 16, 32 */
    {SCALAR, 0, 4},  {SCALAR, 0, 8},                                 /* float 32, 64 */
    {SCALAR, 0, 1},  {SCALAR, 0, 2}, {SCALAR, 0, 4}, {SCALAR, 0, 8}, /* uint 8 to 64 */
    {SCALAR, 0, 1},  {SCALAR, 0, 2}, {SCALAR, 0, 4}, {SCALAR, 0, 8}, /* int 8 to 64 */
    {SCALAR, 0, 2},  {SCALAR, 0, 3}, {SCALAR, 0, 5}, {SCALAR, 0, 9}, /* fixext 1, 2, 4, 8 */
    {SCALAR, 0, 17},                                                 /* fixext 16 */
    {STR, 1, 0},     {STR, 2, 0},    {STR, 4, 0},                    /* str 8, 16, 32 */
    {ARRAY, 2, 0},   {ARRAY, 4, 0},  {MAP, 2, 0},    {MAP, 4, 0},    /* array, map 16, 32 */
};

static bool s_head_long (head_t *self, const uint8_t *bytes, size_t size) {
    uint8_t code = bytes[0] & 0x1f;
    size_t length_size = s_codes[code].length_size;
    if (size < 1 + length_size)
        return false;
    uint32_t length = 0;
    for (size_t i = 1; i <= length_size; i++)
        length = length << 8 | bytes[i];

    kind_t kind = s_codes[code].kind;
    bool holds_values = kind == ARRAY || kind == MAP;
    *self = (head_t){
        .kind = kind,
        .head_size = 1 + length_size,
        .content_size = holds_values ? 0 : (uint64_t) length + s_codes[code].content_size,
        .count = holds_values ? length : 0,
    };
    return kind != NEVER;
}

/* False when there is no head, or not all of it. Says nothing of what follows it. */
static bool s_head_read (head_t *self, const uint8_t *bytes, size_t size) {
    if (size == 0)
        return false;
    uint8_t code = bytes[0];
    if (code >= 0xc0 && code <= 0xdf)
        return s_head_long (self, bytes, size);

    *self = (head_t){.kind = SCALAR, .head_size = 1}; /* An integer that is its own code. */
    if (code >= 0xa0 && code <= 0xbf) {
        self->kind = STR;
        self->content_size = code & 0x1f;
    } else if (code >= 0x80 && code <= 0x9f) {
        self->kind = code < 0x90 ? MAP : ARRAY;
        self->count = code & 0x0f;
    }
    return true;
}

/* -- One value ------------------------------------------------------------------------------ */

size_t dw_payload_measure (const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    size_t left = size;                      /* bytes not yet read */
    uint64_t open[DW_PAYLOAD_DEPTH_MAX + 1]; /* by depth: values still to come */
    size_t depth = 0;
    open[0] = 1;
    for (;;) {
        head_t head;
        if (!s_head_read (&head, at, left) || head.content_size > left - head.head_size)
            return 0;
        size_t read = head.head_size + (size_t) head.content_size;
        at += read;
        left -= read;
        open[depth]--;
        if (head.kind == ARRAY || head.kind == MAP) {
            /* A value takes at least a byte: more of them than bytes cannot be there. */
            uint64_t values = head.kind == MAP ? (uint64_t) head.count * 2 : head.count;
            if (depth == DW_PAYLOAD_DEPTH_MAX || values > left)
                return 0;
            open[++depth] = values;
        }
        while (open[depth] == 0) {
            if (depth == 0)
                return size - left;
            depth--;
        }
    }
}

int dw_payload_check (const void *bytes, size_t size) {
    return size > 0 && dw_payload_measure (bytes, size) == size ? DW_OK : DW_EPROTOCOL;
}

/* The content of a value of one of two kinds (the same one twice for just one). */
static const char *s_content (const uint8_t *bytes, size_t size, kind_t one, kind_t other,
                              size_t *content_size_p) {
    head_t head;
    *content_size_p = 0;
    if (!s_head_read (&head, bytes, size) || (head.kind != one && head.kind != other) ||
        head.content_size > size - head.head_size)
        return NULL;
    *content_size_p = (size_t) head.content_size;
    return (const char *) bytes + head.head_size;
}

const char *dw_payload_text (const void *bytes, size_t size, size_t *text_size_p) {
    const uint8_t *at = bytes;
    /* A short bin or str is what most small payloads are: they are read without more ado. */
    if (size >= 2 && (at[0] == DW_PAYLOAD_BIN_8 || at[0] == DW_PAYLOAD_STR_8) &&
        at[1] <= size - 2) {
        *text_size_p = at[1];
        return (const char *) at + 2;
    }
    return s_content (bytes, size, STR, BIN, text_size_p);
}

bool dw_payload_is_text (const void *bytes, size_t size) {
    head_t head;
    return s_head_read (&head, bytes, size) && head.kind == STR;
}

/* -- Maps of str to str --------------------------------------------------------------------- */

uint32_t dw_payload_map_start (dw_payload_map_t *self, const void *bytes, size_t size) {
    head_t head;
    *self = (dw_payload_map_t){0};
    if (!s_head_read (&head, bytes, size) || head.kind != MAP ||
        (uint64_t) head.count * 2 > size - head.head_size)
        return 0;
    self->bytes = (const uint8_t *) bytes + head.head_size;
    self->size = size - head.head_size;
    self->pairs_left = head.count;
    return head.count;
}

/* Takes one str off the front; NULL when there is none. */
static const char *s_map_take (dw_payload_map_t *self, size_t *text_size_p) {
    const char *text = s_content (self->bytes, self->size, STR, STR, text_size_p);
    if (text) {
        size_t taken = (size_t) ((const uint8_t *) text - self->bytes) + *text_size_p;
        self->bytes += taken;
        self->size -= taken;
    }
    return text;
}

bool dw_payload_map_next (dw_payload_map_t *self, dw_payload_pair_t *pair) {
    if (self->pairs_left == 0)
        return false;
    pair->key = s_map_take (self, &pair->key_size);
    pair->value = pair->key ? s_map_take (self, &pair->value_size) : NULL;
    self->pairs_left = pair->value ? self->pairs_left - 1 : 0;
    return pair->value != NULL;
}

int dw_payload_map_check (const void *bytes, size_t size) {
    head_t head;
    if (!s_head_read (&head, bytes, size) || head.kind != MAP)
        return DW_EPROTOCOL;
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    uint32_t pairs_read = 0;
    dw_payload_map_start (&map, bytes, size);
    while (dw_payload_map_next (&map, &pair))
        pairs_read++;
    return pairs_read == head.count && map.size == 0 ? DW_OK : DW_EPROTOCOL;
}

const char *dw_payload_map_find (const void *bytes, size_t size, const char *key, size_t key_size,
                                 size_t *value_size_p) {
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    dw_payload_map_start (&map, bytes, size);
    while (dw_payload_map_next (&map, &pair))
        if (pair.key_size == key_size && memcmp (pair.key, key, key_size) == 0) {
            *value_size_p = pair.value_size;
            return pair.value;
        }
    *value_size_p = 0;
    return NULL;
}
