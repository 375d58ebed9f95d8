/* coordinator.c - a coordinator with one defect, for the conformance suite to find: a relay before
 * an honest one, which changes what goes by. Its words: the defect, where it listens, where the
 * honest one does. It ends when its standard input does. */

#include <poll.h>

#include "tests/broken/peer.h"

#define LINES_MAX 512u

typedef struct line_t {
    uint8_t id[16]; /* of the caller */
    size_t id_size;
    void *dealer; /* to the honest one */
} line_t;

typedef struct relay_t {
    void *context, *router;
    const char *honest;
    line_t lines[LINES_MAX];
    uint32_t count;
} relay_t;

static line_t *s_line (relay_t *self, const void *id, size_t size) {
    for (uint32_t i = 0; i < self->count; i++)
        if (self->lines[i].id_size == size && memcmp (self->lines[i].id, id, size) == 0)
            return &self->lines[i];
    if (self->count == LINES_MAX || size > sizeof self->lines[0].id)
        return NULL;
    line_t *line = &self->lines[self->count++];
    memcpy (line->id, id, size);
    line->id_size = size;
    line->dealer = peer_connect (self->context, self->honest).socket;
    return line;
}

/* ---- What is changed -------------------------------------------------------------------------- */

/* Where the n-th value behind the type of a HELLO begins, of which those before oldest have one
 * byte each but the word. */
#define VERSION_AT 9
#define ROLE_AT    11

/* What a caller says; false: it is lost. */
static bool s_change_said (uint8_t *head, size_t size) {
    if (size == 0)
        return true;
    bool is_hello = head[0] == DW_WIRE_HELLO && size > ROLE_AT + 18 && head[1] == 0xa7;
    if (is_hello && has ("takes-any-version"))
        head[VERSION_AT] = head[VERSION_AT + 1] = DW_WIRE_VERSION;
    if (is_hello && has ("lets-the-owner-in") && head[ROLE_AT] == DW_WIRE_OWNER)
        head[ROLE_AT] = DW_WIRE_CLIENT;
    if (is_hello && has ("overruns-credit") && head[ROLE_AT] == DW_WIRE_WORKER)
        head[size - 1] = 100;
    if (has ("ignores-abort") && head[0] == DW_WIRE_ABORT)
        return false;
    if (has ("ignores-ended") && head[0] == DW_WIRE_ENDED)
        return false;
    return !(has ("ignores-drain") && head[0] == DW_WIRE_DRAIN);
}

/* What the honest one says; false: it is lost. */
static bool s_change_answer (uint8_t *head, size_t size, bool *twice_p) {
    *twice_p = size && head[0] == DW_WIRE_RESULTS && size > 1 && has ("results-twice");
    if (size == 0)
        return true;
    if (has ("never-beats") && head[0] == DW_WIRE_BEAT)
        return false;
    if (has ("cancels-nobody") && head[0] == DW_WIRE_CANCEL)
        return false;
    if (has ("replaces-nobody") && head[0] == DW_WIRE_REPLACE)
        return false;
    if (has ("refuses-by-another-code") && head[0] == DW_WIRE_REFUSED && size > 3 &&
        head[1] == 0xcd)
        head[3] ^= 1;
    return true;
}

/* ---- The relay -------------------------------------------------------------------------------- */

static void s_send (void *socket, const line_t *to, dw_message_t *message, uint32_t first) {
    if (to)
        dw_message_send_copies (message->frames + first, message->count - first, socket, to->id,
                                to->id_size);
    else
        dw_message_send_copies (message->frames + first, message->count - first, socket, NULL, 0);
}

static void s_from_caller (relay_t *self) {
    dw_message_t message = {0};
    while (dw_message_receive (&message, self->router) == DW_OK) {
        line_t *line = s_line (self, zmq_msg_data (&message.frames[0]),
                               zmq_msg_size (&message.frames[0]));
        if (line && message.count > 1 &&
            s_change_said (zmq_msg_data (&message.frames[1]), zmq_msg_size (&message.frames[1])))
            s_send (line->dealer, NULL, &message, 1);
    }
    dw_message_free (&message);
}

static void s_from_honest (relay_t *self, line_t *line) {
    dw_message_t message = {0};
    while (dw_message_receive (&message, line->dealer) == DW_OK) {
        bool twice;
        if (!s_change_answer (zmq_msg_data (&message.frames[0]), zmq_msg_size (&message.frames[0]),
                              &twice))
            continue;
        s_send (self->router, line, &message, 0);
        if (twice)
            s_send (self->router, line, &message, 0);
    }
    dw_message_free (&message);
}

int main (int argc, char **argv) {
    static zmq_pollitem_t items[LINES_MAX + 2];
    static relay_t self;
    if (argc != 4)
        return 64;
    defect = argv[1];
    self.context = zmq_ctx_new ();
    self.router = zmq_socket (self.context, ZMQ_ROUTER);
    self.honest = argv[3];
    if (zmq_bind (self.router, argv[2]))
        return 1;
    for (;;) {
        items[0] = (zmq_pollitem_t){.socket = self.router, .events = ZMQ_POLLIN};
        items[1] = (zmq_pollitem_t){.fd = STDIN_FILENO, .events = ZMQ_POLLIN};
        for (uint32_t i = 0; i < self.count; i++)
            items[i + 2] = (zmq_pollitem_t){.socket = self.lines[i].dealer, .events = ZMQ_POLLIN};
        zmq_poll (items, (int) self.count + 2, -1);
        char byte;
        if (items[1].revents && read (STDIN_FILENO, &byte, 1) <= 0)
            break;
        s_from_caller (&self);
        for (uint32_t i = 0; i < self.count; i++)
            s_from_honest (&self, &self.lines[i]);
    }
    for (uint32_t i = 0; i < self.count; i++)
        zmq_close (self.lines[i].dealer);
    zmq_close (self.router);
    zmq_ctx_term (self.context);
    return 0;
}
