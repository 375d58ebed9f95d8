/* sockets.c - what stands in for ZeroMQ's sockets, for threads and for the clock: messages are
 * handed over, by number.
 *
 * A connection's routing id is its number, so that whom a message is for is found at once, as
 * ZeroMQ's own does. Of ZeroMQ itself only messages are used, as they are: the coordinator pays for
 * them what it pays anywhere. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actors/actor.h"
#include "bench/crowd/crowd.h"

#define SOCKETS_MAX 16u
#define OPTIONS_MAX 128
#define ID_BYTES    5u /* as ZeroMQ's own */

/* A message on its way to the coordinator. */
typedef struct s_coming_t {
    uint32_t peer;
    zmq_msg_t head;
} s_coming_t;

typedef struct s_inbox_t {
    s_coming_t *items; /* a ring */
    size_t first, next, size;
    bool is_begun; /* the first one's routing id was given */
} s_inbox_t;

/* One that it has sent; its parts lie behind each other in bytes and in frames. */
typedef struct s_going_t {
    uint8_t way;
    uint32_t peer;
    size_t head_at, size;
    size_t frames_at;
    uint32_t frames_count;
} s_going_t;

typedef struct s_socket_t {
    dw_way_t way; /* DW_WAYS: nobody comes by it */
    int64_t options[OPTIONS_MAX];
    char domain[64], bound[256];
} s_socket_t;

static struct {
    s_socket_t sockets[SOCKETS_MAX];
    unsigned sockets_count;
    s_inbox_t inboxes[DW_WAYS];
    bool has_more; /* of the part received last */
    s_going_t *going;
    size_t going_count, going_size, taken;
    uint8_t *bytes;
    size_t bytes_count, bytes_size;
    zmq_msg_t *frames;
    size_t frames_count, frames_size;
    bool is_in_message; /* its head, or more frames, are still to be sent */
    void *(*body) (void *args);
    void *args;
} s;

static void *s_grow (void *items, size_t count, size_t *size, size_t item_size) {
    if (count < *size)
        return items;
    while (*size <= count)
        *size = *size ? 2 * *size : 64;
    void *grown = realloc (items, *size * item_size);
    if (!grown)
        abort ();
    return grown;
}

static int s_fail (int err) {
    errno = err;
    return -1;
}

/* ---- The world's side ------------------------------------------------------------------------- */

void dw_sockets_put (dw_way_t way, uint32_t peer, const void *bytes, size_t size) {
    s_inbox_t *inbox = &s.inboxes[way];
    if (inbox->first == inbox->next)
        inbox->first = inbox->next = 0;
    inbox->items = s_grow (inbox->items, inbox->next, &inbox->size, sizeof *inbox->items);
    s_coming_t *coming = &inbox->items[inbox->next++];
    coming->peer = peer;
    if (zmq_msg_init_size (&coming->head, size))
        abort ();
    memcpy (zmq_msg_data (&coming->head), bytes, size);
}

bool dw_sockets_have_come (void) {
    for (unsigned way = 0; way < DW_WAYS; way++)
        if (s.inboxes[way].first < s.inboxes[way].next)
            return true;
    return false;
}

static void s_forget_taken (void) {
    for (size_t i = 0; i < s.frames_count; i++)
        zmq_msg_close (&s.frames[i]);
    s.going_count = s.taken = s.bytes_count = s.frames_count = 0;
}

bool dw_sockets_take (dw_sent_t *sent) {
    if (s.taken == s.going_count) {
        s_forget_taken ();
        return false;
    }
    const s_going_t *going = &s.going[s.taken++];
    *sent = (dw_sent_t){.way = (dw_way_t) going->way,
                        .peer = going->peer,
                        .head = s.bytes + going->head_at,
                        .size = going->size,
                        .frames = s.frames + going->frames_at,
                        .frames_count = going->frames_count};
    return true;
}

