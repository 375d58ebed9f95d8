/* system.c - the actors of one graph: started in order, stopped in reverse. */

#include "actors/system.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "actors/clock.h"
#include "actors/coordinator.h"
#include "actors/door.h"
#include "actors/locate.h"
#include "actors/message.h"
#include "actors/option.h"
#include "actors/processors.h"
#include "runtime/core/graph.h"
#include "runtime/pack.h"

#define RUNS_MAX          1024u
#define CLIENTS_MAX       64u
#define CLOSE_MS          5000
#define CLOSE_MS_MIN      100 /* for actors that only have to be woken */
#define CLOSE_MS_MAX      3600000
#define SOON_NS           200000000 /* for threads that have nothing more to do but end */
#define SPARE_DESCRIPTORS 16u       /* of ZeroMQ's own, and one or two of the caller's */
#define SPARE_CONNECTIONS 32u       /* of those that come again before they are known to be gone */
#define SLOTS_MAX         1024u
#define HEARTBEAT_MS      1000u
#define SILENCE_MS        3000u
#define STALLED_MS        60000u
#define LOST_CLIENT_MS    60000u
#define KEEP_RUNS         1024u
#define KEEP_RUNS_MAX     16384u
#define KEEP_MS           3600000u
#define KEEP_BYTES        ((uint64_t) 64 << 20)
#define MS_MAX            3600000u
#define ANY_CONCURRENCY   65536u               /* as many as there are slots: so many, or more */
#define NETWORK_BYTES_MAX ((int64_t) 16 << 20) /* of a payload, where the graph says nothing */
#define REFER_MS          5000
#define PROBE_THREADS     4 /* ZeroMQ's own two, the coordinator's, and one for closing */

struct dw_system_t {
    void *context;
    dw_program_t *program;
    dw_processors_t *own_processors; /* the stock ones, when the caller gave none */
    dw_coordinator_t *coordinator;
    char name[256];   /* of the graph, for those elsewhere */
    zmq_msg_t packed; /* the graph, for them; has_packed: it is there */
    bool has_packed;
    void *owner; /* a DEALER to the coordinator */
};

/* ---- Opening ---------------------------------------------------------------------------------- */

/* How many descriptors this process has open; 0: unknown. */
static unsigned s_descriptors_open (void) {
    unsigned count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir (folder))
        count++;
    closedir (folder);
    return count;
}

/* What a socket with a door takes. */
static uint64_t s_door_files (uint32_t connections_max) {
    return (uint64_t) connections_max + DW_DOOR_BACKLOG + DW_DOOR_FILES;
}

/* ZeroMQ gives up (and, in its own parts, ends the program) when descriptors run out, so what will
 * be needed is worked out before: one for every socket, and where there is an endpoint one for each
 * end of its connection. */
