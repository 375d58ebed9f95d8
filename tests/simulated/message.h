/* message.h - what is inside of a zmq_msg_t of the simulation. */

#ifndef TESTS_MESSAGE_H
#define TESTS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#define MESSAGE_INSIDE_MAX 33u /* bytes, as with libzmq 4.3 */

typedef struct content_t content_t;

typedef struct message_t {
    content_t *content;
    uint32_t connection; /* that it came by */
    uint8_t kind, size;
    bool has_more;
    uint8_t bytes[MESSAGE_INSIDE_MAX];
} message_t;

message_t *message_of (zmq_msg_t *message);

#endif
