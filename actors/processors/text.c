/* text.c - text in UTF-8: reading it from a call, taking it apart, mapping it. */

#include "actors/processors/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

/* ---- From a call -------------------------------------------------------------------------- */

size_t dw_text_check (const void *bytes, size_t size) {
    const uint8_t *wrong = size > 0 ? u8_check (bytes, size) : NULL;
    return wrong ? (size_t) (wrong - (const uint8_t *) bytes) : size;
}

/* What the first byte of a msgpack value says it is. */
static const char *s_kind (const uint8_t *value, size_t size) {
    if (size == 0)
        return "nothing";
    uint8_t byte = value[0];
    if (byte <= 0x7f || byte >= 0xe0 || (byte >= 0xcc && byte <= 0xd3))
        return "an integer";
    if (byte <= 0x8f || byte == 0xde || byte == 0xdf)
        return "a map";
    if (byte <= 0x9f || byte == 0xdc || byte == 0xdd)
        return "an array";
    switch (byte) {
        case 0xc0: return "nil";
        case 0xc2:
        case 0xc3: return "a boolean";
        case 0xca:
        case 0xcb: return "a floating-point number";
        default: return "an extension type";
    }
}

static int s_fail_encoding (dw_call_t *call, const char *whose, const char *id, const char *bytes,
                            size_t offset) {
    return dw_call_fail (call, 400,
                         "%s%s is not UTF-8: the byte 0x%02X at offset %zu begins no character; "
                         "convert it to UTF-8",
                         whose, id, (unsigned) (uint8_t) bytes[offset], offset);
}

static int s_fail_kind (dw_call_t *call, const char *whose, const char *id, const void *value,
                        size_t size) {
    return dw_call_fail (call, 400, "%s%s is not text but %s; give a str or a bin in UTF-8", whose,
                         id, s_kind (value, size));
}

int dw_text_payload (dw_call_t *call, dw_text_t *text_p) {
    size_t size = 0;
    const char *bytes = dw_call_text (call, &size);
    if (!bytes) {
        const void *value = dw_call_payload (call, &size);
        return s_fail_kind (call, "the payload", "", value, value ? size : 0);
    }
    size_t valid = dw_text_check (bytes, size);
    if (valid < size)
        return s_fail_encoding (call, "the payload", "", bytes, valid);
    *text_p = (dw_text_t){(const uint8_t *) bytes, size};
    return 0;
}

int dw_text_dependency (dw_call_t *call, size_t index, dw_text_t *text_p) {
    const char *id = dw_call_dependency_id (call, index);
    size_t size = 0;
    const char *bytes = dw_call_dependency_text (call, index, &size);
    if (!bytes) {
        const void *value = dw_call_dependency_payload (call, index, &size);
        return s_fail_kind (call, "the output of ", id, value, value ? size : 0);
    }
    size_t valid = dw_text_check (bytes, size);
    if (valid < size)
        return s_fail_encoding (call, "the output of ", id, bytes, valid);
    *text_p = (dw_text_t){(const uint8_t *) bytes, size};
    return 0;
}

int dw_text_fail_memory (dw_call_t *call) {
    return dw_call_fail (call, 500, "no memory for the text; give less at a time");
}

int dw_text_set_output (dw_call_t *call, const dw_text_buffer_t *built) {
    if (built->size == 0)
        return dw_call_set_text (call, "", 0) ? dw_text_fail_memory (call) : 0;
    char *output = dw_call_reserve_text (call, built->size);
    if (!output)
        return dw_text_fail_memory (call);
    memcpy (output, built->bytes, built->size);
    return 0;
}

int dw_text_set_count (dw_call_t *call, const char *key, uint64_t count) {
    char decimal[24];
    snprintf (decimal, sizeof decimal, "%" PRIu64, count);
    return dw_call_set_metadata (call, key, decimal);
}

int dw_text_start (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                   size_t why_size) {
    for (const dw_option_t *option = arg; option->name; option++) {
        if (option->type != DW_TEXT)
            continue;
        const char *value = dw_settings_text (settings, option->name);
        size_t size = strlen (value);
        size_t valid = dw_text_check (value, size);
        if (valid < size) {
            snprintf (why, why_size, "its option %s is not UTF-8 at byte offset %zu", option->name,
                      valid);
            return DW_EINVAL;
        }
    }
    *instance_p = NULL;
    return 0;
}

/* ---- Taking it apart ---------------------------------------------------------------------- */

ucs4_t dw_text_next (dw_text_t *text) {
    ucs4_t point = text->bytes[0];
    int length = point < 0x80 ? 1 : u8_mbtouc_unsafe (&point, text->bytes, text->size);
    text->bytes += length;
    text->size -= (size_t) length;
    return point;
}

static bool s_is_space (ucs4_t point) {
    return point <= ' ' ? point == ' ' || (point >= '\t' && point <= '\r')
                        : point >= 0x80 && uc_is_property_white_space (point);
}

/* Takes off what is, or is not, white space. */
static void s_skip (dw_text_t *text, bool space) {
    while (text->size > 0) {
        dw_text_t rest = *text;
        if (s_is_space (dw_text_next (&rest)) != space)
            return;
        *text = rest;
    }
}

bool dw_text_next_word (dw_text_t *text, dw_text_t *word_p) {
    s_skip (text, true);
    *word_p = *text;
    s_skip (text, false);
    word_p->size -= text->size;
    s_skip (text, true);
    return word_p->size > 0;
}

/* ---- Building and mapping ----------------------------------------------------------------- */

