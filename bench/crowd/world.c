/* world.c - a whole coordinator with more workers than this machine could have: what it does in a
 * second of one core's time, what it remembers of a worker, and what travels.
 *
 * The coordinator is the real one: its actor, as it is, with its messages, its peers, its payloads
 * and its scheduler. Workers, their slots, a client and what is between are simulated
 * (bench/lib/slots.h, crowd.h), and so it is told without ZeroMQ and the kernel, which bench/fleet
 * has besides. First the client submits all runs and cancels them, so that what queues keep is
 * there before the workers come, whose memory is told apart. Then all workers come at once, each
 * with a connection of its own and one for each slot; they are left alone for a while, but for
 * their heartbeats; then the client submits all runs again and gets their results, which are
 * compared with what the slots said. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/program.h"
#include "actors/slot.h"
#include "bench/crowd/crowd.h"
#include "bench/lib/figures.h"
#include "bench/lib/mix.h"
#include "bench/lib/usage.h"
#include "runtime/core/error.h"
#include "runtime/core/graph.h"
#include "runtime/core/scheduler.h"
#include "runtime/pack.h"

enum { WORKERS, SLOTS, TASKS, NODES, TASK_US, LATENCY_US, PAYLOAD, IDLE_MS };

static dw_parameter_t s_parameters[] = {
    {"workers", "Workers elsewhere", 10000, 20, 1, 16384, false},
    {"slots", "Slots of each", 16, 4, 1, 1024, false},
    {"tasks", "Tasks that are queued at the start", 1000000, 4000, 1, 100000000, false},
    {"nodes", "Nodes of the graph, none of which depends on another: so many tasks are a run", 100,
     100, 1, 1000000, false},
    {"task-us", "How long a task takes", 10000, 100, 0, 1000000000, false},
    {"latency-us", "How long a message travels", 100, 100, 1, 1000000, false},
    {"payload", "Bytes of each payload", 100, 100, 6, 257, false},
    {"idle-ms", "How long the workers have nothing to do before the work", 3000, 100, 1, 1000000,
     false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define HEARTBEAT_MS 1000
#define HEARTBEAT_NS (HEARTBEAT_MS * INT64_C (1000000))
#define HEAD_BYTES   2u   /* of a payload: a bin of msgpack */
#define SHORT_FRAME  255u /* ZMTP says its size in a byte, else in eight; and has one of flags */

/* What is gone through, in this order. */
typedef enum s_phase_t { REHEARSAL, JOINING, IDLING, WORKING, OVER } s_phase_t;

/* What the coordinator has taken of the CPU, and its scheduler of that. */
typedef struct s_cpu_t {
    double all_ns, scheduler_ns;
} s_cpu_t;

static struct {
    s_phase_t phase;
    int64_t now_ns;   /* the coordinator's */
    int64_t mark_ns;  /* the thread's CPU time up to which now_ns has gone on */
    int64_t looks_ns; /* what a look at that takes */
    s_cpu_t cpu;
    int64_t since_ns; /* when the phase began, */
    s_cpu_t before;   /* and what was taken until then */

    dw_slots_t slots;
    uint32_t workers_count, slots_each;
    uint32_t *slots_peers;   /* what WELCOME gave each slot, */
    uint32_t *slots_numbers; /* and its agent, in order */
    uint32_t *agents_peers;
    int64_t *beats_ns; /* when agents beat next, a ring in order of that */
    uint32_t *beating;
    uint32_t beats_first, beats_count;
    uint32_t joined_count;

    uint32_t runs_count, submitted, client_peer;
    uint64_t ended_count, wrong_count;
    uint64_t tasks_done; /* by slots: one that was late is done by two */
    uint64_t tasks_sent, hash;
    uint64_t messages_sent, messages_got; /* to slots and from them */
    double sent_bytes, got_bytes;

    double bytes_before, bytes; /* allocated */
    dw_writer_t writer;
    uint8_t *payload;
    dw_figures_t *figures;
    const dw_program_t *program;
} s;

