/* solo.c - a solo that is honest but for one defect, for the conformance suite to find. It is a
 * loop around one socket, knows one processor, identity, and of a chain it does the first node. */

#include "tests/broken/peer.h"

#define NODES  2u
#define CREDIT 200u

typedef struct solo_t {
    peer_t peer;
    uint64_t cancelled[CREDIT];
    uint32_t cancelled_count;
    int64_t heartbeat_ns, silence_ns, beat_ns, heard_ns;
    bool is_welcome, is_over, is_lost, has_drained;
} solo_t;

static volatile sig_atomic_t s_is_drained;

static void s_on_signal (int number) {
    (void) number;
    s_is_drained = 1;
}

static void s_leave (solo_t *self) {
    peer_say (&self->peer, DW_WIRE_BYE);
    self->is_over = true;
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

static bool s_take_cancelled (solo_t *self, uint64_t ticket) {
    for (uint32_t i = 0; i < self->cancelled_count; i++)
        if (self->cancelled[i] == ticket) {
            self->cancelled[i] = self->cancelled[--self->cancelled_count];
            return true;
        }
    return false;
}

/* One record of an answer, up to what follows the duration. */
static void s_begin_answer (solo_t *self, uint64_t ticket, uint32_t told, uint32_t kind) {
    dw_writer_t *head = &self->peer.out.head;
    if (head->count == 0)
        peer_begin (&self->peer, DW_WIRE_ANSWERS);
    dw_write_uint (head, ticket);
    dw_write_uint (head, told);
    dw_write_uint (head, kind);
    dw_write_uint (head, 1000);
}

static void s_answer (solo_t *self, uint64_t ticket, uint32_t steps, const uint8_t *bytes,
                      size_t size) {
    dw_writer_t *head = &self->peer.out.head;
    bool is_done = steps == 1 || has ("takes-a-chain-for-one");
    s_begin_answer (self, ticket, 0, is_done ? DW_WIRE_DONE : DW_WIRE_MORE);
    dw_write_uint (head, 1);
    dw_write_bin (head, bytes, size);
    dw_write_nil (head);
    if (!is_done && !has ("keeps-later-steps"))
        s_begin_answer (self, ticket, 1, DW_WIRE_RETURNED);
}

/* Reads a task and answers for it. False: it makes no sense. */
static bool s_do_task (solo_t *self, uint64_t ticket) {
    dw_wire_reader_t *reader = &self->peer.reader;
    dw_wire_task_t task;
    zmq_msg_t *frame;
    size_t size = 0;
    if (!dw_read_task (reader, &task) || task.node >= NODES || task.steps < 1 || task.payload.place)
        return false;
    const uint8_t *bytes = dw_message_resolve (&self->peer.in, 0, &task.payload, reader, &size,
                                               &frame);
    for (uint32_t i = 0; i < task.dependencies_count; i++) {
        dw_read_ref (reader);
        dw_read_ref (reader);
    }
    if (!bytes || reader->is_damaged)
        return false;
    if (s_take_cancelled (self, ticket))
        s_begin_answer (self, ticket, 0, DW_WIRE_RETURNED);
    else if (size > (2u << 20)) {
        s_begin_answer (self, ticket, 0, DW_WIRE_FAILED);
        dw_write_uint (&self->peer.out.head, 413);
        dw_write_str (&self->peer.out.head, "too large", 9);
    } else
        s_answer (self, ticket, task.steps, bytes, size);
    return true;
}

static void s_on_tasks (solo_t *self) {
    uint64_t ticket = dw_read_uint (&self->peer.reader);
    bool makes_sense = true;
    while (makes_sense && dw_wire_reader_has_more (&self->peer.reader))
        makes_sense = s_do_task (self, ticket++);
    if (self->peer.out.head.count)
        peer_send (&self->peer);
    if (!makes_sense && !has ("stays-when-told-nonsense"))
        s_leave (self);
}

/* ---- The connection --------------------------------------------------------------------------- */

static void s_say_hello (solo_t *self, uint64_t incarnation) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    static uint8_t uuid[DW_WIRE_UUID_SIZE] = "a broken solo";
    int pid = getpid ();
    dw_writer_t *head = &self->peer.out.head;
    memcpy (uuid, &pid, sizeof pid);
    peer_hello (&self->peer, DW_WIRE_SOLO, no_token, 0, has ("no-credit") ? 0 : CREDIT);
    dw_write_agent (head, &(dw_wire_agent_t){.uuid = uuid,
                                             .incarnation = incarnation,
                                             .slots = has ("several-slots") ? 3 : 1,
                                             .pid = (uint64_t) pid,
                                             .host = "here",
                                             .host_size = 4,
                                             .processors_count = 1});
    dw_write_str (head, "identity", 8);
    dw_write_array (head, 0);
    peer_send (&self->peer);
}

