/* text.h - text in UTF-8: what the stock processors of text share.
 *
 * Unicode itself (mappings, properties, decoding) is libunistring's; here is how it is asked. Text
 * is borrowed, a buffer is owned by whoever has it. Nothing here knows a thread or keeps a static
 * that changes.
 *
 * All processors of text say that they are `brief`, though their time grows with the text: most
 * texts are short, a few hundred bytes take some microseconds, and where they are long the
 * coordinator takes the promise back after two slow calls (dagwood_processor.h). */

#ifndef DW_TEXT_H
#define DW_TEXT_H

#include "dagwood_processor.h"

#include <unitypes.h>

/* Bytes that are known to be UTF-8. */
typedef struct dw_text_t {
    const uint8_t *bytes;
    size_t size;
} dw_text_t;

/* Text that grows; all zero is an empty one. */
typedef struct dw_text_buffer_t {
    uint8_t *bytes;
    size_t size; /* of the text */
    size_t room; /* allocated */
} dw_text_buffer_t;

/* How many bytes from the start on are UTF-8: size when all are. (RFC 3629: no surrogates, no
 * longer form than needed, nothing above U+10FFFF.) */
size_t dw_text_check (const void *bytes, size_t size);

/* The call's payload, or what its dependency gave, as text.
 * Returns 0, or what dw_call_fail returned: 400, the message says what it is instead of text, or at
 * which byte it stops being UTF-8. A dependency must have an output. */
int dw_text_payload (dw_call_t *call, dw_text_t *text_p);
int dw_text_dependency (dw_call_t *call, size_t index, dw_text_t *text_p);

/* Fails the call for want of memory. */
int dw_text_fail_memory (dw_call_t *call);
/* What has been built is the call's output: 0, or what dw_call_fail returned. */
int dw_text_set_output (dw_call_t *call, const dw_text_buffer_t *built);

/* Sets metadata to a number in decimals. Errors: as dw_call_set_metadata. */
int dw_text_set_count (dw_call_t *call, const char *key, uint64_t count);

/* A processor's start function: refuses text options that are not UTF-8, which the C API lets
 * through. arg is the processor's table of options; the instance is NULL. */
int dw_text_start (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                   size_t why_size);

/* Takes the first code point off the text, which is not empty. */
ucs4_t dw_text_next (dw_text_t *text);
/* Takes the first word off the text, and the white space around it (property White_Space); false
 * when there is none. */
bool dw_text_next_word (dw_text_t *text, dw_text_t *word_p);

/* Each returns 0, or DW_ENOMEM with the buffer as it was. */
int dw_text_append (dw_text_buffer_t *self, const void *bytes, size_t size);
/* Unicode's full mappings of the text as one (Unicode 14, section 3.13, R1 and R2; no language). */
int dw_text_append_upper (dw_text_buffer_t *self, dw_text_t text);
int dw_text_append_lower (dw_text_buffer_t *self, dw_text_t text);
void dw_text_release (dw_text_buffer_t *self);

#endif
