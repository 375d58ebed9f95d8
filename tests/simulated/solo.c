/* solo.c - a worker process of one slot that compiles no graph. */

#include "tests/simulated/solo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/message.h"
#include "runtime/briefing.h"
#include "runtime/payload.h"
#include "tests/simulated/processors.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"

#define MS         INT64_C (1000000)
#define SLICE_NS   (3 * MS)
#define LOOK_NS    (20 * MS)
#define CONNECT_NS (300 * MS)  /* until who is not welcome by then tries anew */
#define DRAIN_NS   (1500 * MS) /* until who wants to leave, and is heard, is told to */
#define CREDIT     8u

typedef struct s_task_t {
    struct s_task_t *next;
    uint64_t ticket, run, hash; /* hash: of what it reads */
    uint32_t node, steps, attempt;
    bool is_cancelled;
    bool *is_begun; /* of a node that may run but once; or NULL */
    size_t payload_size;
    uint8_t payload[];
} s_task_t;

typedef struct s_self_t {
    const solo_t *options;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    void *context, *socket;
    dw_message_t in;
    dw_packet_t out;
    uint32_t peer;
    int64_t heard_ns, beat_ns, heartbeat_ns, silence_ns;
    s_task_t *first, **last; /* that wait; the first may be under way */
    int64_t drained_ns;
    int64_t until_ns; /* when what is under way will be through; 0: nothing is */
    bool is_welcome, has_drained, is_leaving, has_left;
} s_self_t;

/* By declaration. */
static uint32_t s_declared (const s_self_t *self, const s_task_t *task) {
    return self->options->plot->evaluator->by_rank[task->node];
}

static const random_node_t *s_node (const s_self_t *self, const s_task_t *task) {
    return &self->options->plot->graph->nodes[s_declared (self, task)];
}

static bool s_fails (const s_self_t *self, const s_task_t *task) {
    return task->attempt <= s_node (self, task)->failures;
}

static void s_drop_first (s_self_t *self) {
    s_task_t *task = self->first;
    self->first = task->next;
    if (!self->first)
        self->last = &self->first;
    self->until_ns = 0;
    free (task);
}

/* ---- Connected -------------------------------------------------------------------------------- */

static void s_disconnect (s_self_t *self) {
    if (self->socket)
        zmq_close (self->socket);
    self->socket = NULL;
    self->is_welcome = self->has_drained = false;
    dw_packet_clear (&self->out);
    while (self->first)
        s_drop_first (self);
}

static void s_say_hello (s_self_t *self) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_writer_t *head = &self->out.head;
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_SOLO,
                             .token = no_token,
                             .credit = CREDIT};
    dw_wire_agent_t agent = {.uuid = self->uuid,
                             .incarnation = ++self->incarnation,
                             .slots = 1,
                             .pid = fibers_process ()->number,
                             .host = "alone",
                             .host_size = 5,
                             .processors_count = RANDOM_PROCESSORS};
    dw_write_hello (head, &hello);
    dw_write_agent (head, &agent);
    for (uint32_t i = 0; i < RANDOM_PROCESSORS; i++) {
        const char *name = random_processor_name ((random_processor_t) i);
        dw_write_str (head, name, strlen (name));
    }
    dw_write_array (head, self->options->has_tag);
    if (self->options->has_tag) {
        dw_write_str (head, "lane", 4);
        dw_write_str (head, "2", 1);
    }
    dw_packet_send (&self->out, self->socket, NULL, 0);
}