/* ---- Time and memory -------------------------------------------------------------------------- */

/* The coordinator has come as far as this. */
static void s_pass (void) {
    int64_t cpu_ns = dw_usage_cpu_ns (), passed_ns = cpu_ns - s.mark_ns - s.looks_ns;
    s.mark_ns = cpu_ns;
    if (passed_ns < 0)
        return;
    s.now_ns += passed_ns;
    s.cpu.all_ns += (double) passed_ns;
}

/* It stands still while the coordinator takes in what has come: looking for it would take as long
 * as much of that. */
int64_t dw_world_now_ns (void) {
    return s.now_ns;
}

int __real_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands);
int __wrap_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands);

int __wrap_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands) {
    s_pass ();
    double before_ns = s.cpu.all_ns;
    int err = __real_dw_scheduler_step (self, now_ns, events, events_count, commands);
    s_pass ();
    s.cpu.scheduler_ns += s.cpu.all_ns - before_ns;
    return err;
}

/* ---- What is said to the coordinator ------------------------------------------------------------ */

/* Numbers of connections: the client's, those of workers, those of slots. */
static uint32_t s_agent_peer (uint32_t agent) {
    return 1 + agent;
}

static uint32_t s_slot_peer (uint32_t slot) {
    return 1 + s.workers_count + slot;
}

static void s_say (dw_way_t way, uint32_t peer) {
    dw_sockets_put (way, peer, s.writer.bytes, s.writer.count);
    dw_writer_clear (&s.writer);
}

static void s_say_hello (dw_wire_role_t role, const uint8_t *token, uint32_t number) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = role,
                             .token = token,
                             .number = number,
                             .credit = DW_WORKER_CREDIT};
    dw_write_hello (&s.writer, &hello);
}

static void s_agent_hello (uint32_t agent) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    uint8_t uuid[DW_WIRE_UUID_SIZE] = {0};
    char host[32];
    memcpy (uuid, &agent, sizeof agent);
    snprintf (host, sizeof host, "node-%u", (unsigned) agent);
    dw_wire_agent_t record = {.uuid = uuid,
                              .incarnation = 1,
                              .slots = s.slots_each,
                              .pid = 1000 + agent,
                              .host = host,
                              .host_size = strlen (host),
                              .processors_count = 1};
    s_say_hello (DW_WIRE_AGENT, no_token, 0);
    dw_write_agent (&s.writer, &record);
    dw_write_str (&s.writer, "identity", strlen ("identity"));
    dw_write_array (&s.writer, 0);
    s_say (DW_WAY_ELSEWHERE, s_agent_peer (agent));
}

/* Its slots follow it. */
static void s_on_agent_welcome (uint32_t agent, dw_wire_reader_t *reader) {
    dw_wire_welcome_t welcome;
    if (!dw_read_welcome (reader, &welcome) || welcome.workers_count != s.slots_each) {
        s.wrong_count++;
        return;
    }
    s.agents_peers[agent] = welcome.peer;
    for (uint32_t i = 0; i < s.slots_each; i++) {
        uint32_t slot = agent * s.slots_each + i;
        s.slots_numbers[slot] = dw_read_uint_max (reader, UINT32_MAX);
        s_say_hello (DW_WIRE_WORKER, welcome.token, s.slots_numbers[slot]);
        s_say (DW_WAY_ELSEWHERE, s_slot_peer (slot));
    }
    uint32_t at = (s.beats_first + s.beats_count++) % s.workers_count;
    s.beats_ns[at] = s.now_ns + HEARTBEAT_NS;
    s.beating[at] = agent;
}