void dw_sockets_free (void) {
    s_forget_taken ();
    for (unsigned way = 0; way < DW_WAYS; way++) {
        for (size_t i = s.inboxes[way].first; i < s.inboxes[way].next; i++)
            zmq_msg_close (&s.inboxes[way].items[i].head);
        free (s.inboxes[way].items);
        s.inboxes[way] = (s_inbox_t){0};
    }
    free (s.going);
    free (s.bytes);
    free (s.frames);
    s.going = NULL;
    s.bytes = NULL;
    s.frames = NULL;
    s.going_size = s.bytes_size = s.frames_size = 0;
}

/* ---- The coordinator's messages --------------------------------------------------------------- */

/* The number that a routing id is. */
static bool s_read_id (const uint8_t *id, size_t size, uint32_t *peer) {
    *peer = 0;
    for (size_t i = 1; i < size; i++)
        *peer = *peer << 8 | id[i];
    return size == ID_BYTES && id[0] == 0;
}

/* The first part says whom it is for; it does not travel. */
static int s_begin (const s_socket_t *socket, const void *id, size_t size) {
    uint32_t peer;
    if (!s_read_id (id, size, &peer))
        return s_fail (EHOSTUNREACH);
    s.going = s_grow (s.going, s.going_count, &s.going_size, sizeof *s.going);
    s.going[s.going_count++] = (s_going_t){.way = (uint8_t) socket->way,
                                           .peer = peer,
                                           .head_at = s.bytes_count,
                                           .frames_at = s.frames_count};
    s.is_in_message = true;
    return (int) size;
}

int zmq_send (void *socket, const void *bytes, size_t size, int flags) {
    const s_socket_t *self = socket;
    if (self->way == DW_WAYS)
        return (int) size; /* a door's, which nobody knocks at */
    if (!s.is_in_message)
        return s_begin (self, bytes, size);
    s.bytes = s_grow (s.bytes, s.bytes_count + size, &s.bytes_size, 1);
    memcpy (s.bytes + s.bytes_count, bytes, size);
    s.bytes_count += size;
    s.going[s.going_count - 1].size = size;
    s.is_in_message = flags & ZMQ_SNDMORE;
    return (int) size;
}

int zmq_msg_send (zmq_msg_t *message, void *socket, int flags) {
    (void) socket;
    s.frames = s_grow (s.frames, s.frames_count, &s.frames_size, sizeof *s.frames);
    zmq_msg_init (&s.frames[s.frames_count]);
    zmq_msg_move (&s.frames[s.frames_count++], message);
    s.going[s.going_count - 1].frames_count++;
    s.is_in_message = flags & ZMQ_SNDMORE;
    return 0;
}

static int s_give_id (zmq_msg_t *message, uint32_t peer) {
    uint8_t id[ID_BYTES] = {0, (uint8_t) (peer >> 24), (uint8_t) (peer >> 16),
                            (uint8_t) (peer >> 8), (uint8_t) peer};
    zmq_msg_close (message);
    zmq_msg_init_size (message, sizeof id);
    memcpy (zmq_msg_data (message), id, sizeof id);
    s.has_more = true;
    return (int) sizeof id;
}

int zmq_msg_recv (zmq_msg_t *message, void *socket, int flags) {
    const s_socket_t *self = socket;
    (void) flags;
    s_inbox_t *inbox = self->way == DW_WAYS ? NULL : &s.inboxes[self->way];
    if (inbox && inbox->first == inbox->next && self->way == DW_WAYS - 1)
        dw_world_look ();
    if (!inbox || inbox->first == inbox->next)
        return s_fail (EAGAIN);
    s_coming_t *coming = &inbox->items[inbox->first];
    inbox->is_begun = !inbox->is_begun;
    if (inbox->is_begun)
        return s_give_id (message, coming->peer);
    s.has_more = false;
    inbox->first++;
    zmq_msg_move (message, &coming->head);
    return (int) zmq_msg_size (message);
}

int zmq_msg_more (const zmq_msg_t *message) {
    (void) message;
    return s.has_more;
}

int zmq_recv (void *socket, void *bytes, size_t size, int flags) {
    (void) socket;
    (void) bytes;
    (void) size;
    (void) flags;
    return s_fail (EAGAIN); /* a door has nothing to say */
}

