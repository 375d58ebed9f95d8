/* worker.c - a worker that is honest but for one defect, for the conformance suite to find. It is a
 * loop around three sockets, and knows one processor, identity, and the graph of the suite by
 * heart: a chain of two nodes; with one defect sleep, too, whose node comes between them. */

#include "tests/broken/peer.h"

#define SLOTS       2u
#define NODES       2u
#define SLOW        1u /* where it knows sleep: */
#define SLOW_NS     INT64_C (300000000)
#define TOGETHER    4096u
#define CREDIT      100u
#define TASKS_TAKEN 20u /* by the one that takes less than it says */
#define MANY_SLOTS  100000000u
#define PAYLOAD_MAX (2u << 20)

typedef struct slot_t {
    peer_t peer;
    uint32_t index;
    uint8_t *places[DW_WIRE_PLACES];
    size_t sizes[DW_WIRE_PLACES];
    uint64_t cancelled[TOGETHER];
    uint32_t cancelled_count;
    int64_t heard_ns;
    uint32_t answered; /* ever */
    bool is_over;
} slot_t;

typedef struct worker_t {
    void *context;
    const char *endpoint;
    peer_t agent, forgotten; /* its connection; the one before, of who looks there, too */
    slot_t *slots[SLOTS];
    uint32_t numbers[SLOTS];
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    int64_t heartbeat_ns, silence_ns, beat_ns, heard_ns, looked_ns;
    uint64_t incarnation;
    bool is_lost, is_told;
} worker_t;

static volatile sig_atomic_t s_is_drained;

static void s_on_signal (int number) {
    (void) number;
    s_is_drained = 1;
}

static void s_beat_if_due (worker_t *self);

/* When it heard of its coordinator, by the clock that it goes by. */
static int64_t s_hearing_ns (void) {
    return peer_clock_ns (has ("hears-by-the-wall-clock") || has ("forgives-a-jump"));
}

static uint32_t s_nodes (void) {
    return has ("times-by-the-wall-clock") ? NODES + 1 : NODES;
}

/* ---- A slot ----------------------------------------------------------------------------------- */

static slot_t *s_slot_new (worker_t *self, uint32_t index) {
    slot_t *slot = calloc (1, sizeof *slot);
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    memcpy (token, self->token, sizeof token);
    token[0] ^= has ("wrong-token");
    slot->peer = peer_connect (self->context, self->endpoint);
    slot->index = index;
    slot->heard_ns = dw_clock_ns ();
    peer_hello (&slot->peer, DW_WIRE_WORKER, token, self->numbers[index], CREDIT);
    peer_send (&slot->peer);
    return slot;
}

static void s_slot_free (slot_t **slot_p) {
    slot_t *slot = *slot_p;
    if (!slot)
        return;
    for (uint32_t i = 0; i < DW_WIRE_PLACES; i++)
        free (slot->places[i]);
    peer_close (&slot->peer);
    free (slot);
    *slot_p = NULL;
}

static void s_leave (slot_t *slot) {
    if (!has ("no-bye"))
        peer_say (&slot->peer, DW_WIRE_BYE);
    slot->is_over = true;
}

static bool s_take_cancelled (slot_t *slot, uint64_t ticket) {
    for (uint32_t i = 0; i < slot->cancelled_count; i++)
        if (slot->cancelled[i] == ticket) {
            slot->cancelled[i] = slot->cancelled[--slot->cancelled_count];
            return true;
        }
    return false;
}

/* The bytes of a payload, of which some are kept. NULL: there are none. */
static const uint8_t *s_resolve (slot_t *slot, const dw_ref_t *ref, size_t *size_p) {
    zmq_msg_t *frame;
    uint32_t place = ref->place - 1;
    if (ref->place && !ref->frame) {
        *size_p = slot->sizes[place];
        return slot->places[place];
    }
    const uint8_t *bytes = dw_message_resolve (&slot->peer.in, 0, ref, &slot->peer.reader, size_p,
                                               &frame);
    if (bytes && ref->place && !has ("keeps-nothing")) {
        free (slot->places[place]);
        slot->places[place] = malloc (*size_p + 1);
        memcpy (slot->places[place], bytes, *size_p);
        slot->sizes[place] = *size_p;
    }
    return bytes;
}

