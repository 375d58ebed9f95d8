/* output.h - standard output, through one checked path.
 *
 * A command writes its results with these functions and with nothing else, so that a closed or full
 * output is noticed, told once on standard error, and ends in exit status 74. A reader that went
 * away (EPIPE, as in `dagwood plan g.yaml | head`) is not told, only the status says so. */

#ifndef DW_OUTPUT_H
#define DW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "dagwood.h"

/* False once anything could not be written: then there is no point in going on. */
bool dw_output_write (const void *bytes, size_t size);
bool dw_output_text (const char *text);
bool dw_output_print (const char *format, ...) DW_PRINTF (1, 2);

/* Whether anything could not be written so far. */
bool dw_output_failed (void);

/* Writes out what is buffered and returns status, or 74 when not all of the output was
 * written. May be called again after more was written. */
int dw_output_close (int status);

#endif