/* ---- Sockets ---------------------------------------------------------------------------------- */

void *zmq_socket (void *context, int type) {
    (void) context;
    static unsigned routers;
    if (s.sockets_count == SOCKETS_MAX)
        return NULL;
    s_socket_t *self = &s.sockets[s.sockets_count++];
    self->way = type == ZMQ_ROUTER ? (dw_way_t) routers++ : DW_WAYS;
    return self;
}

int zmq_close (void *socket) {
    (void) socket;
    return 0;
}

int zmq_bind (void *socket, const char *endpoint) {
    s_socket_t *self = socket;
    strncpy (self->bound, endpoint, sizeof self->bound - 1);
    return 0;
}

int zmq_connect (void *socket, const char *endpoint) {
    (void) socket;
    (void) endpoint;
    return 0;
}

int zmq_socket_monitor (void *socket, const char *endpoint, int events) {
    (void) socket;
    (void) endpoint;
    (void) events;
    return 0;
}

int zmq_ctx_shutdown (void *context) {
    (void) context;
    return 0;
}

int zmq_setsockopt (void *socket, int option, const void *value, size_t size) {
    s_socket_t *self = socket;
    if (option == ZMQ_ZAP_DOMAIN && size < sizeof self->domain)
        memcpy (self->domain, value, size);
    else if (size == sizeof (int))
        self->options[option] = *(const int *) value;
    else
        memcpy (&self->options[option], value, sizeof self->options[option]);
    return 0;
}

static int s_give_text (const char *text, void *value, size_t *size) {
    *size = strlen (text) + 1;
    memcpy (value, text, *size);
    return 0;
}

int zmq_getsockopt (void *socket, int option, void *value, size_t *size) {
    const s_socket_t *self = socket;
    if (option == ZMQ_ZAP_DOMAIN)
        return s_give_text (self->domain, value, size);
    if (option == ZMQ_LAST_ENDPOINT)
        return s_give_text (self->bound, value, size);
    if (*size == sizeof (int))
        *(int *) value = (int) self->options[option];
    else
        memcpy (value, &self->options[option], *size);
    return 0;
}

/* ---- Threads ---------------------------------------------------------------------------------- */

/* The coordinator alone runs, later: a door has nobody to count. */
int dw_actor_start (dw_actor_t *self, const char *name, size_t stack_bytes,
                    void *(*body) (void *args), void *args) {
    (void) stack_bytes;
    self->is_running = false;
    if (strcmp (name, "dw-coordinator") == 0) {
        s.body = body;
        s.args = args;
    }
    return DW_OK;
}

void dw_sockets_run (void) {
    s.body (s.args);
}

bool dw_actor_join (dw_actor_t *self, int64_t deadline_ns) {
    (void) self;
    (void) deadline_ns;
    return true;
}

void dw_actor_leave (dw_actor_t *self) {
    (void) self;
}

bool dw_actor_wait (void *const *sockets, unsigned sockets_count, int64_t spin_until_ns,
                    int64_t deadline_ns) {
    (void) sockets;
    (void) sockets_count;
    (void) spin_until_ns; /* what looking for messages would take is not told */
    return dw_world_wait (deadline_ns);
}

/* ---- The clock -------------------------------------------------------------------------------- */

int __real_clock_gettime (clockid_t clock, struct timespec *time);
int __wrap_clock_gettime (clockid_t clock, struct timespec *time);
int __wrap_nanosleep (const struct timespec *time, struct timespec *left);

int __wrap_clock_gettime (clockid_t clock, struct timespec *time) {
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime (clock, time);
    int64_t now_ns = dw_world_now_ns ();
    *time = (struct timespec){.tv_sec = now_ns / 1000000000, .tv_nsec = now_ns % 1000000000};
    return 0;
}

int __wrap_nanosleep (const struct timespec *time, struct timespec *left) {
    (void) left;
    dw_world_nap ((int64_t) time->tv_sec * 1000000000 + time->tv_nsec);
    return 0;
}