typedef struct answer_t {
    uint64_t ticket;
    uint32_t steps;
    uint64_t duration_ns;
    bool is_cancelled;
    uint8_t *payload;
    size_t size;
} answer_t;

/* Sleeps, while the agent goes on. Returns what that took. */
static uint64_t s_sleep (worker_t *self) {
    int64_t until_ns = dw_clock_ns () + SLOW_NS, begin_ns = peer_clock_ns (true);
    while (dw_clock_ns () < until_ns) {
        usleep (10000);
        s_beat_if_due (self);
    }
    return (uint64_t) (peer_clock_ns (true) - begin_ns);
}

/* Reads a task, and runs it. False: it makes no sense. */
static bool s_read_task (worker_t *self, slot_t *slot, uint64_t ticket, answer_t *answer) {
    dw_wire_reader_t *reader = &slot->peer.reader;
    dw_wire_task_t task;
    if (has ("believes-counts")) { /* and reads beyond the bytes that there are */
        dw_wire_reader_t ahead = *reader;
        for (int i = 0; i < 4; i++)
            dw_read_uint (&ahead);
        dw_read_kept_ref (&ahead);
        if (!ahead.is_damaged && ahead.end - ahead.at == 5 && ahead.at[0] == 0xdd)
            abort ();
    }
    if (!dw_read_task (reader, &task) || task.node >= s_nodes () || task.steps < 1 ||
        task.steps > (task.node == 0 ? NODES : 1))
        return false;
    const uint8_t *bytes = s_resolve (slot, &task.payload, &answer->size);
    for (uint32_t i = 0; i < task.dependencies_count; i++) {
        dw_read_kept_ref (reader);
        dw_read_ref (reader);
    }
    if (!bytes || reader->is_damaged)
        return false;
    answer->ticket = ticket;
    answer->steps = task.steps;
    answer->duration_ns = s_nodes () > NODES && task.node == SLOW ? s_sleep (self) : 1000;
    answer->payload = malloc (answer->size + 1);
    memcpy (answer->payload, bytes, answer->size);
    return true;
}

static void s_write_answer (slot_t *slot, const answer_t *answer) {
    dw_writer_t *head = &slot->peer.out.head;
    bool is_one_step = has ("answers-one-step") && answer->steps > 1;
    uint32_t steps = is_one_step ? 1 : answer->steps;
    if (answer->is_cancelled && has ("cancelled-unanswered"))
        return;
    dw_write_uint (head, answer->ticket + (has ("wrong-ticket") ? 1 : 0));
    dw_write_uint (head, 0);
    bool is_large = answer->size > PAYLOAD_MAX && !has ("sends-any-output");
    dw_write_uint (head, answer->is_cancelled ? DW_WIRE_RETURNED
                         : is_large           ? DW_WIRE_FAILED
                                              : DW_WIRE_DONE);
    dw_write_uint (head, answer->duration_ns);
    if (answer->is_cancelled)
        return;
    if (is_large) {
        dw_write_uint (head, 413);
        dw_write_str (head, "too large", 9);
        return;
    }
    dw_write_uint (head, steps);
    for (uint32_t i = 0; i < steps; i++) {
        dw_write_bin (head, answer->payload, answer->size);
        dw_write_nil (head);
    }
}

static void s_send_answers (slot_t *slot, const answer_t *answers, uint32_t count) {
    uint32_t number = slot->peer.number;
    slot->peer.number -= has ("wrong-number");
    peer_begin (&slot->peer, DW_WIRE_ANSWERS);
    slot->peer.number = number;
    for (uint32_t i = 0; i < count; i++)
        s_write_answer (slot, &answers[has ("answers-backwards") ? count - 1 - i : i]);
    if (count)
        peer_send (&slot->peer);
    else
        dw_packet_clear (&slot->peer.out);
}