static int s_check_descriptors (const dw_plan_t *plan, const dw_system_options_t *options,
                                dw_error_t *error) {
    struct rlimit limit;
    uint64_t peers = (uint64_t) plan->workers_count + options->clients_max;
    uint64_t need = (options->endpoint ? 3 * peers + s_door_files (SPARE_CONNECTIONS) : peers) +
                    SPARE_DESCRIPTORS;
    if (options->listen)
        need += s_door_files (options->connections_max);
    if (getrlimit (RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return DW_OK;
    uint64_t open = s_descriptors_open ();
    if (open + need <= limit.rlim_cur)
        return DW_OK;
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "%" PRIu64 " open files are needed for %" PRIu32 " actors, %" PRIu64
                         " are open, and the limit (RLIMIT_NOFILE) is %" PRIu64
                         ": raise it (ulimit -n %" PRIu64 "), or %s",
                         need, plan->workers_count, open, (uint64_t) limit.rlim_cur, open + need,
                         options->listen ? "have fewer connections (connections_max, slots_max, "
                                           "clients_max)"
                                         : "use actors: pool");
}

static void *s_probe (void *args) {
    (void) args;
    return NULL;
}

/* ZeroMQ ends the program when it cannot have its own threads, so as many are tried before. */
static int s_check_threads (dw_error_t *error) {
    dw_actor_t probes[PROBE_THREADS] = {0};
    int err = DW_OK;
    for (int i = 0; i < PROBE_THREADS && !err; i++)
        err = dw_actor_start (&probes[i], "dw-probe", 0, s_probe, NULL);
    for (int i = 0; i < PROBE_THREADS; i++)
        dw_actor_join (&probes[i], INT64_MAX);
    if (err)
        dw_error_add (
            error, err, DW_NOWHERE,
            "no thread for the coordinator: raise the limit of threads (RLIMIT_NPROC, ulimit -u) or "
            "of memory");
    return err;
}

static int s_make_context (dw_system_t *self, const dw_plan_t *plan,
                           const dw_system_options_t *options, dw_error_t *error) {
    self->context = zmq_ctx_new ();
    if (!self->context)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no context of ZeroMQ: %s",
                             zmq_strerror (errno));
    uint32_t sockets = plan->workers_count + options->clients_max + SPARE_DESCRIPTORS +
                       2 * DW_DOOR_SOCKETS;
    bool has_network = options->endpoint || options->listen;
    return dw_option_set_context (self->context, sockets, has_network ? 1 : 0, error);
}

/* The owner's socket is there before the coordinator runs, so that closing can always reach it. */
static int s_connect_owner (dw_system_t *self, dw_error_t *error) {
    self->owner = zmq_socket (self->context, ZMQ_DEALER);
    if (!self->owner || !dw_option_set_int (self->owner, ZMQ_LINGER, 0) ||
        zmq_connect (self->owner, dw_coordinator_inproc (self->coordinator)))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no socket to the coordinator: %s",
                             zmq_strerror (errno));
    dw_packet_t packet = {0};
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_OWNER,
                             .token = self->program->token};
    dw_write_hello (&packet.head, &hello);
    int err = dw_packet_send (&packet, self->owner, NULL, 0);
    dw_packet_free (&packet);
    return err ? dw_error_add (error, err, DW_NOWHERE, "the coordinator cannot be reached") : err;
}

/* Planned again as what processes elsewhere will be sent: one lane for all nodes, as many tasks at
 * one time as there are slots, and payloads of a size that a network takes, where the graph says
 * nothing else. */
static int s_share (dw_system_t *self, const dw_graph_t *graph, const dw_processors_t *processors,
                    uint32_t slots_max, dw_error_t *error) {
    dw_graph_t *shared = NULL;
    dw_writer_t writer = {0};
    dw_pack_graph (graph, &writer);
    int err = writer.no_memory ? DW_ENOMEM
                               : dw_unpack_graph (&shared, writer.bytes, writer.count, error);
    dw_writer_clear (&writer);
    if (!err) {
        dw_graph_options_t *options = dw_graph_options (shared);
        options->actors = DW_ACTORS_POOL;
        if (options->max_concurrency == DW_UNSET)
            options->max_concurrency = slots_max > ANY_CONCURRENCY ? slots_max : ANY_CONCURRENCY;
        if (options->max_payload_bytes == DW_UNSET)
            options->max_payload_bytes = NETWORK_BYTES_MAX;
        dw_pack_graph (shared, &writer);
        dw_program_destroy (&self->program);
        err = dw_program_new (&self->program, shared, processors, error);
    }
    if (!err && !writer.no_memory && zmq_msg_init_size (&self->packed, writer.count) == 0) {
        memcpy (zmq_msg_data (&self->packed), writer.bytes, writer.count);
        self->has_packed = true;
    }
    dw_writer_free (&writer);
    dw_graph_destroy (&shared);
    return err || self->has_packed ? err
                                   : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
}