/* The next worker whose time it is says what its slots are at. */
static void s_beat (int64_t now_ns) {
    uint32_t agent = s.beating[s.beats_first];
    dw_write_uint (&s.writer, DW_WIRE_BEAT);
    dw_write_uint (&s.writer, s.agents_peers[agent]);
    for (uint32_t i = 0; i < s.slots_each; i++) {
        uint32_t slot = agent * s.slots_each + i;
        const dw_simulated_slot_t *it = &s.slots.items[slot];
        dw_wire_slot_t record = {.number = s.slots_numbers[slot],
                                 .at = it->is_busy ? DW_WIRE_AT_TASK : DW_WIRE_AT_IDLE,
                                 .ticket = it->task.ticket + !it->is_busy};
        dw_write_slot (&s.writer, &record);
    }
    s_say (DW_WAY_ELSEWHERE, s_agent_peer (agent));
    s.beats_first = (s.beats_first + 1) % s.workers_count;
    uint32_t at = (s.beats_first + s.beats_count - 1) % s.workers_count;
    s.beats_ns[at] = now_ns + HEARTBEAT_NS;
    s.beating[at] = agent;
}

static double s_travels_as (size_t size) {
    return (double) (size + (size <= SHORT_FRAME ? 2 : 9));
}

/* All answers of a slot that arrive at this time are one message. */
static void s_answer (void) {
    const dw_item_t *answer = dw_slots_answer (&s.slots);
    uint32_t slot = answer->slot;
    int64_t at_ns = answer->at_ns;
    dw_write_uint (&s.writer, DW_WIRE_ANSWERS);
    dw_write_uint (&s.writer, s.slots_peers[slot]);
    for (; answer && answer->slot == slot && answer->at_ns == at_ns;
         answer = dw_slots_answer (&s.slots)) {
        bool is_done = answer->type == DW_ITEM_DONE;
        dw_write_uint (&s.writer, answer->ticket);
        dw_write_uint (&s.writer, 0);
        dw_write_uint (&s.writer, is_done ? DW_WIRE_DONE : DW_WIRE_RETURNED);
        dw_write_uint (&s.writer, is_done ? answer->duration_ns : 0);
        if (is_done) {
            memcpy (s.payload + HEAD_BYTES, &answer->mark, sizeof answer->mark);
            dw_write_uint (&s.writer, 1);
            dw_write_bin (&s.writer, s.payload, s_parameters[PAYLOAD].value);
            dw_write_nil (&s.writer);
            s.tasks_done++;
        }
        dw_slots_take (&s.slots);
    }
    s.messages_got++;
    s.got_bytes += s_travels_as (s.writer.count);
    s_say (DW_WAY_ELSEWHERE, s_slot_peer (slot));
}

static void s_submit_all (void) {
    for (uint32_t i = 0; i < s.runs_count; i++) {
        if (i % DW_WIRE_TOGETHER_MAX == 0) {
            dw_write_uint (&s.writer, DW_WIRE_SUBMIT);
            dw_write_uint (&s.writer, s.client_peer);
        }
        dw_write_uint (&s.writer, ++s.submitted);
        dw_write_bin (&s.writer, s.payload, s_parameters[PAYLOAD].value);
        dw_write_uint (&s.writer, 0);
        dw_write_nil (&s.writer);
        if ((i + 1) % DW_WIRE_TOGETHER_MAX == 0 || i + 1 == s.runs_count)
            s_say (DW_WAY_NEAR, 0);
    }
    s.ended_count = 0;
}

static void s_abort_all (void) {
    dw_write_uint (&s.writer, DW_WIRE_ABORT);
    dw_write_uint (&s.writer, s.client_peer);
    dw_write_uint (&s.writer, DW_EVERY_RUN);
    s_say (DW_WAY_NEAR, 0);
}

/* ---- What it says ------------------------------------------------------------------------------- */

static const uint8_t *s_resolve (const dw_sent_t *sent, const dw_ref_t *ref, size_t *size) {
    *size = ref->frame ? zmq_msg_size (&sent->frames[ref->frame - 1]) : ref->size;
    return ref->frame ? zmq_msg_data (&sent->frames[ref->frame - 1]) : ref->bytes;
}

