/* option.c - options of a ZeroMQ socket that are read back after they are set. */

#include "actors/option.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "runtime/core/error.h"

#define KEY_BYTES  32u
#define TEXT_BYTES 256u /* with the NUL that ZeroMQ counts when it is asked */

bool dw_option_is_int (void *socket, int option, int value) {
    int is = 0;
    size_t size = sizeof is;
    return zmq_getsockopt (socket, option, &is, &size) == 0 && size == sizeof is && is == value;
}

bool dw_option_set_int (void *socket, int option, int value) {
    return zmq_setsockopt (socket, option, &value, sizeof value) == 0 &&
           dw_option_is_int (socket, option, value);
}

bool dw_option_set_int64 (void *socket, int option, int64_t value) {
    int64_t is = 0;
    size_t size = sizeof is;
    return zmq_setsockopt (socket, option, &value, sizeof value) == 0 &&
           zmq_getsockopt (socket, option, &is, &size) == 0 && size == sizeof is && is == value;
}

bool dw_option_is_text (void *socket, int option, const char *text) {
    char is[TEXT_BYTES] = "";
    size_t size = sizeof is;
    return zmq_getsockopt (socket, option, is, &size) == 0 && size == strlen (text) + 1 &&
           memcmp (is, text, size) == 0;
}

bool dw_option_set_text (void *socket, int option, const char *text) {
    return zmq_setsockopt (socket, option, text, strlen (text)) == 0 &&
           dw_option_is_text (socket, option, text);
}

bool dw_option_set_key (void *socket, int option, const uint8_t *key) {
    uint8_t is[KEY_BYTES] = {0};
    size_t size = sizeof is;
    bool same = zmq_setsockopt (socket, option, key, KEY_BYTES) == 0 &&
                zmq_getsockopt (socket, option, is, &size) == 0 && size == sizeof is &&
                memcmp (is, key, sizeof is) == 0;
    explicit_bzero (is, sizeof is); /* it may be a secret one */
    return same;
}

static int s_refuse (const char *name, dw_error_t *error) {
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "ZeroMQ does not take %s as it was set (%s): is it a version from 4.3 on?",
                         name, zmq_strerror (errno));
}

int dw_socket_options_set (void *socket, const dw_socket_option_t *options, size_t count,
                           dw_error_t *error) {
    for (const dw_socket_option_t *option = options; option < options + count; option++) {
        bool is_long = option->option == ZMQ_MAXMSGSIZE; /* the others are int */
        if (!(is_long ? dw_option_set_int64 (socket, option->option, option->value)
                      : dw_option_set_int (socket, option->option, (int) option->value)))
            return s_refuse (option->name, error);
    }
    return DW_OK;
}

int dw_option_set_mandatory (void *router, dw_error_t *error) {
    int yes = 1;
    if (zmq_setsockopt (router, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes) == 0 &&
        zmq_send (router, "nobody", 6, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 && errno == EHOSTUNREACH)
        return DW_OK;
    return s_refuse ("ZMQ_ROUTER_MANDATORY", error);
}

int dw_option_set_context (void *context, uint32_t sockets, uint32_t io_threads,
                           dw_error_t *error) {
    if (zmq_ctx_set (context, ZMQ_MAX_SOCKETS, (int) sockets) ||
        zmq_ctx_get (context, ZMQ_MAX_SOCKETS) != (int) sockets)
        return s_refuse ("ZMQ_MAX_SOCKETS", error);
    if (zmq_ctx_set (context, ZMQ_IO_THREADS, (int) io_threads) ||
        zmq_ctx_get (context, ZMQ_IO_THREADS) != (int) io_threads)
        return s_refuse ("ZMQ_IO_THREADS", error);
    return DW_OK;
}
