/* output.h - standard output, through one checked path.
 *
 * A command writes its results with these functions and with nothing else, so that a closed or full
 * output is noticed, told once on standard error, and ends in exit status 74. A reader that went
 * away (EPIPE, as in `dagwood plan g.yaml | head`) is not told, only the status says so. */

#ifndef DW_OUTPUT_H
#define DW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dagwood.h"

/* False once anything could not be written: then there is no point in going on. */
bool dw_output_write (const void *bytes, size_t size);
bool dw_output_text (const char *text);
bool dw_output_print (const char *format, ...) DW_PRINTF (1, 2);

/* The code point that text of size bytes, not none, begins with, and how many of them it takes;
 * what is not UTF-8, and what would move the cursor, is '?'. */
size_t dw_output_visible (uint32_t *point_p, const char *text, size_t size);
/* Writes text so. */
bool dw_output_write_visible (const char *text, size_t size);
/* Writes text with its control characters escaped, as messages have them: \n, \x1b. */
bool dw_output_write_escaped (const char *text);

/* For a command that must hear signals while nobody reads its output: writes what is taken without
 * waiting, and nothing of it is buffered. Returns how many bytes were written, 0 when standard
 * output has to become writable first; negative: it failed, which was told, and is the caller's to
 * end with. */
ssize_t dw_output_write_some (const void *bytes, size_t size);

/* Whether anything could not be written so far. */
bool dw_output_failed (void);

/* Writes out what is buffered and returns status, or 74 when not all of the output was
 * written. May be called again after more was written. */
int dw_output_close (int status);

#endif