/* What a slot makes of a task. */
static uint32_t s_mark (uint64_t run, uint64_t node) {
    return (uint32_t) dw_mix_end (dw_mix_word (dw_mix_start (run), node));
}

/* Each node of the run came to what a slot made of that. */
static void s_check (const dw_sent_t *sent, const dw_wire_result_t *record) {
    size_t table_size = 0, blob_size = 0;
    const uint8_t *table = s_resolve (sent, &record->table, &table_size),
                  *blob = s_resolve (sent, &record->blob, &blob_size);
    for (uint64_t node = 0; node < s_parameters[NODES].value; node++) {
        dw_slot_t slot;
        uint32_t place, mark;
        memcpy (&slot, table + node * sizeof slot, sizeof slot);
        memcpy (&place, slot.bytes, sizeof place);
        bool is_inside = slot.form == DW_SLOT_BYTES_INSIDE,
             is_in_blob = slot.form == DW_SLOT_BLOB && place + slot.size <= blob_size;
        if (slot.status != DW_NODE_DONE || (!is_inside && !is_in_blob)) {
            s.wrong_count++;
            continue;
        }
        memcpy (&mark, (is_inside ? slot.bytes : blob + place) + HEAD_BYTES, sizeof mark);
        s.wrong_count += mark != s_mark (record->run, node);
        s.hash += dw_mix_end (dw_mix_start (mark));
    }
}

static void s_on_results (const dw_sent_t *sent, dw_wire_reader_t *reader) {
    dw_wire_result_t record;
    while (dw_wire_reader_has_more (reader) && dw_read_result (reader, &record)) {
        s.ended_count++;
        if (s.phase == REHEARSAL)
            continue;
        s.wrong_count += record.status != DW_RUN_OK;
        s_check (sent, &record);
    }
}

static void s_on_client_message (const dw_sent_t *sent, uint32_t type, dw_wire_reader_t *reader) {
    if (type == DW_WIRE_RESULTS)
        s_on_results (sent, reader);
    else if (type == DW_WIRE_WELCOME) {
        s.client_peer = dw_read_uint_max (reader, UINT32_MAX);
        s_submit_all ();
        s_abort_all ();
    } else
        s.wrong_count++;
}

static void s_on_tasks (uint32_t slot, dw_wire_reader_t *reader) {
    uint64_t ticket = dw_read_uint (reader);
    dw_wire_task_t task;
    for (; dw_wire_reader_has_more (reader) && dw_read_task (reader, &task); ticket++) {
        s.wrong_count += task.payload.size != s_parameters[PAYLOAD].value;
        s.tasks_sent++;
        dw_slots_send (&s.slots, (dw_item_t){.at_ns = s.now_ns,
                                             .slot = slot,
                                             .ticket = ticket,
                                             .mark = s_mark (task.run, task.node),
                                             .type = DW_ITEM_TASK});
    }
    s.wrong_count += reader->is_damaged;
}

static void s_on_slot_message (const dw_sent_t *sent, uint32_t slot, uint32_t type,
                               dw_wire_reader_t *reader) {
    if (type == DW_WIRE_TASKS || type == DW_WIRE_CANCEL) {
        s.messages_sent++;
        s.sent_bytes += s_travels_as (sent->size);
        for (uint32_t i = 0; i < sent->frames_count; i++)
            s.sent_bytes += s_travels_as (zmq_msg_size (&sent->frames[i]));
    }
    if (type == DW_WIRE_WELCOME) {
        s.slots_peers[slot] = dw_read_uint_max (reader, UINT32_MAX);
        s.joined_count++;
    } else if (type == DW_WIRE_TASKS)
        s_on_tasks (slot, reader);
    else if (type == DW_WIRE_CANCEL)
        dw_slots_send (&s.slots, (dw_item_t){.at_ns = s.now_ns,
                                             .slot = slot,
                                             .ticket = dw_read_uint (reader),
                                             .type = DW_ITEM_CANCEL});
    else
        s.wrong_count++;
}