/* Makes room for size more bytes. */
static int s_grow (dw_text_buffer_t *self, size_t size) {
    if (self->room - self->size >= size)
        return 0;
    if (size > SIZE_MAX / 2 - self->size)
        return DW_ENOMEM;
    size_t least = self->size + size;
    size_t room = self->room + self->room / 2 > least ? self->room + self->room / 2 : least;
    uint8_t *bytes = realloc (self->bytes, room);
    if (!bytes)
        return DW_ENOMEM;
    self->bytes = bytes;
    self->room = room;
    return 0;
}

int dw_text_append (dw_text_buffer_t *self, const void *bytes, size_t size) {
    if (size == 0)
        return 0;
    if (s_grow (self, size))
        return DW_ENOMEM;
    memcpy (self->bytes + self->size, bytes, size);
    self->size += size;
    return 0;
}

static bool s_is_ascii (dw_text_t text) {
    uint8_t all = 0;
    for (size_t i = 0; i < text.size; i++)
        all |= text.bytes[i];
    return all < 0x80;
}

/* ASCII maps to itself with one bit changed in the letters from first to first + 25; libunistring
 * would take some 30 times as long to say the same. */
static int s_append_ascii (dw_text_buffer_t *self, dw_text_t text, uint8_t first) {
    if (text.size == 0)
        return 0;
    if (s_grow (self, text.size))
        return DW_ENOMEM;
    uint8_t *out = self->bytes + self->size;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.bytes[i];
        uint8_t is_letter = (uint8_t) (byte - first) < 26;
        out[i] = (uint8_t) (byte ^ (is_letter << 5));
    }
    self->size += text.size;
    return 0;
}

typedef uint8_t *s_mapping_t (const uint8_t *text, size_t size, const char *language,
                              uninorm_t form, uint8_t *room, size_t *size_p);

/* libunistring writes into the buffer's room, or into memory of its own where that is too small. */
static int s_append_mapped (dw_text_buffer_t *self, dw_text_t text, s_mapping_t *mapping) {
    if (s_grow (self, text.size + text.size / 8 + 16))
        return DW_ENOMEM;
    uint8_t *room = self->bytes + self->size;
    size_t size = self->room - self->size;
    uint8_t *mapped = mapping (text.bytes, text.size, NULL, NULL, room, &size);
    if (!mapped)
        return DW_ENOMEM;
    if (mapped == room) {
        self->size += size;
        return 0;
    }
    int err = dw_text_append (self, mapped, size);
    free (mapped);
    return err;
}

int dw_text_append_upper (dw_text_buffer_t *self, dw_text_t text) {
    return s_is_ascii (text) ? s_append_ascii (self, text, 'a')
                             : s_append_mapped (self, text, u8_toupper);
}

/* ---- Lower case and the final sigma ------------------------------------------------------- */

static const uint8_t s_sigma[] = {0xce, 0xa3};       /* U+03A3, the capital one */
static const uint8_t s_sigma_small[] = {0xcf, 0x83}; /* U+03C3 */
static const uint8_t s_sigma_final[] = {0xcf, 0x82}; /* U+03C2 */

/* Whether the nearest code point that is not case-ignorable is cased; looking forwards, and
 * backwards. Either stops at another sigma, so that all sigmas of a text together look at each of
 * its code points twice at most. */
static bool s_is_cased_after (const uint8_t *at, const uint8_t *end) {
    dw_text_t rest = {at, (size_t) (end - at)};
    while (rest.size > 0) {
        ucs4_t point = dw_text_next (&rest);
        if (!uc_is_property_case_ignorable (point))
            return uc_is_property_cased (point);
    }
    return false;
}

static bool s_is_cased_before (const uint8_t *at, const uint8_t *start) {
    ucs4_t point;
    while ((at = u8_prev (&point, at, start)))
        if (!uc_is_property_case_ignorable (point))
            return uc_is_property_cased (point);
    return false;
}

static int s_append_lower_piece (dw_text_buffer_t *self, const uint8_t *from, const uint8_t *to) {
    dw_text_t piece = {from, (size_t) (to - from)};
    return s_is_ascii (piece) ? s_append_ascii (self, piece, 'A')
                              : s_append_mapped (self, piece, u8_tolower);
}

/* The one mapping without a language that looks at its neighbours is the sigma's (Unicode table
 * 3-17, Final_Sigma). libunistring 1.0 does not skip an apostrophe there, so it is asked for what
 * lies between the sigmas only. A code point that is both cased and case-ignorable is skipped, as
 * in ICU. */
int dw_text_append_lower (dw_text_buffer_t *self, dw_text_t text) {
    const size_t before = self->size;
    const uint8_t *end = text.bytes + text.size;
    const uint8_t *piece = text.bytes;
    const uint8_t *sigma;
    int err = 0;
    while (!err && (sigma = memmem (piece, (size_t) (end - piece), s_sigma, sizeof s_sigma))) {
        const uint8_t *next = sigma + sizeof s_sigma;
        bool is_final = s_is_cased_before (sigma, text.bytes) && !s_is_cased_after (next, end);
        err = s_append_lower_piece (self, piece, sigma);
        if (!err)
            err = dw_text_append (self, is_final ? s_sigma_final : s_sigma_small, sizeof s_sigma);
        piece = next;
    }
    if (!err)
        err = s_append_lower_piece (self, piece, end);
    if (err)
        self->size = before;
    return err;
}

void dw_text_release (dw_text_buffer_t *self) {
    free (self->bytes);
    *self = (dw_text_buffer_t){0};
}
