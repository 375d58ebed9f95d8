/* remote.c - a client's connection to a system in another process, and how it is made again. */

#include "actors/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "actors/locate.h"
#include "runtime/core/error.h"

#define CONNECT_MS       3000
#define BACKOFF_FIRST_NS 50000000
#define BACKOFF_MAX_NS   2000000000
#define MONITOR_NS \
    10000000 /* how often a client that does not sleep looks whether it was cut off */
#define TELL_COUNT 64u
#define TELL_BYTES (256u << 10)

/* ---- Connecting ------------------------------------------------------------------------------- */

int dw_remote_open (dw_remote_t *self, const dw_connect_options_t *options, dw_error_t *error) {
    self->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : CONNECT_MS;
    self->reconnect_ms = options->reconnect_ms;
    self->stop.fd = options->stop_fd;
    self->endpoint = strdup (options->endpoint);
    if (!self->endpoint)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (getrandom (self->uuid, sizeof self->uuid, 0) != (ssize_t) sizeof self->uuid)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "the system gives no random bytes");
    int err = dw_link_keys_read (&self->keys, options, error);
    if (err)
        return err;
    self->context = zmq_ctx_new ();
    if (!self->context)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no context of ZeroMQ: %s",
                             zmq_strerror (errno));
    return options->graph
               ? dw_locate (&self->endpoint, self->context, self->endpoint, &self->keys,
                            options->graph, self->timeout_ms, &self->stop, NULL, NULL, error)
               : DW_OK;
}

int dw_remote_say_hello (dw_remote_t *self, dw_packet_t *packet) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_CLIENT,
                             .token = no_token};
    dw_wire_identity_t identity = {.uuid = self->uuid, .incarnation = ++self->incarnation};
    dw_write_hello (&packet->head, &hello);
    dw_write_identity (&packet->head, &identity);
    self->taken = self->told = self->taken_bytes = 0;
    return dw_packet_send (packet, self->link.socket, NULL, 0);
}

void dw_remote_note_heard (dw_remote_t *self) {
    self->heard_ns = dw_clock_ns ();
    self->asked_ns = 0;
}

void dw_remote_tie (dw_remote_t *self) {
    self->state = DW_REMOTE_TIED;
    dw_remote_note_heard (self);
    self->look_ns = self->heard_ns + self->heartbeat_ns;
}

/* Its connection is of no use any more. */
static void s_leave (dw_remote_t *self, int64_t due_ns) {
    dw_link_close (&self->link);
    self->is_cut = false;
    self->state = DW_REMOTE_AWAY;
    self->due_ns = due_ns;
}

static void s_lose (dw_remote_t *self, int64_t now_ns) {
    self->give_up_ns = self->reconnect_ms < 0 ? INT64_MAX
                                              : now_ns + (int64_t) self->reconnect_ms * 1000000;
    self->backoff_ns = BACKOFF_FIRST_NS;
    s_leave (self, now_ns);
}

void dw_remote_retry (dw_remote_t *self, int64_t now_ns) {
    s_leave (self, now_ns + self->backoff_ns);
    self->backoff_ns = 2 * self->backoff_ns < BACKOFF_MAX_NS ? 2 * self->backoff_ns
                                                             : BACKOFF_MAX_NS;
}

/* ZeroMQ would connect anew by itself, but as somebody whom nobody knows: so a new socket says who
 * it is. */
static void s_greet (dw_remote_t *self, dw_packet_t *packet, int64_t now_ns) {
    if (dw_link_open (&self->link, self->context, self->endpoint, &self->keys, NULL) ||
        dw_remote_say_hello (self, packet)) {
        dw_remote_retry (self, now_ns);
        return;
    }
    self->state = DW_REMOTE_GREETING;
    self->due_ns = now_ns + (int64_t) self->timeout_ms * 1000000;
}

/* ---- Is it there? ----------------------------------------------------------------------------- */

/* Asks a coordinator that has not been heard of for a heartbeat whether it is there. True: it has
 * not answered for so long that it is lost. Whoever was paused, or did not look, has not listened:
 * it asks once more. */
static bool s_is_silent (dw_remote_t *self, dw_packet_t *packet, uint32_t peer, int64_t now_ns) {
    bool has_listened = now_ns - self->look_ns < self->heartbeat_ns;
    if (!has_listened && self->asked_ns)
        self->asked_ns = 0;
    if (self->asked_ns == 0 && now_ns - self->heard_ns >= self->heartbeat_ns) {
        self->asked_ns = now_ns;
        dw_write_uint (&packet->head, DW_WIRE_BEAT);
        dw_write_uint (&packet->head, peer);
        dw_packet_send (packet, self->link.socket, NULL, 0);
    }
    self->look_ns = self->asked_ns ? self->asked_ns + self->silence_ns - self->heartbeat_ns
                                   : self->heard_ns + self->heartbeat_ns;
    return self->asked_ns && now_ns >= self->look_ns;
}