static void s_on_message (const dw_sent_t *sent) {
    dw_wire_reader_t reader = dw_wire_reader (sent->head, sent->size);
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (sent->way == DW_WAY_NEAR)
        s_on_client_message (sent, type, &reader);
    else if (sent->peer >= s_slot_peer (0))
        s_on_slot_message (sent, sent->peer - s_slot_peer (0), type, &reader);
    else if (type == DW_WIRE_WELCOME)
        s_on_agent_welcome (sent->peer - s_agent_peer (0), &reader);
    else
        s.wrong_count += type != DW_WIRE_BEAT;
}

/* ---- What is measured ------------------------------------------------------------------------- */

/* Of a phase that has ended. */
static double s_taken_ns (void) {
    return s.cpu.all_ns - s.before.all_ns;
}

static void s_begin (s_phase_t phase) {
    s.phase = phase;
    s.since_ns = s.now_ns;
    s.before = s.cpu;
}

/* Frees what the world grew, so that only the coordinator has more memory than before. */
static void s_forget (void) {
    dw_slots_shrink (&s.slots);
    dw_sockets_free ();
    dw_writer_free (&s.writer);
}

static void s_end_rehearsal (void) {
    s_forget ();
    s.bytes_before = dw_allocator_bytes ();
    for (uint32_t agent = 0; agent < s.workers_count; agent++)
        s_agent_hello (agent);
    s_begin (JOINING);
}

static void s_end_joining (void) {
    dw_figures_number (s.figures, "join_us_per_worker", s_taken_ns () / 1000 / s.workers_count);
    s_forget ();
    dw_figures_number (s.figures, "bytes_per_idle_worker",
                       (s.bytes + dw_allocator_bytes () - s.bytes_before) / s.workers_count);
    s_begin (IDLING);
}

static void s_end_idling (void) {
    dw_figures_number (s.figures, "idle_core_percent",
                       100 * s_taken_ns () / (double) (s.now_ns - s.since_ns));
    s_submit_all ();
    s_begin (WORKING);
}

static void s_end_working (void) {
    dw_figures_t *figures = s.figures;
    double cpu_ns = s_taken_ns (), scheduler_ns = s.cpu.scheduler_ns - s.before.scheduler_ns;
    double passed_ns = (double) (s.now_ns - s.since_ns);
    double tasks = (double) s.runs_count * (double) s_parameters[NODES].value;
    dw_figures_count (figures, "mimalloc", dw_allocator_mimalloc ());
    dw_figures_number (figures, "completions_per_second_of_core", tasks * 1e9 / cpu_ns);
    dw_figures_number (figures, "coordinator_ns_per_task", cpu_ns / tasks);
    dw_figures_number (figures, "scheduler_ns_per_task", scheduler_ns / tasks);
    dw_figures_number (figures, "coordinator_core_percent", 100 * cpu_ns / passed_ns);
    dw_figures_number (figures, "tasks_per_second", tasks * 1e9 / passed_ns);
    dw_figures_number (figures, "tasks_per_message",
                       (double) s.tasks_sent / (double) s.messages_sent);
    dw_figures_number (figures, "answers_per_message",
                       (double) s.tasks_done / (double) s.messages_got);
    dw_figures_number (figures, "times_done_per_task", (double) s.tasks_done / tasks);
    dw_figures_number (figures, "sent_bytes_per_task", s.sent_bytes / tasks);
    dw_figures_number (figures, "received_bytes_per_task", s.got_bytes / tasks);
    s_forget ();
    dw_figures_number (figures, "bytes_per_worker",
                       (s.bytes + dw_allocator_bytes () - s.bytes_before) / s.workers_count);
    s_begin (OVER);
}