/* A recording holds the graph, too. */
static int s_pack (dw_system_t *self, const dw_graph_t *graph, dw_error_t *error) {
    dw_writer_t writer = {0};
    dw_pack_graph (graph, &writer);
    self->has_packed = !writer.no_memory && zmq_msg_init_size (&self->packed, writer.count) == 0;
    if (self->has_packed)
        memcpy (zmq_msg_data (&self->packed), writer.bytes, writer.count);
    dw_writer_free (&writer);
    return self->has_packed ? DW_OK : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
}

/* Nodes that only workers elsewhere may run are for a system that lets these come. */
static int s_check_demands (const dw_plan_t *plan, const dw_graph_t *graph, dw_error_t *error) {
    char shown[DW_DEMAND_SHOWN];
    for (uint32_t node = 0; node < plan->nodes_count && plan->demands; node++) {
        uint32_t lane = plan->lane[node];
        const dw_node_t *said = &graph->nodes[plan->declared[node]];
        if (!dw_plan_lane_is_free (plan, lane))
            return dw_error_add (
                error, DW_EGRAPH, (dw_place_t){graph->file, said->line, said->column},
                "node \"%s\" can only be run by a worker elsewhere (%s), and nobody "
                "can come: let the system listen (dagwood run --listen ENDPOINT, or "
                "dagwood coordinator), or take its type and workers away",
                plan->ids[node], dw_plan_show_demand (plan, lane, shown));
    }
    return DW_OK;
}

static int s_start_coordinator (dw_system_t *self, const dw_processors_t *processors,
                                const dw_system_options_t *options, dw_error_t *error) {
    dw_coordinator_options_t coordinator = {
        .context = self->context,
        .program = self->program,
        .endpoint = options->endpoint,
        .listen = options->listen,
        .keys = options->keys,
        .name = self->name,
        .packed = &self->packed,
        .digest = dw_plan_digest (self->program->plan),
        .no_actors = options->no_actors && options->listen,
        .no_workers_fail = options->no_workers_fail && options->listen,
        .slots_max = options->slots_max,
        .heartbeat_ms = options->heartbeat_ms,
        .silence_ms = options->silence_ms,
        .connections_max = options->connections_max,
        .own_connections_max = self->program->plan->workers_count + options->clients_max +
                               SPARE_CONNECTIONS,
        .stalled_ms = options->stalled_ms,
        .lease_ms = options->lease_ms,
        .lost_client_ms = options->lost_client_ms,
        .keep_bytes = options->keep_bytes,
        .keep_runs = options->keep_runs,
        .keep_ms = options->keep_ms,
        .runs_max = options->runs_max ? options->runs_max : RUNS_MAX,
        .clients_max = options->clients_max,
        .cpus_count = dw_processors_lookup (processors).cpus_count,
        .record = options->record,
        .record_bytes_max = options->record_bytes_max,
        .notice = options->notice,
        .notice_arg = options->notice_arg};
    return dw_coordinator_new (&self->coordinator, &coordinator, error);
}

static int s_open (dw_system_t *self, const dw_graph_t *graph, const dw_system_options_t *options,
                   dw_error_t *error) {
    const dw_processors_t *processors = options->processors;
    snprintf (self->name, sizeof self->name, "%s", options->name ? options->name : "graph");
    if (!processors)
        processors = self->own_processors = dw_processors_new ();
    if (!processors)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = dw_program_new (&self->program, graph, processors, error);
    if (!err && !options->listen)
        err = s_check_demands (self->program->plan, graph, error);
    if (!err && options->listen)
        err = s_share (self, graph, processors, options->slots_max, error);
    else if (!err && options->record)
        err = s_pack (self, graph, error);
    if (!err)
        err = s_check_descriptors (self->program->plan, options, error);
    if (!err)
        err = s_check_threads (error);
    if (!err)
        err = s_make_context (self, self->program->plan, options, error);
    if (!err)
        err = s_start_coordinator (self, processors, options, error);
    if (!err)
        err = s_connect_owner (self, error);
    return err;
}