static void s_on_tasks (worker_t *self, slot_t *slot) {
    static answer_t answers[2 * TOGETHER];
    uint64_t ticket = dw_read_uint (&slot->peer.reader);
    uint32_t count = 0;
    bool makes_sense = true;
    while (makes_sense && dw_wire_reader_has_more (&slot->peer.reader) && count < 2 * TOGETHER) {
        answers[count] = (answer_t){0};
        makes_sense = s_read_task (self, slot, ticket, &answers[count]);
        if (makes_sense)
            answers[count++].is_cancelled = s_take_cancelled (slot, ticket++);
    }
    if (has ("takes-less-than-its-credit") && count > TASKS_TAKEN)
        for (; count > TASKS_TAKEN; count--)
            free (answers[count - 1].payload);
    s_send_answers (slot, answers, count);
    if (has ("answers-twice"))
        s_send_answers (slot, answers, count);
    for (uint32_t i = 0; i < count; i++)
        free (answers[i].payload);
    if (!makes_sense && !has ("stays-when-told-nonsense"))
        s_leave (slot);
}

static void s_on_drop (slot_t *slot) {
    while (dw_wire_reader_has_more (&slot->peer.reader)) {
        uint32_t place = dw_read_uint_max (&slot->peer.reader, DW_WIRE_PLACES - 1);
        if (slot->peer.reader.is_damaged)
            return;
        free (slot->places[place]);
        slot->places[place] = NULL;
    }
}

static void s_on_slot (worker_t *self, slot_t *slot) {
    uint64_t ticket;
    slot->heard_ns = dw_clock_ns ();
    switch (slot->peer.type) {
        case DW_WIRE_WELCOME:
            slot->peer.number = dw_read_uint_max (&slot->peer.reader, UINT32_MAX);
            break;
        case DW_WIRE_TASKS: s_on_tasks (self, slot); break;
        case DW_WIRE_CANCEL:
            ticket = dw_read_uint (&slot->peer.reader);
            if (!slot->peer.reader.is_damaged && slot->cancelled_count < TOGETHER)
                slot->cancelled[slot->cancelled_count++] = ticket;
            break;
        case DW_WIRE_DROP: s_on_drop (slot); break;
        case DW_WIRE_STOP: s_leave (slot); break;
        case DW_WIRE_REFUSED: slot->is_over = true; break;
        default:
            if (has ("dies-of-unknown-types") && slot->peer.type > DW_WIRE_TYPES)
                abort ();
            break;
    }
}

/* ---- The agent -------------------------------------------------------------------------------- */

static void s_beat (worker_t *self) {
    peer_begin (&self->agent, DW_WIRE_BEAT);
    for (uint32_t i = 0; i < SLOTS; i++)
        dw_write_slot (
            &self->agent.out.head,
            &(dw_wire_slot_t){.number = self->numbers[i] + (has ("beats-for-others") ? 1 : 0)});
    if (has ("never-beats"))
        dw_packet_clear (&self->agent.out);
    else
        peer_send (&self->agent);
}

static void s_beat_if_due (worker_t *self) {
    bool makes_up = has ("makes-up-for-beats");
    int64_t now_ns = peer_clock_ns (has ("beats-by-the-wall-clock") || makes_up);
    if (makes_up && (!self->beat_ns || self->beat_ns > now_ns + self->heartbeat_ns))
        self->beat_ns = now_ns; /* it forgets what it said too soon */
    while (now_ns >= self->beat_ns) {
        s_beat (self);
        self->beat_ns = (makes_up ? self->beat_ns : now_ns) + self->heartbeat_ns;
    }
}

