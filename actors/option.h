/* option.h - options of a ZeroMQ socket that are read back after they are set.
 *
 * A security option that was not taken leaves a door open without a word: some builds of ZeroMQ know
 * no CURVE, and some bindings have setters that do nothing. */

#ifndef DW_OPTION_H
#define DW_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of these return whether the option now is what was asked for. */
bool dw_option_set_int (void *socket, int option, int value);
bool dw_option_set_int64 (void *socket, int option, int64_t value);
/* At most 255 bytes, not empty. */
bool dw_option_set_text (void *socket, int option, const char *text);
/* A CURVE key of 32 bytes. */
bool dw_option_set_key (void *socket, int option, const uint8_t *key);

/* Whether the option has this value; false too when it cannot be read. */
bool dw_option_is_int (void *socket, int option, int value);
bool dw_option_is_text (void *socket, int option, const char *text);

#endif