/* Frees what no thread uses any more. */
static void s_free (dw_system_t *self) {
    dw_coordinator_destroy (&self->coordinator);
    if (self->owner)
        zmq_close (self->owner);
    if (self->context)
        zmq_ctx_term (self->context); /* waits for clients that are still there */
    dw_program_destroy (&self->program);
    dw_processors_destroy (&self->own_processors);
    if (self->has_packed)
        zmq_msg_close (&self->packed);
    free (self);
}

static dw_system_options_t s_settle (const dw_system_options_t *asked) {
    dw_system_options_t options = *asked;
    options.slots_max = options.slots_max ? options.slots_max : SLOTS_MAX;
    options.clients_max = options.clients_max ? options.clients_max : CLIENTS_MAX;
    if (options.connections_max == 0) /* one for each slot, agent and client */
        options.connections_max = 2 * options.slots_max + options.clients_max + SPARE_CONNECTIONS;
    options.heartbeat_ms = options.heartbeat_ms ? options.heartbeat_ms : HEARTBEAT_MS;
    options.silence_ms = options.silence_ms ? options.silence_ms : SILENCE_MS;
    options.stalled_ms = options.stalled_ms ? options.stalled_ms : STALLED_MS;
    options.lost_client_ms = options.lost_client_ms ? options.lost_client_ms : LOST_CLIENT_MS;
    options.keep_bytes = options.keep_bytes ? options.keep_bytes : KEEP_BYTES;
    options.keep_runs = options.keep_runs ? options.keep_runs : KEEP_RUNS;
    options.keep_ms = options.keep_ms ? options.keep_ms : KEEP_MS;
    return options;
}

static int s_check_options (const dw_system_options_t *options, dw_error_t *error) {
    if (!options->listen && (options->keys || options->no_actors || options->no_workers_fail))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "keys, no_actors and no_workers_fail are of a system that listens for "
                             "processes elsewhere");
    if (options->silence_ms / 2 < options->heartbeat_ms || options->silence_ms > MS_MAX)
        return dw_error_add (
            error, DW_EINVAL, DW_NOWHERE,
            "silence_ms (%u) must be at least two heartbeats (%u ms each) and at most %u",
            (unsigned) options->silence_ms, (unsigned) options->heartbeat_ms, MS_MAX);
    if (options->keep_runs > KEEP_RUNS_MAX)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "keep_runs is at most %u",
                             KEEP_RUNS_MAX);
    if (options->slots_max > DW_CONCURRENCY_MAX)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "slots_max is at most %u",
                             DW_CONCURRENCY_MAX);
    return DW_OK;
}

int dw_system_open (dw_system_t **self_p, const dw_graph_t *graph,
                    const dw_system_options_t *options, dw_error_t *error) {
    static const dw_system_options_t defaults = {0};
    if (!self_p || !graph)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "a system needs a graph");
    dw_system_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    dw_system_options_t settled = s_settle (options ? options : &defaults);
    int err = s_check_options (&settled, error);
    if (!err)
        err = s_open (self, graph, &settled, error);
    if (!err) {
        *self_p = self;
        return DW_OK;
    }
    if (self->coordinator) {
        zmq_ctx_shutdown (self->context);
        dw_coordinator_join (self->coordinator, INT64_MAX);
    }
    s_free (self);
    return err;
}

/* ---- Closing ---------------------------------------------------------------------------------- */

