/* pretender.c - a client that asks for what there is not. */

#include "tests/simulated/pretender.h"

#include <string.h>

#include "actors/message.h"
#include "tests/simulated/fibers.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"

#define MS         INT64_C (1000000)
#define QUESTIONS  16u
#define CONNECTS   4u         /* so often at most */
#define WELCOME_NS (400 * MS) /* until who is not welcome tries anew */
#define ANSWER_NS  (250 * MS) /* for how long it waits for one: its line may be cut */
#define PAUSE_NS   (25 * MS)
#define RUNS_KNOWN 12u /* numbers that others have given to runs of theirs */

typedef struct s_self_t {
    const pretender_t *options;
    void *context, *socket;
    dw_message_t in;
    dw_packet_t out;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    uint32_t peer;
    uint32_t run;                  /* the number that it has given last, */
    uint32_t codes[QUESTIONS + 1]; /* and with what each is to be refused; 0: it is not answered */
    bool has_session, is_welcome, is_answered;
} s_self_t;

/* ---- Questions -------------------------------------------------------------------------------- */

/* Just behind the last one, or far away. */
static uint32_t s_no_node (const s_self_t *self) {
    random_t *random = fibers_random ();
    verdict->unknown_nodes++;
    return random_one_in (random, 2) ? self->options->nodes_count
                                     : UINT32_MAX - random_below (random, 9);
}

/* An own number, for what is to be refused. */
static void s_write_number (s_self_t *self, uint32_t code) {
    self->codes[++self->run] = code;
    dw_write_uint (&self->out.head, self->run);
}

/* A run of which a node is to be given that there is not. */
static void s_ask_for_node (s_self_t *self, bool is_detached) {
    dw_writer_t *head = &self->out.head;
    bool has_other = self->options->nodes_count > 0 && random_one_in (fibers_random (), 2);
    dw_write_uint (head, is_detached ? DW_WIRE_DETACH : DW_WIRE_SUBMIT);
    dw_write_uint (head, self->peer);
    s_write_number (self, is_detached && !self->has_session ? 0 : 400);
    dw_write_bin (head, "\xc0", 1);
    dw_write_uint (head, 0);
    dw_write_array (head, 1 + has_other);
    if (has_other)
        dw_write_uint (head, 0);
    dw_write_uint (head, s_no_node (self));
}

/* A run that nobody has detached. */
static void s_ask_for_name (s_self_t *self) {
    dw_writer_t *head = &self->out.head;
    random_t *random = fibers_random ();
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    bool is_own = random_one_in (random, 2);
    for (size_t i = 0; i < sizeof uuid; i++)
        uuid[i] = is_own ? self->uuid[i] : (uint8_t) random_next (random);
    verdict->unknown_runs++;
    dw_write_uint (head, DW_WIRE_CLAIM);
    dw_write_uint (head, self->peer);
    s_write_number (self, self->has_session ? 404 : 0);
    dw_write_bin (head, uuid, sizeof uuid);
    dw_write_uint (head, 1 + random_below (random, RUNS_KNOWN));
}

/* That a run ends which is another's, if it is at all; or a node of it that may not be there
 * either. */
static void s_ask_for_end (s_self_t *self) {
    dw_writer_t *head = &self->out.head;
    random_t *random = fibers_random ();
    verdict->unknown_runs++;
    dw_write_uint (head, DW_WIRE_ABORT);
    dw_write_uint (head, self->peer);
    dw_write_uint (head, random_one_in (random, 4) ? random_next (random)
                                                   : random_below (random, RUNS_KNOWN + 1));
    if (random_one_in (random, 4))
        dw_write_uint (head, s_no_node (self));
    else if (random_one_in (random, 2))
        dw_write_uint (head, random_below (random, self->options->nodes_count + 1));
}