static void s_look_tied (dw_remote_t *self, dw_packet_t *packet, uint32_t peer, int64_t now_ns,
                         int64_t *until_ns) {
    if (self->is_cut || s_is_silent (self, packet, peer, now_ns)) {
        s_lose (self, now_ns);
        *until_ns = now_ns;
        return;
    }
    if (!self->has_news && now_ns < self->monitor_ns) /* which costs more than a run */
        self->is_cut = false;
    else {
        self->is_cut = dw_link_is_cut (&self->link);
        self->has_news = false;
        self->monitor_ns = now_ns + MONITOR_NS;
    }
    if (self->is_cut) /* what came before is taken in first */
        *until_ns = now_ns;
    else if (self->look_ns < *until_ns)
        *until_ns = self->look_ns;
}

int dw_remote_look (dw_remote_t *self, dw_packet_t *packet, uint32_t peer, int64_t now_ns,
                    int64_t *until_ns) {
    switch (self->state) {
        case DW_REMOTE_NEW: return DW_OK;
        case DW_REMOTE_TIED: s_look_tied (self, packet, peer, now_ns, until_ns); break;
        case DW_REMOTE_AWAY:
            if (now_ns >= self->due_ns && now_ns < self->give_up_ns)
                s_greet (self, packet, now_ns);
            break;
        case DW_REMOTE_GREETING:
            if (now_ns >= self->due_ns || now_ns >= self->give_up_ns ||
                dw_link_is_cut (&self->link))
                dw_remote_retry (self, now_ns);
            break;
    }
    if (self->state == DW_REMOTE_TIED)
        return DW_OK;
    if (self->state == DW_REMOTE_AWAY && now_ns >= self->give_up_ns)
        return DW_ELOST;
    int64_t next_ns = self->due_ns < self->give_up_ns ? self->due_ns : self->give_up_ns;
    if (next_ns < *until_ns)
        *until_ns = next_ns;
    return DW_OK;
}

bool dw_remote_wait (dw_remote_t *self, int64_t now_ns, int64_t until_ns) {
    int64_t wait_ms = until_ns > now_ns ? (until_ns - now_ns + 999999) / 1000000 : 0;
    zmq_pollitem_t items[3];
    int count = 0;
    bool can_stop = self->heeds_stop && self->stop.fd > 0;
    if (self->link.socket) {
        items[count++] = (zmq_pollitem_t){.socket = self->link.socket, .events = ZMQ_POLLIN};
        items[count++] = (zmq_pollitem_t){.socket = self->link.monitor, .events = ZMQ_POLLIN};
    }
    if (can_stop)
        items[count++] = (zmq_pollitem_t){.fd = self->stop.fd, .events = ZMQ_POLLIN};
    int ready = zmq_poll (items, count, until_ns == INT64_MAX ? -1 : (long) wait_ms);
    self->has_news |= self->link.socket && ready > 0 && (items[1].revents & ZMQ_POLLIN);
    return !(can_stop && ready > 0 && items[count - 1].revents);
}

/* ---- Taken in --------------------------------------------------------------------------------- */

void dw_remote_count (dw_remote_t *self, const dw_message_t *message, dw_packet_t *packet,
                      uint32_t peer) {
    self->taken++;
    for (uint32_t i = 0; i < message->count; i++)
        self->taken_bytes += zmq_msg_size (&message->frames[i]);
    if (self->state != DW_REMOTE_TIED ||
        (self->taken - self->told < TELL_COUNT && self->taken_bytes < TELL_BYTES))
        return;
    self->told = self->taken;
    self->taken_bytes = 0;
    dw_write_uint (&packet->head, DW_WIRE_TAKEN);
    dw_write_uint (&packet->head, peer);
    dw_write_uint (&packet->head, self->taken);
    dw_packet_send (packet, self->link.socket, NULL, 0);
}

void dw_remote_destroy (dw_remote_t **self_p) {
    dw_remote_t *self = *self_p;
    if (!self)
        return;
    dw_link_close (&self->link);
    if (self->context)
        zmq_ctx_term (self->context);
    dw_link_keys_wipe (&self->keys);
    dw_status_destroy (&self->status);
    free (self->endpoint);
    free (self);
    *self_p = NULL;
}
