/* option.h - options of a ZeroMQ socket that are read back after they are set.
 *
 * An option that was not taken leaves a door open without a word: some builds of ZeroMQ know no
 * CURVE, and some bindings have setters that do nothing. So no socket or context is set by anything
 * else. */

#ifndef DW_OPTION_H
#define DW_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dagwood.h"

/* What a socket is set to; the name is for people. */
typedef struct dw_socket_option_t {
    const char *name;
    int option;
    int64_t value;
} dw_socket_option_t;
#define DW_SOCKET_OPTION(option, value) \
    { #option, option, value }

/* Sets all of them, in order. Errors: DW_ELIMIT which one is not what was asked for. */
int dw_socket_options_set (void *socket, const dw_socket_option_t *options, size_t count,
                           dw_error_t *error);
/* ZMQ_ROUTER_MANDATORY of a ROUTER that has no peers yet. It cannot be read back, so it is tried:
 * nobody must be told that what is for nobody was sent. Errors: DW_ELIMIT. */
int dw_option_set_mandatory (void *router, dw_error_t *error);
/* How many sockets and I/O threads a context may have, before its first socket. Errors:
 * DW_ELIMIT. */
int dw_option_set_context (void *context, uint32_t sockets, uint32_t io_threads, dw_error_t *error);

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