/* Asks the coordinator to close and waits for its word; adds who is stuck to error. */
static int s_ask_to_close (dw_system_t *self, uint32_t timeout_ms, dw_error_t *error) {
    dw_packet_t packet = {0};
    dw_message_t message = {0};
    int err = DW_OK;
    dw_write_uint (&packet.head, DW_WIRE_CLOSE);
    dw_write_uint (&packet.head, timeout_ms);
    dw_packet_send (&packet, self->owner, NULL, 0);
    dw_packet_free (&packet);
    /* The coordinator keeps to the time; the rest is for one that a processor holds up. */
    zmq_pollitem_t item = {.socket = self->owner, .events = ZMQ_POLLIN};
    int ready = zmq_poll (&item, 1, (long) timeout_ms + 2000);
    if (ready == 0)
        err = dw_error_add (error, DW_ESTUCK, DW_NOWHERE,
                            "the coordinator is still in a processor that promised to be brief, "
                            "and was left behind");
    if (ready > 0 && dw_message_receive (&message, self->owner) == DW_OK) {
        size_t size;
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        dw_read_uint (&reader);
        while (dw_wire_reader_has_more (&reader)) {
            const char *who = dw_read_str (&reader, 256, &size);
            if (who)
                err = dw_error_add (error, DW_ESTUCK, DW_NOWHERE,
                                    "%.*s is still in its processor and was left behind",
                                    (int) size, who);
        }
    }
    dw_message_free (&message);
    return err;
}

/* What is left to be done when somebody still runs: the undertaker waits for the threads and the
 * clients that were left behind, however long, and then frees what they used. */
static void *s_undertaker (void *args) {
    dw_system_t *self = args;
    if (self->coordinator)
        dw_coordinator_join (self->coordinator, INT64_MAX);
    s_free (self);
    return NULL;
}

int dw_system_close (dw_system_t **self_p, int timeout_ms, dw_error_t *error) {
    dw_system_t *self = *self_p;
    if (!self)
        return DW_OK;
    *self_p = NULL;
    if (timeout_ms < 0)
        timeout_ms = CLOSE_MS;
    else if (timeout_ms < CLOSE_MS_MIN)
        timeout_ms = CLOSE_MS_MIN;
    else if (timeout_ms > CLOSE_MS_MAX)
        timeout_ms = CLOSE_MS_MAX;
    int64_t by_ns = dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    int err = s_ask_to_close (self, (uint32_t) timeout_ms, error);
    zmq_ctx_shutdown (self->context); /* from here on clients get DW_ECLOSED */
    int64_t soon_ns = dw_clock_ns () + SOON_NS;
    bool is_over = !err &&
                   dw_coordinator_join (self->coordinator, by_ns < soon_ns ? soon_ns : by_ns);
    if (!err && !is_over)
        err = dw_error_add (error, DW_ESTUCK, DW_NOWHERE, "a thread did not end in time");
    if (is_over) /* stops the instances: the caller's processors are free when this returns */
        dw_coordinator_destroy (&self->coordinator);
    dw_actor_t undertaker = {0};
    if (dw_actor_start (&undertaker, "dw-undertaker", 0, s_undertaker, self)) {
        /* No thread to be had: what is left behind stays allocated, which is better than to
         * hang. */
        if (is_over)
            s_free (self);
        return err;
    }
    /* When all threads are over only a client that is still there can hold it up. */
    if (!is_over || !dw_actor_join (&undertaker, dw_clock_ns () + SOON_NS))
        dw_actor_leave (&undertaker);
    return err;
}

uint32_t dw_system_counts (dw_system_t *self, uint64_t *messages_p, uint64_t *steps,
                           uint32_t steps_max) {
    dw_packet_t packet = {0};
    dw_message_t message = {0};
    uint32_t count = 0;
    dw_write_uint (&packet.head, DW_WIRE_COUNT);
    dw_packet_send (&packet, self->owner, NULL, 0);
    dw_packet_free (&packet);
    zmq_pollitem_t item = {.socket = self->owner, .events = ZMQ_POLLIN};
    if (zmq_poll (&item, 1, 1000) > 0 && dw_message_receive (&message, self->owner) == DW_OK) {
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        dw_read_uint (&reader);
        *messages_p = dw_read_uint (&reader);
        while (dw_wire_reader_has_more (&reader) && count < steps_max)
            steps[count++] = dw_read_uint (&reader);
    }
    dw_message_free (&message);
    return count;
}

void *dw_system_context (const dw_system_t *self) {
    return self->context;
}

const char *dw_system_endpoint (const dw_system_t *self) {
    return dw_coordinator_endpoint (self->coordinator);
}

