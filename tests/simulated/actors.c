/* actors.c - in place of actors/actor.c and actors/door.c: actors are fibers, and doors count
 * nobody. */

#include <stdlib.h>
#include <zmq.h>

#include "actors/actor.h"
#include "actors/clock.h"
#include "actors/door.h"
#include "tests/simulated/network.h"

#define SOCKETS_MAX 4u

int dw_actor_start (dw_actor_t *self, const char *name, size_t stack_bytes,
                    void *(*body) (void *args), void *args) {
    (void) stack_bytes;
    self->thread = (pthread_t) fibers_start (fibers_process (), name, body, args);
    self->is_running = true;
    return DW_OK;
}

bool dw_actor_join (dw_actor_t *self, int64_t deadline_ns) {
    if (!self->is_running)
        return true;
    int64_t left_ns = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - dw_clock_ns ();
    self->is_running = !fibers_join ((fiber_t *) self->thread,
                                     left_ns == INT64_MAX ? INT64_MAX : fibers_now_ns () + left_ns);
    return !self->is_running;
}

void dw_actor_leave (dw_actor_t *self) {
    if (self->is_running)
        fibers_leave ((fiber_t *) self->thread);
    self->is_running = false;
}

/* Looking again and again is waiting, too. */
bool dw_actor_wait (void *const *sockets, unsigned sockets_count, int64_t spin_until_ns,
                    int64_t deadline_ns) {
    zmq_pollitem_t items[SOCKETS_MAX];
    (void) spin_until_ns;
    for (unsigned i = 0; i < sockets_count && i < SOCKETS_MAX; i++)
        items[i] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
    int64_t left_ns = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - dw_clock_ns ();
    int64_t wait_ms = left_ns == INT64_MAX ? -1 : left_ns > 0 ? (left_ns + 999999) / 1000000 : 0;
    return zmq_poll (items, (int) sockets_count, (long) wait_ms) >= 0;
}

/* ---- Doors ------------------------------------------------------------------------------------ */

struct dw_door_t {
    uint32_t connections_max;
};

dw_door_guest_t dw_door_guest (zmq_msg_t *frame) {
    return (dw_door_guest_t){.fd = zmq_msg_get (frame, ZMQ_SRCFD)};
}

bool dw_door_is_cut_off (dw_door_guest_t guest) {
    return guest.fd > 0 && network_is_cut_off ((uint64_t) guest.fd);
}

int dw_door_new (dw_door_t **self_p, void *context, void *socket, uint32_t connections_max,
                 dw_error_t *error) {
    (void) context;
    (void) socket;
    (void) error;
    *self_p = malloc (sizeof **self_p);
    if (!*self_p)
        return DW_ENOMEM;
    (*self_p)->connections_max = connections_max;
    return DW_OK;
}

void dw_door_let_in (dw_door_t *self, dw_door_guest_t guest) {
    (void) self;
    (void) guest;
}

void dw_door_cut (dw_door_t *self, dw_door_guest_t guest) {
    (void) self;
    if (guest.fd > 0)
        network_cut ((uint64_t) guest.fd);
}

uint32_t dw_door_full_count (dw_door_t *self) {
    (void) self;
    return 0;
}

void dw_door_destroy (dw_door_t **self_p) {
    free (*self_p);
    *self_p = NULL;
}