/* Whether what a phase waits for has come about. */
static void s_look_at_phase (void) {
    if (s.phase == REHEARSAL && s.submitted && s.ended_count == s.runs_count)
        s_end_rehearsal ();
    else if (s.phase == JOINING && s.joined_count == s.slots.count && !dw_sockets_have_come ())
        s_end_joining ();
    else if (s.phase == IDLING &&
             s.now_ns - s.since_ns >= (int64_t) s_parameters[IDLE_MS].value * 1000000 &&
             !dw_sockets_have_come ())
        s_end_idling ();
    else if (s.phase == WORKING && s.ended_count == s.runs_count && !dw_sockets_have_come ())
        s_end_working ();
}

/* ---- The world goes on ------------------------------------------------------------------------ */

static int64_t s_beat_ns (void) {
    return s.beats_count ? s.beats_ns[s.beats_first] : INT64_MAX;
}

/* When something happens next; INT64_MAX: nothing ever does. */
static int64_t s_next_ns (void) {
    const dw_item_t *answer = dw_slots_answer (&s.slots);
    int64_t next_ns = dw_slots_next_ns (&s.slots), beat_ns = s_beat_ns ();
    if (answer && answer->at_ns < next_ns)
        next_ns = answer->at_ns;
    return beat_ns < next_ns ? beat_ns : next_ns;
}

/* What the coordinator has sent, and what has happened by now. */
static void s_go_on (void) {
    dw_sent_t sent;
    const dw_item_t *answer;
    while (dw_sockets_take (&sent))
        s_on_message (&sent);
    for (int64_t at_ns; (at_ns = s_next_ns ()) <= s.now_ns;)
        if (dw_slots_next_ns (&s.slots) == at_ns)
            dw_slots_happen (&s.slots);
        else if ((answer = dw_slots_answer (&s.slots)) && answer->at_ns == at_ns)
            s_answer ();
        else
            s_beat (at_ns);
    s_look_at_phase ();
}

void dw_world_look (void) {
    s_pass ();
    s_go_on ();
    s.mark_ns = dw_usage_cpu_ns ();
}

bool dw_world_wait (int64_t deadline_ns) {
    s_pass ();
    s_go_on ();
    while (!dw_sockets_have_come () && s.now_ns < deadline_ns && s.phase != OVER) {
        int64_t next_ns = s_next_ns ();
        s.now_ns = next_ns < deadline_ns ? next_ns : deadline_ns;
        if (s.now_ns == INT64_MAX)
            break;
        s_go_on ();
    }
    s.mark_ns = dw_usage_cpu_ns ();
    return s.phase != OVER && s.now_ns != INT64_MAX;
}

void dw_world_nap (int64_t ns) {
    s_pass ();
    s.now_ns += ns;
}

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_make_world (void) {
    uint64_t nodes = s_parameters[NODES].value;
    s.workers_count = (uint32_t) s_parameters[WORKERS].value;
    s.slots_each = (uint32_t) s_parameters[SLOTS].value;
    s.runs_count = (uint32_t) ((s_parameters[TASKS].value + nodes - 1) / nodes);
    uint32_t count = s.workers_count * s.slots_each;
    s.slots_peers = calloc (count, sizeof *s.slots_peers);
    s.slots_numbers = calloc (count, sizeof *s.slots_numbers);
    s.agents_peers = calloc (s.workers_count, sizeof *s.agents_peers);
    s.beats_ns = calloc (s.workers_count, sizeof *s.beats_ns);
    s.beating = calloc (s.workers_count, sizeof *s.beating);
    s.payload = malloc (s_parameters[PAYLOAD].value);
    s.looks_ns = dw_usage_looks_ns ();
    int err = dw_slots_init (&s.slots, count, s_parameters[TASK_US].value,
                             (int64_t) s_parameters[LATENCY_US].value * 1000);
    if (err || !s.slots_peers || !s.slots_numbers || !s.agents_peers || !s.beats_ns || !s.beating ||
        !s.payload)
        return DW_ENOMEM;
    memset (s.payload, 'x', s_parameters[PAYLOAD].value);
    s.payload[0] = 0xc4;
    s.payload[1] = (uint8_t) (s_parameters[PAYLOAD].value - HEAD_BYTES);
    return DW_OK;
}