static void s_say_agent (worker_t *self) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    static uint8_t uuid[DW_WIRE_UUID_SIZE] = "a broken worker";
    int pid = getpid ();
    memcpy (uuid, &pid, sizeof pid);
    self->incarnation += has ("same-incarnation") && self->incarnation ? 0 : 1;
    peer_hello (&self->agent, DW_WIRE_AGENT, no_token, 0, 0);
    dw_write_agent (&self->agent.out.head,
                    &(dw_wire_agent_t){.uuid = uuid,
                                       .incarnation = self->incarnation,
                                       .slots = has ("too-many-slots") ? MANY_SLOTS : SLOTS,
                                       .pid = (uint64_t) pid,
                                       .host = "here",
                                       .host_size = 4,
                                       .processors_count = s_nodes () > NODES ? 2 : 1});
    dw_write_str (&self->agent.out.head, "identity", 8);
    if (s_nodes () > NODES)
        dw_write_str (&self->agent.out.head, "sleep", 5);
    dw_write_array (&self->agent.out.head, 0);
    peer_send (&self->agent);
    if (has ("talks-before-welcome"))
        peer_say (&self->agent, DW_WIRE_BEAT);
    if (has ("too-many-slots"))
        s_beat (self); /* of slots that nobody has counted */
}

static bool s_on_welcome (worker_t *self) {
    dw_wire_reader_t *reader = &self->agent.reader;
    dw_wire_welcome_t welcome;
    if (has ("believes-any-welcome")) { /* whatever its pulse is */
        memset (&welcome, 0, sizeof welcome);
        size_t size;
        welcome.peer = dw_read_uint_max (reader, UINT32_MAX);
        welcome.heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
        welcome.silence_ms = dw_read_uint_max (reader, UINT32_MAX);
        welcome.system = dw_read_bin (reader, DW_WIRE_TOKEN_SIZE, &size);
        welcome.token = dw_read_bin (reader, DW_WIRE_TOKEN_SIZE, &size);
        welcome.digest = dw_read_uint (reader);
        welcome.graph = dw_read_ref (reader);
        welcome.workers_count = dw_read_array (reader);
        welcome.heartbeat_ms += !welcome.heartbeat_ms;
    } else if (!dw_read_welcome (reader, &welcome))
        return false;
    if (reader->is_damaged || welcome.workers_count != SLOTS)
        return false;
    for (uint32_t i = 0; i < SLOTS; i++) {
        self->numbers[i] = dw_read_uint_max (reader, UINT32_MAX);
        if (i > 0 && self->numbers[i] <= self->numbers[i - 1])
            return false;
    }
    dw_wire_trait_t trait;
    dw_read_uint (reader);
    for (uint32_t traits = dw_read_array (reader); traits > 0; traits--)
        if (!dw_read_trait (reader, &trait))
            return false;
    if (reader->is_damaged)
        return false;
    self->agent.number = welcome.peer;
    memcpy (self->token, welcome.token, sizeof self->token);
    self->heartbeat_ns = (int64_t) welcome.heartbeat_ms * 1000000;
    self->silence_ns = (int64_t) welcome.silence_ms * 1000000;
    for (uint32_t i = 0; i < SLOTS; i++)
        self->slots[i] = s_slot_new (self, i);
    self->heard_ns = self->looked_ns = s_hearing_ns ();
    return true;
}

static void s_on_replace (worker_t *self) {
    uint32_t number = dw_read_uint_max (&self->agent.reader, UINT32_MAX);
    for (uint32_t i = 0; i < SLOTS && !self->agent.reader.is_damaged; i++)
        if (self->numbers[i] == number && !has ("replaces-nobody")) {
            s_slot_free (&self->slots[i]);
            self->slots[i] = s_slot_new (self, i);
        }
}

static void s_on_agent (worker_t *self) {
    self->heard_ns = s_hearing_ns ();
    switch (self->agent.type) {
        case DW_WIRE_REPLACE: s_on_replace (self); break;
        case DW_WIRE_STOP:
        case DW_WIRE_REFUSED: self->is_told = true; break;
        default:
            if (has ("dies-of-unknown-types") && self->agent.type > DW_WIRE_TYPES)
                abort ();
            break;
    }
}

