/* ghost.c - a worker process of which an earlier incarnation goes on talking. */

#include "tests/chaos/ghost.h"

#include <stdlib.h>
#include <string.h>

#include "actors/message.h"
#include "tests/chaos/load.h"
#include "tests/support/agent_hello.h"
#include "tests/support/process.h"
#include "tests/support/random.h"

#define REPLY_MS 3000
#define HAUNT_MS 300
#define CREDIT   100u

/* What an incarnation was told. */
typedef struct s_told_t {
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    uint32_t number; /* of its first slot */
} s_told_t;

struct ghost_t {
    const char *endpoint;
    void *context;
    void *agents[2]; /* the last connection, and the one before, which stays open */
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint32_t slots;
    s_told_t last, before;
    dw_packet_t out;
    dw_message_t in;
    dw_wire_reader_t reader; /* of the message that came in, behind its type */
};

static void *s_connect (const ghost_t *self) {
    int linger_ms = 0;
    void *socket = zmq_socket (self->context, ZMQ_DEALER);
    zmq_setsockopt (socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_connect (socket, self->endpoint);
    return socket;
}

/* The type of the next message; DW_WIRE_TYPES: none comes in time. */
static uint32_t s_receive (ghost_t *self, void *socket, long timeout_ms) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zmq_poll (&item, 1, timeout_ms) != 1 || dw_message_receive (&self->in, socket))
        return DW_WIRE_TYPES;
    self->reader = dw_wire_reader (zmq_msg_data (&self->in.frames[0]),
                                   zmq_msg_size (&self->in.frames[0]));
    return dw_read_uint_max (&self->reader, DW_WIRE_TYPES);
}

ghost_t *ghost_new (const char *endpoint, uint32_t slots, uint64_t seed) {
    ghost_t *self = calloc (1, sizeof *self);
    random_t random = random_from (seed);
    self->endpoint = endpoint;
    self->slots = slots;
    self->context = zmq_ctx_new ();
    for (size_t i = 0; i < sizeof self->uuid; i++)
        self->uuid[i] = (uint8_t) random_next (&random);
    return self;
}

void ghost_destroy (ghost_t **self_p) {
    ghost_t *self = *self_p;
    if (!self)
        return;
    for (int i = 0; i < 2; i++)
        if (self->agents[i])
            zmq_close (self->agents[i]);
    zmq_ctx_term (self->context);
    dw_packet_free (&self->out);
    dw_message_free (&self->in);
    free (self);
    *self_p = NULL;
}

bool ghost_come (ghost_t *self, uint64_t incarnation) {
    dw_wire_agent_t agent = {.uuid = self->uuid,
                             .incarnation = incarnation,
                             .slots = self->slots,
                             .pid = 1,
                             .host = "ghost",
                             .host_size = strlen ("ghost")};
    dw_wire_welcome_t welcome;
    void *socket = s_connect (self);
    dw_processors_t *processors = load_processors ();
    agent_hello_write (&self->out.head, agent, processors);
    dw_processors_destroy (&processors);
    dw_packet_send (&self->out, socket, NULL, 0);
    if (s_receive (self, socket, REPLY_MS) != DW_WIRE_WELCOME ||
        !dw_read_welcome (&self->reader, &welcome)) {
        zmq_close (socket);
        return false;
    }
    if (self->agents[1])
        zmq_close (self->agents[1]);
    self->agents[1] = self->agents[0];
    self->agents[0] = socket;
    self->before = self->last;
    memcpy (self->last.token, welcome.token, sizeof self->last.token);
    self->last.number = dw_read_uint_max (&self->reader, UINT32_MAX);
    return true;
}

static void s_answer_nonsense (ghost_t *self, void *socket, uint32_t peer) {
    static const char payload[] = "\xa5ghost"; /* in msgpack */
    dw_writer_t *head = &self->out.head;
    dw_write_uint (head, DW_WIRE_ANSWERS);
    dw_write_uint (head, peer);
    dw_write_uint (head, dw_read_uint (&self->reader)); /* the ticket of the first task */
    dw_write_uint (head, 0);
    dw_write_uint (head, DW_WIRE_DONE);
    dw_write_uint (head, 1000);
    dw_write_uint (head, 1);
    dw_packet_add (&self->out, payload, strlen (payload), NULL);
    dw_write_nil (head);
    dw_packet_send (&self->out, socket, NULL, 0);
}

bool ghost_intrude (ghost_t *self, bool is_of_last) {
    const s_told_t *told = is_of_last ? &self->last : &self->before;
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_WORKER,
                             .token = told->token,
                             .number = told->number,
                             .credit = CREDIT};
    void *socket = s_connect (self);
    dw_write_hello (&self->out.head, &hello);
    dw_packet_send (&self->out, socket, NULL, 0);
    bool is_welcome = s_receive (self, socket, REPLY_MS) == DW_WIRE_WELCOME;
    uint32_t peer = is_welcome ? dw_read_uint_max (&self->reader, UINT32_MAX) : 0;
    for (int64_t until_ms = now_ms () + HAUNT_MS; is_welcome && now_ms () < until_ms;)
        if (s_receive (self, socket, 10) == DW_WIRE_TASKS)
            s_answer_nonsense (self, socket, peer);
    zmq_close (socket);
    return is_welcome;
}