static int s_make_graph (dw_graph_t *graph) {
    char id[24];
    int node = graph ? 0 : DW_ENOMEM;
    for (uint64_t i = 0; i < s_parameters[NODES].value && node >= 0; i++) {
        snprintf (id, sizeof id, "n%" PRIu64, i);
        node = dw_graph_add (graph, id, "identity");
    }
    if (node < 0)
        return node;
    dw_graph_options (graph)->actors = DW_ACTORS_POOL;
    dw_graph_options (graph)->max_concurrency = s.slots.count;
    return DW_OK;
}

static int s_measure (const dw_program_t *program, zmq_msg_t *packed, dw_error_t *error) {
    dw_coordinator_options_t options = {.program = program,
                                        .listen = "tcp://127.0.0.1:*",
                                        .name = "crowd",
                                        .packed = packed,
                                        .digest = dw_plan_digest (program->plan),
                                        .no_actors = true,
                                        .slots_max = s.slots.count,
                                        .heartbeat_ms = HEARTBEAT_MS,
                                        .silence_ms = 3 * HEARTBEAT_MS,
                                        .stalled_ms = 60 * HEARTBEAT_MS,
                                        .connections_max = s.slots.count + s.workers_count + 1,
                                        .runs_max = s.runs_count,
                                        .clients_max = 1,
                                        .cpus_count = 2};
    dw_coordinator_t *coordinator = NULL;
    double before = dw_allocator_bytes ();
    s.mark_ns = dw_usage_cpu_ns ();
    int err = dw_coordinator_new (&coordinator, &options, error);
    if (err)
        return err;
    s.bytes = dw_allocator_bytes () - before;
    s_say_hello (DW_WIRE_CLIENT, program->token, 0);
    s_say (DW_WAY_NEAR, 0);
    s.mark_ns = dw_usage_cpu_ns ();
    dw_sockets_run ();
    dw_coordinator_destroy (&coordinator);
    if (s.phase != OVER || s.wrong_count)
        return dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE,
                             "%" PRIu64 " things went wrong, and %" PRIu64 " of %" PRIu32
                             " runs have ended",
                             s.wrong_count, s.ended_count, s.runs_count);
    return s.slots.no_memory ? DW_ENOMEM : DW_OK;
}

static int s_make_and_measure (dw_error_t *error) {
    dw_processors_t *processors = dw_processors_new ();
    dw_graph_t *graph = dw_graph_new ();
    dw_program_t *program = NULL;
    dw_writer_t writer = {0};
    zmq_msg_t packed;
    zmq_msg_init (&packed);
    int err = s_make_world ();
    if (!err)
        err = processors ? s_make_graph (graph) : DW_ENOMEM;
    if (!err)
        err = dw_program_new (&program, graph, processors, error);
    if (!err) {
        dw_pack_graph (graph, &writer);
        err = writer.no_memory || zmq_msg_init_size (&packed, writer.count) ? DW_ENOMEM : DW_OK;
    }
    if (!err) {
        memcpy (zmq_msg_data (&packed), writer.bytes, writer.count);
        err = s_measure (program, &packed, error);
    }
    zmq_msg_close (&packed);
    dw_writer_free (&writer);
    dw_program_destroy (&program);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "crowd",
        .help = "Simulates very many workers around one coordinator: what it does in a second of "
                "one core's time, how much it remembers of a worker, and how much travels.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    s.figures = &figures;
    int err = s_make_and_measure (figures.error);
    s_forget ();
    dw_slots_free (&s.slots);
    free (s.slots_peers);
    free (s.slots_numbers);
    free (s.agents_peers);
    free (s.beats_ns);
    free (s.beating);
    free (s.payload);
    return dw_figures_end (&figures, s.hash, err);
}