/* ---- The loop --------------------------------------------------------------------------------- */

static void s_look_at_slots (worker_t *self, int64_t now_ns) {
    for (uint32_t i = 0; i < SLOTS; i++) {
        slot_t *slot = self->slots[i];
        while (slot && !slot->is_over && peer_take (&slot->peer))
            s_on_slot (self, slot);
        if (slot && !slot->is_over && now_ns - slot->heard_ns >= self->silence_ns) {
            slot->heard_ns = now_ns;
            peer_say (&slot->peer, DW_WIRE_BEAT);
        }
        if (slot && slot->is_over)
            s_slot_free (&self->slots[i]);
    }
}

/* Who forgives a jump takes it for a time in which it has not listened. */
static void s_look_for_silence (worker_t *self) {
    int64_t now_ns = s_hearing_ns ();
    if (has ("forgives-a-jump") && now_ns - self->looked_ns > self->silence_ns)
        self->heard_ns = now_ns;
    self->looked_ns = now_ns;
    self->is_lost = now_ns - self->heard_ns >= self->silence_ns && !has ("waits-for-ever");
}

static void s_serve (worker_t *self) {
    bool has_drained = false;
    while (!self->is_told && !self->is_lost) {
        zmq_pollitem_t items[SLOTS + 1] = {{.socket = self->agent.socket, .events = ZMQ_POLLIN}};
        int count = 1;
        for (uint32_t i = 0; i < SLOTS; i++)
            if (self->slots[i])
                items[count++] = (zmq_pollitem_t){.socket = self->slots[i]->peer.socket,
                                                  .events = ZMQ_POLLIN};
        zmq_poll (items, count, 20);
        int64_t now_ns = dw_clock_ns ();
        while (!self->is_told && peer_take (&self->agent))
            s_on_agent (self);
        while (peer_take (&self->forgotten))
            self->is_told |= self->forgotten.type == DW_WIRE_STOP;
        s_look_at_slots (self, now_ns);
        s_beat_if_due (self);
        if (s_is_drained && !has_drained) {
            peer_say (&self->agent, DW_WIRE_DRAIN);
            has_drained = true;
        }
        s_look_for_silence (self);
    }
}

/* False: it is to end. */
static bool s_come (worker_t *self) {
    self->is_lost = self->is_told = false;
    self->beat_ns = 0;
    self->agent = peer_connect (self->context, self->endpoint);
    s_say_agent (self);
    zmq_pollitem_t item = {.socket = self->agent.socket, .events = ZMQ_POLLIN};
    bool is_welcome = false;
    while (!is_welcome) {
        bool stays = has ("stays-when-refused");
        if (zmq_poll (&item, 1, stays ? 20000 : 3000) != 1 || !peer_take (&self->agent))
            break;
        is_welcome = self->agent.type == DW_WIRE_WELCOME && s_on_welcome (self);
        if (!is_welcome &&
            !(stays && (self->agent.type == DW_WIRE_REFUSED || self->agent.type == DW_WIRE_BEAT)))
            break;
    }
    if (is_welcome)
        s_serve (self);
    for (uint32_t i = 0; i < SLOTS; i++)
        s_slot_free (&self->slots[i]);
    if (self->is_lost && is_welcome && has ("obeys-the-forgotten")) {
        peer_close (&self->forgotten);
        self->forgotten = self->agent;
        return true;
    }
    if (self->is_lost && is_welcome)
        peer_say (&self->agent, DW_WIRE_BYE);
    peer_close (&self->agent);
    return self->is_lost && is_welcome;
}

int main (int argc, char **argv) {
    if (argc != 3)
        return 64;
    defect = argv[1];
    worker_t self = {.context = zmq_ctx_new (), .endpoint = argv[2]};
    sigaction (SIGTERM, &(struct sigaction){.sa_handler = s_on_signal}, NULL);
    while (s_come (&self)) {
    }
    peer_close (&self.forgotten);
    zmq_ctx_term (self.context);
    return 0;
}