const char *dw_system_listening (const dw_system_t *self) {
    return dw_coordinator_listening (self->coordinator);
}

void dw_system_reload_keys (dw_system_t *self) {
    dw_packet_t packet = {0};
    dw_write_uint (&packet.head, DW_WIRE_RELOAD);
    dw_packet_send (&packet, self->owner, NULL, 0);
    dw_packet_free (&packet);
}

const uint8_t *dw_system_token (const dw_system_t *self) {
    return self->program->token;
}

/* ---- Several graphs --------------------------------------------------------------------------- */

/* Whether the coordinator says that it knows so many. */
static int s_await_referred (dw_system_t *self, size_t count) {
    dw_message_t message = {0};
    zmq_pollitem_t item = {.socket = self->owner, .events = ZMQ_POLLIN};
    int err = zmq_poll (&item, 1, REFER_MS) > 0 ? dw_message_receive (&message, self->owner)
                                                : DW_ETIMEDOUT;
    if (!err) {
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        dw_read_uint (&reader);
        err = dw_read_uint (&reader) == count ? DW_OK : DW_ENOMEM;
    }
    dw_message_free (&message);
    return err;
}

/* By what the endpoint of another system differs from that of the first: its port, or the number
 * behind the file; 0: it is not one of those. */
static unsigned long s_place (const char *first, const char *other) {
    const char *colon = strrchr (other, ':');
    size_t size = strlen (first);
    if (strncmp (first, "tcp://", 6) == 0 && strncmp (other, "tcp://", 6) == 0)
        return strtoul (colon + 1, NULL, 10);
    if (strncmp (first, "ipc://", 6) == 0 && strncmp (other, first, size) == 0 &&
        other[size] == '.')
        return strtoul (other + size + 1, NULL, 10);
    return 0;
}

static int s_check_place (const dw_system_t *self, const dw_system_t *other, dw_error_t *error) {
    if (strcmp (self->name, other->name) == 0)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "two graphs are named \"%s\"",
                             self->name);
    unsigned long place = s_place (dw_system_listening (self), dw_system_listening (other));
    if (place > 0 && place <= UINT16_MAX)
        return DW_OK;
    return dw_error_add (
        error, DW_EINVAL, DW_NOWHERE,
        "the graph \"%s\" listens at \"%s\", which cannot be found from \"%s\": it must be another "
        "port, or FILE.NUMBER",
        other->name, dw_system_listening (other), dw_system_listening (self));
}

int dw_system_refer (dw_system_t *self, dw_system_t *const *others, size_t count,
                     dw_error_t *error) {
    dw_packet_t packet = {0};
    int err = count <= DW_GRAPHS_MAX - 1
                  ? DW_OK
                  : dw_error_add (error, DW_EINVAL, DW_NOWHERE, "at most %u graphs", DW_GRAPHS_MAX);
    for (size_t i = 0; i < count && !err; i++) {
        err = s_check_place (self, others[i], error);
        for (size_t k = 0; k < i && !err; k++)
            if (strcmp (others[k]->name, others[i]->name) == 0)
                err = dw_error_add (error, DW_EINVAL, DW_NOWHERE, "two graphs are named \"%s\"",
                                    others[i]->name);
    }
    if (err)
        return err;
    dw_write_uint (&packet.head, DW_WIRE_REFER);
    dw_write_array (&packet.head, (uint32_t) count);
    for (size_t i = 0; i < count; i++) {
        dw_write_str (&packet.head, others[i]->name, strlen (others[i]->name));
        dw_write_uint (&packet.head,
                       s_place (dw_system_listening (self), dw_system_listening (others[i])));
    }
    err = dw_packet_send (&packet, self->owner, NULL, 0);
    dw_packet_free (&packet);
    if (!err)
        err = s_await_referred (self, count);
    return err ? dw_error_add (error, err, DW_NOWHERE, "the coordinator cannot be reached") : err;
}
