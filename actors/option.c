/* option.c - options of a ZeroMQ socket that are read back after they are set. */

#include "actors/option.h"

#include <string.h>
#include <zmq.h>

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