/* With a new socket, as a later incarnation: whatever came by the one before is forgotten. */
static void s_connect (s_self_t *self) {
    int linger_ms = 1000, unlimited = 0, never = -1;
    s_disconnect (self);
    self->socket = zmq_socket (self->context, ZMQ_DEALER);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (self->socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt (self->socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
    zmq_connect (self->socket, self->options->endpoint);
    self->heard_ns = fibers_now_ns ();
    s_say_hello (self);
}

static void s_say (s_self_t *self, dw_wire_type_t type) {
    dw_packet_t word = {0};
    dw_write_uint (&word.head, type);
    dw_write_uint (&word.head, self->peer);
    dw_packet_send (&word, self->socket, NULL, 0);
    dw_packet_free (&word);
}

/* Whether it serves a node: it has what that demands, and none that demands the same becomes a
 * graph. */
static bool s_serves (const s_self_t *self, uint32_t node) {
    const random_graph_t *graph = self->options->plot->graph;
    uint32_t demand = graph->nodes[node].demand;
    bool serves = demand <= 1 || self->options->has_tag;
    for (uint32_t other = 0; other < graph->nodes_count; other++)
        serves &= !graph->nodes[other].inner || graph->nodes[other].demand != demand;
    return serves;
}

static uint32_t s_served_count (const s_self_t *self) {
    uint32_t count = 0;
    for (uint32_t node = 0; node < self->options->plot->graph->nodes_count; node++)
        count += s_serves (self, node);
    return count;
}

/* It is told of all nodes that it serves, and they are as the graph has them. */
static void s_check_briefing (const s_self_t *self, const uint8_t *bytes, size_t size) {
    const plot_t *plot = self->options->plot;
    dw_wire_reader_t reader = dw_wire_reader (bytes, size);
    uint32_t count = dw_read_briefing (&reader);
    for (uint32_t i = 0; i < count; i++) {
        dw_briefed_t told;
        if (!dw_read_briefed (&reader, &told) || told.node >= plot->graph->nodes_count)
            verdict_fail ("a solo is told nonsense of its nodes");
        const random_node_t *node = &plot->graph->nodes[plot->evaluator->by_rank[told.node]];
        bool is_blind = random_processor_trait (node->processor).payload_only;
        if (told.id_size != strlen (node->id) || memcmp (told.id, node->id, told.id_size) != 0 ||
            !s_serves (self, plot->evaluator->by_rank[told.node]) ||
            told.dependencies_count != (is_blind ? 0 : node->dependencies_count))
            verdict_fail ("a solo is told of node %" PRIu32 " what it is not", told.node);
    }
    if (count != s_served_count (self) || !dw_wire_reader_is_over (&reader))
        verdict_fail ("a solo is told of %" PRIu32 " nodes, and serves others", count);
}

static void s_on_welcome (s_self_t *self, dw_wire_reader_t *reader) {
    dw_wire_solo_t welcome;
    size_t size;
    zmq_msg_t *frame;
    if (!dw_read_solo (reader, &welcome))
        verdict_fail ("a solo's WELCOME makes no sense");
    const uint8_t *nodes = dw_message_resolve (&self->in, 0, &welcome.nodes, reader, &size, &frame);
    s_check_briefing (self, nodes, nodes ? size : 0);
    self->peer = welcome.peer;
    self->heartbeat_ns = welcome.heartbeat_ms * MS;
    self->silence_ns = welcome.silence_ms * MS;
    self->beat_ns = fibers_now_ns () + self->heartbeat_ns;
    self->is_welcome = true;
    verdict->solos++;
}

static void s_on_refused (s_self_t *self, dw_wire_reader_t *reader) {
    uint64_t code = dw_read_uint (reader);
    transcript_tell ("%s is refused: %u", fibers_process ()->name, (unsigned) code);
    if (code != 503 && code != 404 && !self->options->lies)
        verdict_fail ("%s is refused with %u", fibers_process ()->name, (unsigned) code);
    s_disconnect (self);
    self->has_left = code == 404;
    if (!self->has_left)
        fibers_sleep (LOOK_NS);
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

/* The value of "sum" goes into the hash of whoever reads it. */
static uint64_t s_hash_metadata (uint64_t hash, const uint8_t *bytes, size_t size) {
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    const char *sum = NULL;
    size_t sum_size = 0;
    if (bytes && dw_payload_map_check (bytes, size))
        verdict_fail ("metadata is no map of texts");
    dw_payload_map_start (&map, bytes, size);
    while (dw_payload_map_next (&map, &pair))
        if (pair.key_size == 3 && memcmp (pair.key, "sum", 3) == 0) {
            sum = pair.value;
            sum_size = pair.value_size;
        }
    return random_hash (hash, sum, sum ? sum_size : 0);
}

/* NULL: there is none, or it cannot be read. */
static s_task_t *s_read_task (s_self_t *self, dw_wire_reader_t *reader, uint64_t ticket) {
    dw_wire_task_t record;
    size_t size = 0;
    zmq_msg_t *frame;
    if (!dw_read_task (reader, &record) || record.node >= self->options->plot->graph->nodes_count)
        return NULL;
    const uint8_t *payload = dw_message_resolve (&self->in, 0, &record.payload, reader, &size,
                                                 &frame);
    s_task_t *task = payload ? malloc (sizeof *task + size) : NULL;
    if (!task)
        return NULL;
    *task = (s_task_t){.ticket = ticket,
                       .run = record.run,
                       .node = record.node,
                       .steps = record.steps,
                       .attempt = record.attempt,
                       .payload_size = size};
    memcpy (task->payload, payload, size);
    task->hash = random_hash (random_hash_start (s_declared (self, task)), payload, size);
    for (uint32_t i = 0; i < record.dependencies_count; i++) {
        dw_ref_t output = dw_read_ref (reader), metadata = dw_read_ref (reader);
        size = 0;
        const uint8_t *bytes = dw_message_resolve (&self->in, 0, &output, reader, &size, &frame);
        task->hash = random_hash (task->hash, bytes, bytes ? size : 0);
        size = 0;
        bytes = dw_message_resolve (&self->in, 0, &metadata, reader, &size, &frame);
        task->hash = s_hash_metadata (task->hash, bytes, bytes ? size : 0);
    }
    if (reader->is_damaged) {
        free (task);
        return NULL;
    }
    return task;
}

/* False: it makes no sense. */
static bool s_on_tasks (s_self_t *self, dw_wire_reader_t *reader) {
    uint64_t ticket = dw_read_uint (reader);
    for (; dw_wire_reader_has_more (reader); ticket++) {
        s_task_t *task = s_read_task (self, reader, ticket);
        if (!task)
            return false;
        *self->last = task;
        self->last = &task->next;
    }
    return !reader->is_damaged;
}

/* Of later steps alone it is of no interest to who runs but the first. */
static void s_on_cancel (s_self_t *self, dw_wire_reader_t *reader) {
    uint64_t ticket = dw_read_uint (reader);
    if (dw_wire_reader_has_more (reader) && dw_read_uint (reader) > 0)
        return;
    for (s_task_t *task = self->first; task; task = task->next)
        task->is_cancelled |= task->ticket == ticket;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_send_answers (s_self_t *self) {
    if (self->out.head.count > 0)
        dw_packet_send (&self->out, self->socket, NULL, 0);
}

static void s_begin_answer (s_self_t *self, const s_task_t *task, uint32_t told,
                            dw_wire_answer_t answer) {
    dw_writer_t *head = &self->out.head;
    if (head->count == 0) {
        dw_write_uint (head, DW_WIRE_ANSWERS);
        dw_write_uint (head, self->peer);
    }
    dw_write_uint (head, task->ticket);
    dw_write_uint (head, told);
    dw_write_uint (head, answer);
    dw_write_uint (head, answer == DW_WIRE_RETURNED ? 0 : 1000);
}

static void s_fail (s_self_t *self, const s_task_t *task, uint32_t code, const char *text) {
    s_begin_answer (self, task, 0, DW_WIRE_FAILED);
    dw_write_uint (&self->out.head, code);
    dw_write_str (&self->out.head, text, strlen (text));
}

static void s_write_metadata (dw_writer_t *writer, const random_metadata_t *metadata) {
    const char *last = "";
    dw_write_byte (writer, (uint8_t) (0x80u | metadata->count));
    for (size_t written = 0; written < metadata->count; written++) { /* in the order of the keys */
        size_t next = metadata->count;
        for (size_t i = 0; i < metadata->count; i++)
            if ((written == 0 || strcmp (metadata->keys[i], last) > 0) &&
                (next == metadata->count || strcmp (metadata->keys[i], metadata->keys[next]) < 0))
                next = i;
        last = metadata->keys[next];
        dw_write_str (writer, last, strlen (last));
        dw_write_str (writer, metadata->values[next], strlen (metadata->values[next]));
    }
}

/* It does a first step, and gives those behind it back. */
static void s_give (s_self_t *self, const s_task_t *task) {
    random_processor_t processor = s_node (self, task)->processor;
    random_value_t value = random_processor_output (processor, task->hash, task->payload,
                                                    task->payload_size);
    random_metadata_t metadata = random_processor_metadata (processor, task->hash);
    dw_writer_t map = {0};
    s_begin_answer (self, task, 0, task->steps > 1 ? DW_WIRE_MORE : DW_WIRE_DONE);
    dw_write_uint (&self->out.head, 1);
    if (processor == RANDOM_ECHO)
        dw_packet_add (&self->out, task->payload, task->payload_size, NULL);
    else if (value.bytes)
        dw_packet_add (&self->out, value.bytes, value.size, NULL);
    else /* an analyzer says at least nothing */
        dw_packet_add (&self->out, "\xa0", 1, NULL);
    s_write_metadata (&map, &metadata);
    if (metadata.count > 0)
        dw_packet_add (&self->out, map.bytes, map.count, NULL);
    else
        dw_write_nil (&self->out.head);
    dw_writer_free (&map);
    free (value.bytes);
    if (task->steps > 1)
        s_begin_answer (self, task, 1, DW_WIRE_RETURNED);
}

/* ---- Work ------------------------------------------------------------------------------------- */

static void s_begin (s_self_t *self) {
    s_task_t *task = self->first;
    uint32_t node = s_declared (self, task);
    char key[64];
    snprintf (key, sizeof key, "solo %" PRIu64 "-%" PRIu32, task->run, node);
    task->is_begun = processors_begin_once (key, node);
    processors_crash_perhaps (node);
    bool hangs = s_fails (self, task) && processors_hangs (node, task->attempt);
    self->until_ns = fibers_now_ns () + processors_draw_time (node, hangs);
    if (!random_processor_trait (s_node (self, task)->processor).brief)
        s_send_answers (self); /* others wait for them */
}

static void s_end (s_self_t *self) {
    s_task_t *task = self->first;
    bool has_failed = s_fails (self, task);
    bool is_given_up = task->is_cancelled && !self->options->plot->is_rude[s_declared (self, task)];
    if (is_given_up)
        s_fail (self, task, 499, "it was cancelled");
    else if (has_failed)
        s_fail (self, task, (uint32_t) s_node (self, task)->code, "was told to");
    else if (s_node (self, task)->skips) {
        verdict->skips++;
        s_begin_answer (self, task, 0, DW_WIRE_SKIPPED);
    } else
        s_give (self, task);
    if (task->is_begun && (has_failed || is_given_up))
        *task->is_begun = false;
    s_drop_first (self);
}

/* Goes on with what is under way, for a slice of time at most. */
static void s_work (s_self_t *self) {
    s_task_t *task = self->first;
    if (self->until_ns == 0 && task->is_cancelled) {
        s_begin_answer (self, task, 0, DW_WIRE_RETURNED);
        s_drop_first (self);
        return;
    }
    if (self->until_ns == 0)
        s_begin (self);
    int64_t left_ns = self->until_ns - fibers_now_ns ();
    fibers_sleep (left_ns < 1 ? 1 : left_ns < SLICE_NS ? left_ns : SLICE_NS);
    bool is_given_up = task->is_cancelled && !self->options->plot->is_rude[s_declared (self, task)];
    if (fibers_now_ns () >= self->until_ns || is_given_up)
        s_end (self);
}

/* ---- All of it -------------------------------------------------------------------------------- */

static void s_on_message (s_self_t *self) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&self->in.frames[0]),
                                              zmq_msg_size (&self->in.frames[0]));
    self->heard_ns = fibers_now_ns ();
    switch (dw_read_uint_max (&reader, DW_WIRE_TYPES)) {
        case DW_WIRE_WELCOME: s_on_welcome (self, &reader); break;
        case DW_WIRE_REFUSED: s_on_refused (self, &reader); break;
        case DW_WIRE_CANCEL: s_on_cancel (self, &reader); break;
        case DW_WIRE_STOP: self->is_leaving = true; break;
        case DW_WIRE_REPLACE: s_connect (self); break;
        case DW_WIRE_TASKS:
            if (!self->is_welcome || !s_on_tasks (self, &reader)) {
                fibers_sleep (LOOK_NS);
                s_connect (self);
            }
            break;
        default: break;
    }
}

/* It has been told to leave, and is at nothing; or nobody hears it. */
static void s_leave_perhaps (s_self_t *self) {
    const solo_t *options = self->options;
    if (*options->is_drained && self->is_welcome && !self->has_drained) {
        s_say (self, DW_WIRE_DRAIN);
        self->has_drained = true;
        self->drained_ns = fibers_now_ns ();
    }
    if (self->has_drained && !self->is_leaving && fibers_now_ns () - self->drained_ns > DRAIN_NS)
        verdict_fail ("%s wants to leave and is not told to", fibers_process ()->name);
    if (self->is_leaving && self->is_welcome && self->until_ns == 0) {
        s_send_answers (self);
        s_say (self, DW_WIRE_BYE);
    }
    self->has_left |= (self->is_leaving && self->until_ns == 0) || *options->is_over ||
                      (*options->is_drained && !self->is_welcome);
}

static void s_look_at_time (s_self_t *self) {
    int64_t now_ns = fibers_now_ns ();
    if (self->is_welcome && now_ns >= self->beat_ns) {
        s_say (self, DW_WIRE_BEAT);
        self->beat_ns = now_ns + self->heartbeat_ns;
    }
    if (!self->socket ||
        now_ns - self->heard_ns > (self->is_welcome ? self->silence_ns : CONNECT_NS))
        s_connect (self);
}

static void s_wait (s_self_t *self) {
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    int64_t left_ns = self->is_welcome ? self->beat_ns - fibers_now_ns () : LOOK_NS;
    left_ns = left_ns < LOOK_NS ? left_ns : LOOK_NS;
    zmq_poll (&item, 1, left_ns > 0 ? (long) ((left_ns + MS - 1) / MS) : 0);
}

void solo_main (const solo_t *options) {
    s_self_t self = {.options = options, .context = zmq_ctx_new ()};
    self.last = &self.first;
    for (size_t i = 0; i < sizeof self.uuid; i++)
        self.uuid[i] = (uint8_t) random_next (fibers_random ());
    while (!self.has_left) {
        s_look_at_time (&self);
        if (self.first && !(self.is_leaving && self.until_ns == 0))
            s_work (&self);
        else
            s_wait (&self);
        if (!self.first)
            s_send_answers (&self);
        while (self.socket && dw_message_receive (&self.in, self.socket) == DW_OK)
            s_on_message (&self);
        s_leave_perhaps (&self);
    }
    s_disconnect (&self);
    dw_packet_free (&self.out);
    dw_message_free (&self.in);
    zmq_ctx_term (self.context);
}
