/* client.c - a client that is honest but for one defect, for the conformance suite to find. It
 * submits three runs and waits for their results. */

#include "actors/result.h"
#include "tests/broken/peer.h"

#define RUNS        3u
#define SLOT        32u
#define PAYLOAD_MAX (1u << 24)
#define LOOK_MS     20
#define WAIT_NS     INT64_C (3000000000)
#define AGAIN_NS    INT64_C (5000000000)

typedef struct client_t {
    void *context;
    const char *endpoint;
    peer_t peer, forgotten; /* its connection; the one before, of who looks there, too */
    uint64_t incarnation;
    uint8_t uuid[DW_WIRE_UUID_SIZE], session[DW_WIRE_UUID_SIZE];
    bool has_session, is_welcome, is_over, is_cut;
    uint32_t runs_max;
    bool is_submitted[RUNS + 1], is_ended[RUNS + 1];
    int64_t heartbeat_ns, silence_ns, heard_ns, asked_ns;
} client_t;

/* When it heard of its coordinator, by the clock that it goes by. */
static int64_t s_hearing_ns (void) {
    return peer_clock_ns (has ("hears-by-the-wall-clock"));
}

static uint32_t s_left (const client_t *self, bool submitted) {
    uint32_t count = 0;
    for (uint32_t run = 1; run <= RUNS; run++)
        count += !self->is_ended[run] && self->is_submitted[run] == submitted;
    return count;
}

static void s_submit (client_t *self) {
    static const uint8_t payload[] = {0xa5, 'h', 'e', 'l', 'l', 'o'};
    dw_writer_t *head = &self->peer.out.head;
    uint32_t runs_max = has ("too-many-in-flight") ? RUNS : self->runs_max;
    for (uint32_t run = 1; run <= RUNS && s_left (self, true) < runs_max; run++) {
        if (self->is_submitted[run] || self->is_ended[run])
            continue;
        uint32_t number = self->peer.number;
        self->peer.number += has ("wrong-number");
        peer_begin (&self->peer, DW_WIRE_SUBMIT);
        self->peer.number = number;
        dw_write_uint (head, run - (has ("counts-from-zero") ? 1 : 0));
        dw_write_bin (head, payload, sizeof payload - (has ("cuts-its-payload") ? 1 : 0));
        dw_write_uint (head, 0);
        dw_write_nil (head);
        peer_send (&self->peer);
        self->is_submitted[run] = true;
    }
}

static void s_on_welcome (client_t *self) {
    dw_wire_reader_t *reader = &self->peer.reader;
    size_t size;
    zmq_msg_t *frame;
    uint32_t number = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t runs_max = dw_read_uint_max (reader, UINT32_MAX);
    dw_read_uint (reader);
    dw_ref_t ref = dw_read_ref (reader);
    const uint8_t *ids = dw_message_resolve (&self->peer.in, 0, &ref, reader, &size, &frame);
    dw_roster_t *roster = NULL;
    bool makes_sense = ids && dw_roster_new (&roster, ids, size) == DW_OK;
    dw_roster_release (&roster);
    uint32_t heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t silence_ms = dw_read_uint_max (reader, UINT32_MAX);
    dw_read_str (reader, 255, &size);
    const uint8_t *session = dw_read_bin (reader, DW_WIRE_UUID_SIZE, &size);
    if (!makes_sense || reader->is_damaged || size != DW_WIRE_UUID_SIZE ||
        !dw_wire_is_pulse (heartbeat_ms, silence_ms)) {
        self->is_over = true;
        return;
    }
    if (self->has_session && memcmp (session, self->session, sizeof self->session) != 0 &&
        !has ("believes-any-session")) {
        self->is_over = true; /* its runs are lost */
        return;
    }
    memcpy (self->session, session, sizeof self->session);
    for (uint32_t run = 1; run <= RUNS; run++)
        self->is_submitted[run] = false;
    self->has_session = self->is_welcome = true;
    self->peer.number = number;
    self->runs_max = runs_max;
    self->heartbeat_ns = (int64_t) heartbeat_ms * 1000000;
    self->silence_ns = (int64_t) silence_ms * 1000000;
    s_submit (self);
}

/* Looks at what a result says, as far as this client believes it. */
static void s_look_at_table (client_t *self, const dw_wire_result_t *record) {
    size_t size = 0;
    zmq_msg_t *frame;
    const uint8_t *table = dw_message_resolve (&self->peer.in, 0, &record->table,
                                               &self->peer.reader, &size, &frame);
    if (table && size >= SLOT && table[1] == 3 && has ("follows-any-offset") && table[15] == 0xff)
        abort (); /* where it has nothing to read */
    const uint8_t *blob = dw_message_resolve (&self->peer.in, 0, &record->blob, &self->peer.reader,
                                              &size, &frame);
    if (blob && size > PAYLOAD_MAX && has ("has-room-for-so-much"))
        abort (); /* where it has no room for more */
}