static void s_ask (s_self_t *self) {
    uint32_t before = self->run;
    verdict->lies++;
    switch (random_below (fibers_random (), 4)) {
        case 0: s_ask_for_node (self, false); break;
        case 1: s_ask_for_node (self, true); break;
        case 2: s_ask_for_name (self); break;
        default: s_ask_for_end (self); break;
    }
    self->is_answered = self->run == before || self->codes[self->run] == 0;
    dw_packet_send (&self->out, self->socket, NULL, 0);
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_on_refused (s_self_t *self, dw_wire_reader_t *reader) {
    size_t size;
    uint32_t code = dw_read_uint_max (reader, 999);
    dw_read_str (reader, 4096, &size);
    uint64_t run = dw_read_uint (reader);
    if (run == 0)
        self->is_welcome = false; /* not now, or not here any more */
    else if (run > self->run || (code != 503 && code != self->codes[run]))
        verdict_fail ("%s asked for what there is not, and is refused with %u",
                      fibers_process ()->name, (unsigned) code);
    self->is_answered |= run == self->run;
}

static void s_on_message (s_self_t *self) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&self->in.frames[0]),
                                              zmq_msg_size (&self->in.frames[0]));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (type == DW_WIRE_WELCOME) {
        self->peer = dw_read_uint_max (&reader, UINT32_MAX);
        self->is_welcome = true;
    } else if (type == DW_WIRE_REFUSED)
        s_on_refused (self, &reader);
    else if (type == DW_WIRE_STOP)
        self->is_welcome = false;
    else if (type != DW_WIRE_BEAT && (type != DW_WIRE_RESULTS || dw_wire_reader_has_more (&reader)))
        verdict_fail ("%s asked for what there is not, and is sent message %u",
                      fibers_process ()->name, (unsigned) type);
}

/* Until it is welcome, or has its answer, or a time is over. */
static void s_listen (s_self_t *self, const bool *has_come, int64_t until_ns) {
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    while (!*has_come && fibers_now_ns () < until_ns) {
        int64_t left_ns = until_ns - fibers_now_ns ();
        zmq_poll (&item, 1, (long) ((left_ns + MS - 1) / MS));
        while (dw_message_receive (&self->in, self->socket) == DW_OK)
            s_on_message (self);
    }
}

/* ---- All of it -------------------------------------------------------------------------------- */

static void s_disconnect (s_self_t *self) {
    if (self->socket)
        zmq_close (self->socket);
    self->socket = NULL;
    self->is_welcome = false;
}

static void s_connect (s_self_t *self) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    int linger_ms = 1000, never = -1;
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_CLIENT,
                             .token = no_token};
    dw_wire_identity_t identity = {.uuid = self->uuid, .incarnation = ++self->incarnation};
    s_disconnect (self);
    self->socket = zmq_socket (self->context, ZMQ_DEALER);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (self->socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
    zmq_connect (self->socket, self->options->endpoint);
    dw_write_hello (&self->out.head, &hello);
    if (self->has_session)
        dw_write_identity (&self->out.head, &identity);
    dw_packet_send (&self->out, self->socket, NULL, 0);
    s_listen (self, &self->is_welcome, fibers_now_ns () + WELCOME_NS);
}

static void s_leave (s_self_t *self) {
    if (!self->is_welcome)
        return;
    dw_write_uint (&self->out.head, DW_WIRE_BYE);
    dw_write_uint (&self->out.head, self->peer);
    dw_packet_send (&self->out, self->socket, NULL, 0);
}

void pretender_main (const pretender_t *options) {
    s_self_t self = {.options = options,
                     .context = zmq_ctx_new (),
                     .has_session = random_one_in (fibers_random (), 2)};
    uint32_t connects = 0;
    for (size_t i = 0; i < sizeof self.uuid; i++)
        self.uuid[i] = (uint8_t) random_next (fibers_random ());
    for (uint32_t i = 0; i < QUESTIONS && !*options->is_closing; i++) {
        while (!self.is_welcome && connects++ < CONNECTS)
            s_connect (&self);
        if (!self.is_welcome)
            break;
        s_ask (&self);
        s_listen (&self, &self.is_answered, fibers_now_ns () + ANSWER_NS);
        if (!self.is_answered)
            s_disconnect (&self);
        fibers_sleep (random_between (fibers_random (), 0, PAUSE_NS));
    }
    s_leave (&self);
    s_disconnect (&self);
    dw_packet_free (&self.out);
    dw_message_free (&self.in);
    zmq_ctx_term (self.context);
}