static void s_on_welcome (solo_t *self) {
    dw_wire_reader_t *reader = &self->peer.reader;
    self->peer.number = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t silence_ms = dw_read_uint_max (reader, UINT32_MAX);
    dw_read_uint (reader);
    dw_read_ref (reader); /* its nodes, which it knows */
    self->is_welcome = !reader->is_damaged && dw_wire_is_pulse (heartbeat_ms, silence_ms);
    self->is_over = !self->is_welcome;
    self->heartbeat_ns = (int64_t) heartbeat_ms * 1000000;
    self->silence_ns = (int64_t) silence_ms * 1000000;
}

static void s_on_cancel (solo_t *self) {
    uint64_t ticket = dw_read_uint (&self->peer.reader);
    bool is_of_later_steps = !self->peer.reader.is_damaged &&
                             dw_wire_reader_has_more (&self->peer.reader) &&
                             dw_read_uint (&self->peer.reader) > 0;
    if (!self->peer.reader.is_damaged && self->cancelled_count < CREDIT && !is_of_later_steps)
        self->cancelled[self->cancelled_count++] = ticket;
}

static void s_on_message (solo_t *self) {
    self->heard_ns = dw_clock_ns ();
    if (!self->is_welcome) {
        if (self->peer.type == DW_WIRE_WELCOME)
            s_on_welcome (self);
        else
            self->is_over = true;
        return;
    }
    switch (self->peer.type) {
        case DW_WIRE_TASKS: s_on_tasks (self); break;
        case DW_WIRE_CANCEL: s_on_cancel (self); break;
        case DW_WIRE_REPLACE:
            dw_read_uint (&self->peer.reader);
            self->is_lost = !self->peer.reader.is_damaged;
            break;
        case DW_WIRE_STOP: s_leave (self); break;
        case DW_WIRE_REFUSED: self->is_over = true; break;
        default: break;
    }
}

static void s_look_at_time (solo_t *self) {
    int64_t now_ns = dw_clock_ns ();
    self->is_lost |= now_ns - self->heard_ns >= self->silence_ns;
    if (self->is_welcome && now_ns >= self->beat_ns && !self->is_over) {
        self->beat_ns = now_ns + self->heartbeat_ns;
        peer_say (&self->peer, DW_WIRE_BEAT);
    }
    if (self->is_welcome && s_is_drained && !self->has_drained) {
        peer_say (&self->peer, DW_WIRE_DRAIN);
        self->has_drained = true;
    }
}

int main (int argc, char **argv) {
    if (argc != 3)
        return 64;
    defect = argv[1];
    void *context = zmq_ctx_new ();
    bool is_over = false;
    sigaction (SIGTERM, &(struct sigaction){.sa_handler = s_on_signal}, NULL);
    for (uint64_t incarnation = 1; !is_over; incarnation++) {
        solo_t self = {.peer = peer_connect (context, argv[2]),
                       .silence_ns = INT64_C (3000000000),
                       .heard_ns = dw_clock_ns ()};
        s_say_hello (&self, incarnation);
        while (!self.is_over && !self.is_lost) {
            zmq_pollitem_t item = {.socket = self.peer.socket, .events = ZMQ_POLLIN};
            zmq_poll (&item, 1, 20);
            while (!self.is_over && peer_take (&self.peer))
                s_on_message (&self);
            s_look_at_time (&self);
        }
        is_over = self.is_over || s_is_drained;
        peer_close (&self.peer);
    }
    zmq_ctx_term (context);
    return 0;
}