static void s_on_results (client_t *self) {
    dw_wire_reader_t *reader = &self->peer.reader;
    while (dw_wire_reader_has_more (reader)) {
        dw_wire_result_t record;
        if (!dw_read_result (reader, &record))
            return;
        for (uint32_t i = 0; i < record.outputs_count; i++)
            dw_read_uint (reader);
        s_look_at_table (self, &record);
        if (record.run >= 1 && record.run <= RUNS && !reader->is_damaged &&
            (self->is_welcome || !has ("forgets-what-came-before-welcome")))
            self->is_ended[record.run] = true;
        if (has ("takes-any-result") && record.run > RUNS)
            self->is_ended[1] = self->is_ended[2] = self->is_ended[3] = true;
    }
    if (self->is_welcome)
        s_submit (self);
}

static void s_on_refused (client_t *self) {
    size_t size;
    dw_read_uint (&self->peer.reader);
    dw_read_str (&self->peer.reader, 4096, &size);
    uint64_t run = dw_read_uint (&self->peer.reader);
    if (run == 0 || run > RUNS)
        self->is_over = !has ("stays-when-refused");
    else if (!has ("waits-for-what-is-refused"))
        self->is_ended[run] = true;
}

static void s_on_message (client_t *self) {
    self->heard_ns = s_hearing_ns ();
    self->asked_ns = 0;
    switch (self->peer.type) {
        case DW_WIRE_WELCOME: s_on_welcome (self); break;
        case DW_WIRE_RESULTS: s_on_results (self); break;
        case DW_WIRE_REFUSED: s_on_refused (self); break;
        case DW_WIRE_STOP: self->is_over = !has ("stays-when-stopped"); break;
        default: break;
    }
}

/* ---- The loop --------------------------------------------------------------------------------- */

static void s_come (client_t *self) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    if (has ("obeys-the-forgotten")) {
        peer_close (&self->forgotten);
        self->forgotten = self->peer;
        self->peer = (peer_t){0};
    }
    peer_close (&self->peer);
    self->peer = peer_connect (self->context, self->endpoint);
    self->is_welcome = self->is_cut = false;
    self->heard_ns = s_hearing_ns ();
    self->asked_ns = 0;
    peer_hello (&self->peer, DW_WIRE_CLIENT, no_token, 0, 0);
    dw_write_identity (
        &self->peer.out.head,
        &(dw_wire_identity_t){.uuid = self->uuid, .incarnation = ++self->incarnation});
    peer_send (&self->peer);
    if (has ("talks-before-welcome"))
        peer_say (&self->peer, DW_WIRE_STATUS);
}

static void s_look_for_silence (client_t *self, int64_t now_ns) {
    if (!self->is_welcome) {
        self->is_over |= now_ns - self->heard_ns >= (self->has_session ? AGAIN_NS : WAIT_NS);
        return;
    }
    if (now_ns - self->heard_ns >= self->silence_ns && !has ("waits-for-ever"))
        s_come (self);
    else if (!self->asked_ns && now_ns - self->heard_ns >= self->heartbeat_ns) {
        self->asked_ns = now_ns;
        if (!has ("never-beats"))
            peer_say (&self->peer, DW_WIRE_BEAT);
    }
}

int main (int argc, char **argv) {
    if (argc != 3)
        return 64;
    defect = argv[1];
    client_t self = {.context = zmq_ctx_new (), .endpoint = argv[2], .uuid = "a broken client"};
    int pid = getpid ();
    memcpy (self.uuid, &pid, sizeof pid);
    s_come (&self);
    while (!self.is_over && s_left (&self, true) + s_left (&self, false) > 0) {
        zmq_pollitem_t item = {.socket = self.peer.socket, .events = ZMQ_POLLIN};
        zmq_poll (&item, 1, LOOK_MS);
        while (!self.is_over && peer_take (&self.peer))
            s_on_message (&self);
        while (peer_take (&self.forgotten))
            self.is_over |= self.forgotten.type == DW_WIRE_STOP;
        s_look_for_silence (&self, s_hearing_ns ());
    }
    if (self.is_welcome && !has ("no-bye"))
        peer_say (&self.peer, DW_WIRE_BYE);
    peer_close (&self.peer);
    peer_close (&self.forgotten);
    zmq_ctx_term (self.context);
    return 0;
}
