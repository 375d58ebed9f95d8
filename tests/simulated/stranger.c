/* stranger.c - somebody who knocks at the coordinator's and talks nonsense. */

#include "tests/simulated/stranger.h"

#include <stdint.h>
#include <string.h>
#include <zmq.h>

#include "runtime/wire.h"
#include "tests/simulated/fibers.h"

#define MESSAGES 12
#define PAUSE_NS 20000000

/* A message that begins well, for anybody's number, and goes on as it likes. */
static void s_write (dw_writer_t *head, random_t *random) {
    static const uint8_t token[DW_WIRE_TOKEN_SIZE];
    uint32_t type = random_below (random, DW_WIRE_TYPES + 1);
    if (type == DW_WIRE_HELLO) {
        dw_wire_hello_t hello = {.version = DW_WIRE_VERSION + random_below (random, 2),
                                 .oldest = DW_WIRE_OLDEST,
                                 .role = (dw_wire_role_t) (1 + random_below (random, 5)),
                                 .token = token,
                                 .number = random_below (random, 8),
                                 .credit = random_below (random, 3)};
        dw_write_hello (head, &hello);
        return;
    }
    dw_write_uint (head, type);
    for (uint32_t left = random_below (random, 12); left > 0; left--)
        if (random_one_in (random, 4))
            dw_write_str (head, "nonsense", random_below (random, 8));
        else
            dw_write_uint (head, random_one_in (random, 4) ? random_integer (random)
                                                           : random_below (random, 8));
}

void *stranger_main (void *arg) {
    random_t *random = fibers_random ();
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_DEALER);
    int none = 0;
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    zmq_connect (socket, arg);
    for (int i = 0; i < MESSAGES; i++) {
        dw_writer_t head = {0};
        uint8_t answer[64];
        s_write (&head, random);
        size_t size = random_one_in (random, 3) ? random_below (random, (uint32_t) head.count + 1)
                                                : head.count;
        zmq_send (socket, head.bytes, size, ZMQ_DONTWAIT);
        dw_writer_free (&head);
        fibers_sleep (random_between (random, 0, PAUSE_NS));
        while (zmq_recv (socket, answer, sizeof answer, ZMQ_DONTWAIT) >= 0)
            ;
    }
    zmq_close (socket);
    zmq_ctx_term (context);
    return NULL;
}
