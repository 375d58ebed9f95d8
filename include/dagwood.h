/* dagwood.h - runs a directed acyclic graph of processors as actors: for callers.
 *
 *     graph  --dw_system_open-->  system  --dw_client_new-->  client  --submit, wait-->  result
 *
 * A graph is described (in C or in a YAML file), a system opens it with its actors, any number of
 * clients submit runs to the system, and every run ends with one result that has an entry for every
 * node. The library has no global state, installs no signal handler and never exits: a program may
 * hold several systems at once.
 *
 * Threads: a graph and an error list belong to one thread at a time. A system is opened and closed
 * by one thread; any thread may make clients of it. A client and its results belong to the thread
 * that made the client: one client a thread, no lock.
 *
 * Errors: a call returns 0 (DW_OK) or one of the negative dw_err_t. Where it takes a dw_error_t
 * that is not NULL, every problem found is added to that list as a message that names the thing,
 * the place and the remedy. A call that fails changes nothing. */

#ifndef DAGWOOD_H
#define DAGWOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DW_EXPORT              __attribute__ ((visibility ("default")))
#define DW_PRINTF(text, first) __attribute__ ((format (printf, text, first)))
#else
#define DW_EXPORT
#define DW_PRINTF(text, first)
#endif

#define DW_VERSION_MAJOR 0
#define DW_VERSION_MINOR 1
#define DW_VERSION_PATCH 0

/* The version of the library that is running, for example "0.1.0". */
DW_EXPORT const char *dw_version (void);

/* ---- Errors ------------------------------------------------------------------------------- */

/* name, value, text of dw_err_text */
#define DW_ERRORS(X)                                                       \
    X (DW_OK, 0, "no error")                                               \
    X (DW_EINVAL, -1, "an argument makes no sense")                        \
    X (DW_ENOMEM, -2, "out of memory")                                     \
    X (DW_EGRAPH, -3, "the graph is wrong")                                \
    X (DW_EFILE, -4, "the file cannot be read")                            \
    X (DW_ELIMIT, -5, "the system refuses threads, memory or descriptors") \
    X (DW_EAGAIN, -6, "not now: a limit is reached")                       \
    X (DW_ETIMEDOUT, -7, "the time given has passed")                      \
    X (DW_ETOOLARGE, -8, "the payload is larger than max_payload_bytes")   \
    X (DW_ESTUCK, -9, "an actor did not stop and was left behind")         \
    X (DW_ECLOSED, -10, "the system is closed")                            \
    X (DW_EPROTOCOL, -11, "the peer's message makes no sense")             \
    X (DW_ENOENT, -12, "no such thing")                                    \
    X (DW_EPROCESSOR, -13, "a processor cannot start")                     \
    X (DW_EKEY, -14, "a key is missing or refused")                        \
    X (DW_ENOBODY, -15, "no coordinator answers there")                    \
    X (DW_ELOST, -16, "the coordinator was lost")                          \
    X (DW_EREFUSED, -17, "the coordinator refused")

typedef enum dw_err_t {
#define X(name, value, text) name = value,
    DW_ERRORS (X)
#undef X
} dw_err_t;

/* One sentence for err; never NULL. */
DW_EXPORT const char *dw_err_text (int err);

/* A list of messages: of one file in the order of their lines, else in the order found. Errors and
 * warnings each are one message. */
typedef struct dw_error_t dw_error_t;

/* NULL when there is no memory; every function that takes a list takes NULL as "do not tell me". */
DW_EXPORT dw_error_t *dw_error_new (void);
DW_EXPORT void dw_error_destroy (dw_error_t **self_p);
/* The first error's dw_err_t; DW_OK while there is none (warnings are none). */
DW_EXPORT int dw_error_code (const dw_error_t *self);
/* How many messages there are, errors and warnings. */
DW_EXPORT size_t dw_error_count (const dw_error_t *self);
/* One message without a newline, such as "g.yaml:3:5: error: ..."; "" when there is none with this
 * index; valid until self changes. */
DW_EXPORT const char *dw_error_message (const dw_error_t *self, size_t index);
/* All messages, each ended by a newline; "" when there is none; valid until self changes. */
DW_EXPORT const char *dw_error_text (const dw_error_t *self);

/* ---- The graph as described --------------------------------------------------------------- */

typedef struct dw_graph_t dw_graph_t;

typedef enum dw_strategy_t {
    DW_HYBRID,     /* per lane, from the plan and the measured task times; the default */
    DW_WORK_QUEUE, /* a queue in priority order */
    DW_LEVEL,      /* a barrier between topological levels */
    DW_REACTIVE,   /* in the order in which the last dependencies were met */
} dw_strategy_t;

typedef enum dw_failure_strategy_t {
    DW_FAIL_FAST,         /* cancel what runs, skip what waits; the default */
    DW_CONTINUE_ON_ERROR, /* what depends on the failed node is skipped, the rest runs */
    DW_BEST_EFFORT,       /* dependents run; a failed transform is passed over as a payload */
} dw_failure_strategy_t;

typedef enum dw_actors_t {
    DW_ACTORS_AUTO,   /* thread up to 256 nodes, pool beyond; the default */
    DW_ACTORS_THREAD, /* an actor thread per node */
    DW_ACTORS_POOL,   /* pool_size actors that each host every node */
} dw_actors_t;

typedef enum dw_priority_t {
    DW_RANK,          /* topological level, transforms before analyzers, declaration; the default */
    DW_CRITICAL_PATH, /* the longest remaining path of cost_us first */
} dw_priority_t;

typedef enum dw_intent_t {
    DW_INTENT_DEFAULT, /* what the processor says of itself */
    DW_TRANSFORM,      /* its output becomes its descendants' payload */
    DW_ANALYZE,        /* its output is its own result; it contributes metadata */
} dw_intent_t;

/* When a node runs whose dependencies did not all come to something: a processor may end its branch
 * (dw_call_skip), after which its node is skipped, and nodes fail. Decided when all dependencies
 * have ended, so it never depends on time. */
typedef enum dw_join_t {
    /* failures as failure_strategy says; skipped dependencies are passed over while there is one
     * that was not skipped; when all were, so is the node */
    DW_JOIN_DEFAULT,
    DW_JOIN_ALL_DONE, /* when all dependencies have ended, whatever they came to */
    DW_JOIN_ALL_OK,   /* when every dependency is done, else it is skipped */
    DW_JOIN_ANY_OK,   /* when one dependency is done; the others are passed over */
} dw_join_t;

/* "Not said": the default, or for a node what the graph says. */
#define DW_UNSET INT64_MIN

/* Waits between attempts: initial_us, then factor times as long each time, at most max_us, each
 * varied by up to jitter (0 to 1) times itself. */
typedef struct dw_backoff_t {
    int64_t initial_us; /* default 100,000 */
    int64_t max_us;     /* default 10,000,000 */
    double factor;      /* >= 1, default 2 */
    double jitter;      /* default 0.1 */
} dw_backoff_t;

/* What a graph file says in strategy, failure_strategy and executor_options. */
typedef struct dw_graph_options_t {
    dw_strategy_t strategy;
    dw_failure_strategy_t failure_strategy;
    dw_actors_t actors;
    dw_priority_t priority;
    int64_t pool_size;         /* worker actors of a pool;              default CPUs available */
    int64_t max_concurrency;   /* tasks executing at one time, >= 1;    default CPUs available */
    int64_t timeout_us;        /* per attempt;                          default none */
    int64_t retry_attempts;    /* attempts after the first;             default 0 */
    int64_t batch_size;        /* most tasks in one message;            default automatic */
    int64_t max_payload_bytes; /* of an input or output;  default 256 MiB, listening 16 MiB */
    dw_backoff_t backoff;
    int64_t added_nodes_max; /* nodes that a run may be added in all; default 10,000 */
    int64_t added_depth_max; /* how deep what is added may add again; default 64 */
} dw_graph_options_t;

/* What a graph file says of one node; DW_UNSET: as the graph. */
typedef struct dw_node_options_t {
    dw_intent_t intent;
    int64_t timeout_us;
    int64_t retry_attempts;
    int64_t cost_us; /* how long it is thought to take, for the critical path; default 1 */
    dw_backoff_t backoff;
    bool has_backoff; /* backoff is this node's own */
    /* `idempotent: false`: it is never sent again when its worker was lost and it may have begun;
     * it then fails with 503. (An attempt that failed, or took too long, is repeated as
     * retry_attempts says.) */
    bool not_idempotent;
    dw_join_t join;
} dw_node_options_t;

/* An empty graph, which is valid; NULL when there is no memory. */
DW_EXPORT dw_graph_t *dw_graph_new (void);
/* Reads a graph file: YAML, or JSON when the name ends in .json.
 * Errors: DW_EFILE it cannot be read; DW_EGRAPH with every problem as FILE:LINE:COLUMN. */
DW_EXPORT int dw_graph_load (dw_graph_t **self_p, const char *file, dw_error_t *error);
DW_EXPORT void dw_graph_destroy (dw_graph_t **self_p);
/* Adds a node and returns its index (0, 1, ...) for the calls below. Strings are copied.
 * Errors: DW_EINVAL a NULL string; DW_ELIMIT a graph has at most 16,000,000 nodes; DW_ENOMEM.
 * Duplicate and empty ids are found by validation, as are names that say nothing. */
DW_EXPORT int dw_graph_add (dw_graph_t *self, const char *id, const char *processor);
/* node depends on the node with the id on, which may be added later; a repeated one counts once.
 * Errors, here and of all calls below that name a node: DW_EINVAL there is no such node, or a NULL
 * string; DW_ENOMEM; here also DW_ELIMIT more than 2^30 dependencies. */
DW_EXPORT int dw_graph_depend (dw_graph_t *self, int node, const char *on);
/* Names whose output is the node's payload: an ancestor's id, or "run" for the run's input. */
DW_EXPORT int dw_graph_set_input (dw_graph_t *self, int node, const char *ancestor);
/* Only a worker elsewhere may run the node (in a graph file: type: remote), or only one that was
 * started with this tag (workers: {tag: value}). Each tag has one value, the later one; all that
 * were asked for must match. Names have 1 to 63 letters, digits and any of ._-/, values 1 to 255
 * printable characters of ASCII, which validation checks. Such a graph can be opened only by a
 * system that listens, and has at most 64 different demands.
 * Errors: DW_ELIMIT more than 16 tags. */
DW_EXPORT int dw_graph_set_remote (dw_graph_t *self, int node);
DW_EXPORT int dw_graph_require_tag (dw_graph_t *self, int node, const char *tag, const char *value);
/* The node, whose processor may add graphs to its run (dw_call_add_graph), may add nodes with this
 * processor (in a graph file: adds: [processor]). Errors: DW_ELIMIT more than 64. */
DW_EXPORT int dw_graph_allow (dw_graph_t *self, int node, const char *processor);
/* Sets one option of the node's processor. One of those that it passes on to a processor that it
 * adds has a name such as "options.prefix" (in a graph file: options: {prefix: ...} among its
 * options). */
DW_EXPORT int dw_graph_set_text (dw_graph_t *self, int node, const char *option, const char *value);
DW_EXPORT int dw_graph_set_integer (dw_graph_t *self, int node, const char *option, int64_t value);
DW_EXPORT int dw_graph_set_number (dw_graph_t *self, int node, const char *option, double value);
DW_EXPORT int dw_graph_set_boolean (dw_graph_t *self, int node, const char *option, bool value);
/* The settings, for the caller to change; owned by self. Of a node: NULL when there is no such
 * node, or no memory. */
DW_EXPORT dw_graph_options_t *dw_graph_options (dw_graph_t *self);
DW_EXPORT dw_node_options_t *dw_graph_node_options (dw_graph_t *self, int node);
DW_EXPORT size_t dw_graph_nodes_count (const dw_graph_t *self);

/* ---- Processors that graphs may name ------------------------------------------------------ */

struct dw_processor_t; /* dagwood_processor.h */
struct dw_call_t;

typedef struct dw_processors_t dw_processors_t;

/* The set of the stock processors, to which the caller adds; NULL when there is no memory. */
DW_EXPORT dw_processors_t *dw_processors_new (void);
/* A set without any, for who wants some of the stock ones (dw_processors_find of another set, then
 * dw_processors_add) or only processors of their own; NULL when there is no memory. */
DW_EXPORT dw_processors_t *dw_processors_new_empty (void);
DW_EXPORT void dw_processors_destroy (dw_processors_t **self_p);
/* Adds a processor; the table is copied, what it points to is borrowed for the set's life.
 * Errors: DW_EINVAL no name, no process function, or a name that is taken; DW_ENOMEM. */
DW_EXPORT int dw_processors_add (dw_processors_t *self, const struct dw_processor_t *processor);
/* The shortcut: a transform that is one function, called with arg. */
DW_EXPORT int dw_processors_add_function (dw_processors_t *self, const char *name,
                                          int (*process) (struct dw_call_t *call, void *arg),
                                          void *arg);
/* By index in alphabetical order, or by name; NULL when there is none. */
DW_EXPORT size_t dw_processors_count (const dw_processors_t *self);
DW_EXPORT const struct dw_processor_t *dw_processors_at (const dw_processors_t *self, size_t index);
DW_EXPORT const struct dw_processor_t *dw_processors_find (const dw_processors_t *self,
                                                           const char *name);

/* Everything that is wrong with the graph, at once; warnings too. processors NULL: the stock ones.
 * Errors: DW_EGRAPH. */
DW_EXPORT int dw_graph_validate (const dw_graph_t *self, const dw_processors_t *processors,
                                 dw_error_t *error);

/* ---- A system: the actors of one graph ---------------------------------------------------- */

typedef struct dw_system_t dw_system_t;

typedef struct dw_system_options_t {
    /* borrowed until the system is closed; NULL: the stock ones */
    const dw_processors_t *processors;
    const char *endpoint; /* where the actors find the coordinator: NULL for inproc, else ipc:// or
                             tcp://127.0.0.1:* */
    uint32_t runs_max;    /* runs in flight a client; 0: 1024 */
    uint32_t clients_max; /* 0: 64 */
    /* Told what the caller should know and no result says, such as a stuck actor: one line without
     * a newline, called on the coordinator's thread; NULL: not told. */
    void (*notice) (void *arg, const char *line);
    void *notice_arg;
    /* Where processes elsewhere find the coordinator: workers that run this graph's nodes, clients
     * that submit runs, whoever asks for its status. ipc:// or tcp://; beyond this machine only
     * with keys. NULL: none may. */
    const char *listen;
    const char *keys; /* folder of coordinator.key and allowed (docs/SECURITY.md); NULL: no keys */
    const char *name; /* of the graph, for those who ask for it, cut to 255 bytes; NULL: "graph" */
    bool no_actors; /* with listen: every node is run by workers elsewhere, none in this process */
    uint32_t slots_max; /* of workers elsewhere, at most 262144; 0: 1024 */
    /* at one time where it listens, before they are let in too, after which who comes waits; 0: 2 *
     * slots_max + clients_max + 32 */
    uint32_t connections_max;
    uint32_t heartbeat_ms; /* how often they and the coordinator say that they are there; 0: 1000 */
    uint32_t silence_ms;   /* after how long a silent one is lost; 0: 3000 */
    bool no_workers_fail; /* nodes that nobody who is there may run fail with 503; else they wait */
    /* File that all is recorded to that decides what the system does, for `dagwood replay` and
     * `dagwood why` (docs/RECORDING.md). NULL: nothing is recorded. When it cannot be written on,
     * notice is told and the runs go on. */
    const char *record;
    uint64_t record_bytes_max; /* how large it may become; 0: 256 MiB */
    /* With listen: for how long a run may have something ready that no worker serves, and a worker
     * be at one task, before that is said: by notice, to the client whose run it is, and in the
     * status. 0: 60,000. */
    uint32_t stalled_ms;
    /* With listen: after how long at one task, without an answer, a worker is given up as if it had
     * gone down; where it is a process it is killed, else its thread is left to itself. For what no
     * timeout_seconds bounds. 0: never. */
    uint32_t lease_ms;
    /* how long a client elsewhere whose connection was cut may come back: its runs go on meanwhile;
     * 0: 60000 */
    uint32_t lost_client_ms;
    uint32_t keep_ms; /* how long the result of a detached run is kept; 0: 3600000 */
    /* detached runs under way or kept; the oldest results are dropped; 0: 1024 */
    uint32_t keep_runs;
    /* of results kept for a client that is away, and of detached runs in all; the oldest are
     * dropped; 0: 64 MiB */
    uint64_t keep_bytes;
} dw_system_options_t;

/* Opens a system: validates and compiles the graph (borrowed, not kept), then starts every actor.
 * Either all of them run or none does. options NULL: all defaults.
 * Errors: DW_EGRAPH; DW_ELIMIT which limit and the remedy; DW_EPROCESSOR the node whose processor
 * cannot start and why; DW_EINVAL, DW_EKEY the endpoint is none, or can be reached from other
 * machines, for which there are no keys; DW_EFILE record cannot be written; DW_ENOMEM. */
DW_EXPORT int dw_system_open (dw_system_t **self_p, const dw_graph_t *graph,
                              const dw_system_options_t *options, dw_error_t *error);
/* Closes: cancels the runs in flight, stops the actors, joins their threads. Waits at most
 * timeout_ms (negative: 5000; never less than 100, which actors need to end) for processors that
 * still run; then leaves their threads behind.
 * Clients and their results outlive the system and only say DW_ECLOSED.
 * Errors: DW_ESTUCK error names the nodes that still run; everything else is released. What they
 * use is released when they return, if they do: until the program ends processors, and what these
 * point to, must then stay. */
DW_EXPORT int dw_system_close (dw_system_t **self_p, int timeout_ms, dw_error_t *error);

/* Where it listens for processes elsewhere, with the port that it got; "" when it does not. Valid
 * for the system's life. */
DW_EXPORT const char *dw_system_listening (const dw_system_t *self);
/* Has the coordinator read its list of allowed keys anew: who is no longer on it is out at once.
 * What comes of it is told to notice. By the thread that opened the system. */
DW_EXPORT void dw_system_reload_keys (dw_system_t *self);

/* Several graphs in one process: each is a system of its own, and whoever connects to the first one
 * by the name of another's graph (dw_connect_options_t.graph) is sent there. The others listen at
 * other ports of the same address, or where it listens at ipc://FILE at FILE.2, FILE.3 ...; with
 * the same keys. By the thread that opened self; others are not kept. Errors: DW_EINVAL two have
 * one name, or one cannot be found so. */
DW_EXPORT int dw_system_refer (dw_system_t *self, dw_system_t *const *others, size_t count,
                               dw_error_t *error);

/* ---- A client: submits runs and receives results ------------------------------------------ */

typedef struct dw_client_t dw_client_t;
typedef struct dw_result_t dw_result_t;

typedef struct dw_submission_t {
    const void *payload; /* one msgpack value, or text when is_text; copied */
    size_t size;         /* bytes */
    bool is_text;        /* payload is plain bytes: sent as a str, or a bin if not UTF-8 */
    const char *const
        *outputs;         /* ids of the wanted nodes: only they and their ancestors run, and */
    size_t outputs_count; /* only they keep a payload; 0: every node runs and keeps it */
    uint32_t deadline_ms; /* a run that has not ended after so long has failed, at the nodes that it
                             is at (408); 0: none */
    int wait_ms;          /* when the client's runs_max is reached: negative waits until a run
                                     ends, 0 refuses at once, else waits so long */
    uint64_t number; /* the run's number, larger than any before; 0: one more than the last one's */
    /* another one follows at once: this one may wait for it, and travel in one message with up to
     * 63 others; the client's next call of another kind sends what waits */
    bool more;
} dw_submission_t;

/* A client of a system in this process, which it may outlive. Waits until the coordinator has it.
 * Errors: DW_EINVAL; DW_ELIMIT more than clients_max; DW_ECLOSED; DW_ENOMEM. */
DW_EXPORT int dw_client_new (dw_client_t **self_p, dw_system_t *system, dw_error_t *error);

/* How a coordinator in another process is found. */
typedef struct dw_connect_options_t {
    const char *endpoint;   /* what dw_system_listening said, or tcp://HOST:PORT */
    const char *key;        /* file of the own key pair (`dagwood keygen`); NULL: no keys */
    const char *server_key; /* file of the coordinator's public key; both or neither */
    const char *graph;      /* the name of the graph, where it has several; NULL: the first */
    int timeout_ms;         /* for its first answer; 0: 3000 */
    /* a client: how long to look for a coordinator that was lost: 0 not at all, negative for ever
     * (an agent has its own) */
    int reconnect_ms;
    /* waiting for the first answer ends with DW_ECLOSED when there is something to read here, which
     * is not read: a signalfd, say; and a client's dw_client_detach and dw_client_take_up. Borrowed
     * until then, by a client for its life. 0: none */
    int stop_fd;
    /* An agent that has lost its coordinator asks before each try, by a thread of its own, where to
     * look: an endpoint, which it frees; NULL, or returns NULL: where it was. */
    char *(*where) (void *arg);
    void *where_arg;
} dw_connect_options_t;

/* The names of the graphs of a coordinator, the first of which is the one that is had without a
 * name. The caller's, freed by dw_graph_names_free. Errors: as dw_client_connect. */
DW_EXPORT int dw_graph_names (const dw_connect_options_t *options, char ***names_p, size_t *count_p,
                              dw_error_t *error);
DW_EXPORT void dw_graph_names_free (char ***names_p, size_t count);

/* A client of a system elsewhere. It differs from others in that its coordinator may be lost: its
 * connection was cut, or the coordinator was not heard of for the time that this has told. Then the
 * calls that wait, and dw_client_next, look for it for reconnect_ms: the coordinator goes on with
 * the runs meanwhile (dw_system_options_t.lost_client_ms), and each of them has one result, as if
 * nothing had been. DW_ELOST: it was not found in time, or it is another one, or it has given this
 * client up; the client is of no use from then on.
 * Errors: DW_ENOBODY no coordinator answers there; DW_EKEY a key file is wrong, or a key is missing
 * or refused; DW_EREFUSED what the coordinator refused; DW_EINVAL it is no endpoint; DW_ECLOSED
 * options->stop_fd had something to read; DW_ELIMIT; DW_ENOMEM. */
DW_EXPORT int dw_client_connect (dw_client_t **self_p, const dw_connect_options_t *options,
                                 dw_error_t *error);
/* Has notice told, during calls of this client, what the caller should know while it waits: a line
 * without a newline, such as that a run is stalled. Of a client of a system in this process the
 * system's own notice is told too. */
DW_EXPORT void dw_client_set_notice (dw_client_t *self,
                                     void (*notice) (void *arg, const char *line), void *arg);
/* Runs still in flight are cancelled; results not yet taken are dropped. */
DW_EXPORT void dw_client_destroy (dw_client_t **self_p);

/* Submits a run; *run_p gets its number (1, 2, ... of this client, or as the submission says).
 * Errors: DW_EAGAIN refused by wait_ms; DW_ETOOLARGE; DW_EPROTOCOL payload is not one msgpack
 * value; DW_ENOENT an output names no node; DW_EINVAL a number that is not larger; DW_ECLOSED. */
DW_EXPORT int dw_client_submit (dw_client_t *self, const dw_submission_t *submission,
                                uint64_t *run_p, dw_error_t *error);
/* Submits a run to a system elsewhere that nobody waits for: it goes on when this client is gone,
 * and its result is kept for whoever comes with its name, by the same key where there are keys
 * (dw_system_options_t.keep_ms). name gets what dw_client_take_up asks for. Waits until the
 * coordinator has it, at most timeout_ms (negative: for ever).
 * Errors: as dw_client_submit; DW_EINVAL the system is not elsewhere; DW_ETIMEDOUT, and DW_ECLOSED
 * when it was told to stop, it is not known whether the coordinator has it; DW_EREFUSED, DW_EAGAIN;
 * DW_ELOST. */
#define DW_RUN_NAME_SIZE 64
DW_EXPORT int dw_client_detach (dw_client_t *self, const dw_submission_t *submission,
                                int timeout_ms, char name[DW_RUN_NAME_SIZE], dw_error_t *error);
/* Takes up a detached run: *run_p becomes its number among those of this client, by which it is
 * waited for, or cancelled, as any other. It stays detached, and may be taken up again.
 * Errors: DW_EINVAL name is none; DW_EREFUSED there is no such run, or it was dropped; DW_EKEY it
 * is another key's; DW_ETIMEDOUT; DW_ELOST. */
DW_EXPORT int dw_client_take_up (dw_client_t *self, const char *name, int timeout_ms,
                                 uint64_t *run_p, dw_error_t *error);
/* Asks to cancel a run, or all that are in flight (DW_EVERY_RUN); they still end with a result.
 * DW_ENOENT: no such run in flight. */
#define DW_EVERY_RUN 0
DW_EXPORT int dw_client_cancel (dw_client_t *self, uint64_t run);
/* Asks to cancel one node of a run and all that depends on it, all the way down and whatever its
 * join says. What runs of that is cancelled, what waits does not begin, and what is done already
 * (or has failed, or was skipped) stays as it is; the rest of the run goes on, and it ends as
 * partial when a requested node was cancelled. Errors: DW_ENOENT no such run in flight, or no such
 * node: the message has the nearest; DW_ENOMEM; DW_ECLOSED. */
DW_EXPORT int dw_client_cancel_node (dw_client_t *self, uint64_t run, const char *id,
                                     dw_error_t *error);
/* Waits for one run's result, given to the caller. timeout_ms negative: for ever.
 * Errors: DW_ETIMEDOUT; DW_ENOENT no such run, or its result was taken; DW_ECLOSED. */
DW_EXPORT int dw_client_wait (dw_client_t *self, uint64_t run, int timeout_ms,
                              dw_result_t **result_p);
/* Waits for the first to end of the given runs; runs NULL: of all runs in flight. */
DW_EXPORT int dw_client_wait_any (dw_client_t *self, const uint64_t *runs, size_t runs_count,
                                  int timeout_ms, dw_result_t **result_p);
/* Waits until every run submitted has ended; dw_client_next then gives the results. */
DW_EXPORT int dw_client_wait_all (dw_client_t *self, int timeout_ms);
/* The next result that is there, in the order in which runs ended; NULL when there is none now.
 * Where it met a message that was refused, or makes no sense, the next call that waits says so,
 * once, as dw_client_wait_all does by a timeout of 0; and what dw_client_set_notice was given is
 * told at once who sent what. */
DW_EXPORT dw_result_t *dw_client_next (dw_client_t *self);
/* A descriptor for the caller's own poll: when it is readable, and after any other call of this
 * client, call dw_client_next until it gives NULL before waiting again. Never read from it. A
 * coordinator elsewhere that is lost makes nothing readable: call it every second or so as well,
 * and dw_client_wait_all says DW_ELOST then (DW_ETIMEDOUT, with a timeout of 0, is that all is
 * well). Of such a one the descriptor is another after it was lost: ask for it before each poll; -1
 * while it is away. */
DW_EXPORT int dw_client_fd (const dw_client_t *self);
/* Runs submitted whose results have not come yet. */
DW_EXPORT size_t dw_client_in_flight (const dw_client_t *self);
/* What its coordinator allows: runs in flight, and bytes of a payload. */
DW_EXPORT size_t dw_client_runs_max (const dw_client_t *self);
DW_EXPORT uint64_t dw_client_max_payload_bytes (const dw_client_t *self);
/* The shortcut for a program's first run: submits text and waits for the result. */
DW_EXPORT int dw_client_run_text (dw_client_t *self, const char *text, dw_result_t **result_p,
                                  dw_error_t *error);

/* ---- A worker: runs nodes for a coordinator elsewhere ---------------------------------------- */

typedef struct dw_agent_t dw_agent_t;

/* What a worker is, for nodes that ask for it (dw_graph_require_tag, which says what both may
 * be). */
typedef struct dw_worker_tag_t {
    const char *name, *value;
} dw_worker_tag_t;

/* A worker process has an agent with any number of slots, each an actor that runs one task at a
 * time. A program that links this library becomes a worker with processors of its own by these
 * calls. */
typedef struct dw_agent_options_t {
    dw_connect_options_t coordinator;
    const dw_processors_t *processors; /* borrowed until it is closed; NULL: the stock ones */
    const dw_worker_tag_t *tags;       /* tags_count, at most 64; copied */
    size_t tags_count;
    uint32_t slots;   /* tasks at one time; 0: as many as CPUs */
    int reconnect_ms; /* how long to look for a coordinator that was lost: 0 not at all,
                                          negative for ever */
    /* how long slots may finish what they are at when it is drained: 0: 30,000; negative: as long
     * as it takes */
    int grace_ms;
    /* As of a system; called on a thread of the agent's. */
    void (*notice) (void *arg, const char *line);
    void *notice_arg;
    /* The words of a program, ended by NULL, that calls dw_agent_serve_slot: each slot is then a
     * process of its own, which runs it, and a processor that crashes takes one slot down, not the
     * others. The first word is looked for in PATH; "/proc/self/exe" is the program itself.
     * Borrowed until it is closed. NULL: slots are threads of this process. */
    const char *const *slot_command;
    /* What whoever starts workers calls this one: at most 64 printable characters of ASCII without
     * a blank; copied. Of those with one name and key the latest incarnation alone is let in, and
     * an earlier one that is still there is put out at once. Who starts it again counts incarnation
     * up. NULL: it is nobody's successor. */
    const char *name;
    uint32_t incarnation;
} dw_agent_options_t;

#define DW_AGENT_NAME_MAX 64

/* Connects, is welcomed and starts its slots. It offers every processor of the set, at most 4,096
 * with names of at most 255 bytes. Nodes that make one demand (dw_graph_set_remote,
 * dw_graph_require_tag), or none, are run by workers that have their tags and offer all of their
 * processors; it runs the nodes of every demand of which that is true.
 * Errors: as dw_client_connect; DW_EGRAPH the coordinator's graph has nothing that it can run,
 * which lacks it says; or a processor of the same name says something else of itself here;
 * DW_EPROCESSOR. */
DW_EXPORT int dw_agent_open (dw_agent_t **self_p, const dw_agent_options_t *options,
                             dw_error_t *error);
/* Waits until it has ended: DW_OK the coordinator closed, or it was drained; DW_ELOST the
 * coordinator was lost and did not come back in time; DW_EREFUSED, DW_EKEY it was refused when it
 * came back; DW_EPROCESSOR every slot's process has gone down more than 5 times within 10 s.
 * DW_ETIMEDOUT: it still works. timeout_ms negative: for ever. */
DW_EXPORT int dw_agent_wait (dw_agent_t *self, int timeout_ms);
/* A descriptor for the caller's own poll: readable when the agent has ended, so that dw_agent_wait
 * says what as soon as it is asked. Never read from it, nor close it; valid until the agent is
 * closed. */
DW_EXPORT int dw_agent_fd (const dw_agent_t *self);
/* Takes nothing new: slots finish the task that they are at and give the others back; then it ends.
 * What is not finished after grace_ms is given back, too. */
DW_EXPORT void dw_agent_drain (dw_agent_t *self);
/* Ends it at once; what its slots were at is given to others. Waits at most timeout_ms (negative:
 * 5000) for processors that still run. Errors: DW_ESTUCK as dw_system_close. */
DW_EXPORT int dw_agent_close (dw_agent_t **self_p, int timeout_ms, dw_error_t *error);

/* For the program of slot_command, and all that it does: serves one slot as its parent says over
 * standard input, until the slot has left, or the parent has ended or wants no more of it. The
 * program must not have read standard input, which processors find empty, and ends when this
 * returns; what it then writes to standard error, and its exit status, the parent passes on.
 * processors NULL: the stock ones; their descriptions must be those of the parent's set.
 * Errors: DW_EINVAL nobody has said anything on standard input; DW_EPROTOCOL; DW_ELOST the
 * connection was cut; DW_ESTUCK the slot is still in a processor: end the program by _exit;
 * DW_EGRAPH, DW_EPROCESSOR, DW_ELIMIT, DW_ENOMEM as dw_agent_open. */
DW_EXPORT int dw_agent_serve_slot (const dw_processors_t *processors, dw_error_t *error);

/* ---- What a coordinator is at ----------------------------------------------------------------- */

/* A worker process, or the coordinator's own actors together. */
typedef struct dw_status_worker_t {
    const char *host; /* "" for the coordinator's own actors */
    uint64_t pid;
    uint32_t slots, busy; /* busy: slots that hold tasks */
    uint64_t held,
        credit; /* tasks that they have not answered for, of as many as they take at one time */
    uint64_t steps_done;
    uint64_t silent_ms; /* since it was last heard of */
    uint64_t lanes;     /* that it serves: of each of dw_status_t's lanes a bit */
} dw_status_worker_t;

/* The nodes that make one demand of who runs them. */
typedef struct dw_status_lane_t {
    const char *demand; /* "none", "remote", "gpu=yes, zone=a" */
    uint32_t nodes_count;
    uint32_t slots; /* that serve it now */
    uint32_t ready; /* tasks that wait for one of them */
} dw_status_lane_t;

/* Who submits runs. A name is the first 8 digits of the uuid that it comes with from elsewhere, ""
 * of one that is known by its connection alone. */
typedef struct dw_status_client_t {
    const char *name;
    uint64_t runs_in_flight, results_kept; /* kept: that it is not known to have got */
    uint64_t away_ms; /* since its connection was cut, and it may come back; 0: it is here */
} dw_status_client_t;

typedef struct dw_status_run_t {
    const char *client; /* its name; whose run it is, also when it does not wait for it */
    uint64_t number;    /* that client's for it; of one without a name the coordinator's */
    uint64_t age_ms;
    uint32_t unfinished,
        sent; /* nodes that are wanted and have not ended; its tasks that workers hold */
    bool is_detached;
} dw_status_run_t;

typedef struct dw_status_t {
    const char *graph;
    uint32_t nodes_count;
    uint32_t clients_count;
    uint64_t runs_in_flight, runs_ok, runs_partial, runs_failed, runs_cancelled;
    uint64_t tasks_ready, tasks_sent, steps_done, attempts_failed, retries, timeouts;
    uint64_t lost; /* tasks that workers were at when they went down: sent again, or failed (503) */
    uint64_t answers_ignored; /* late, repeated, forged, or to what nobody waits for any more */
    /* from nobody known, from an actor left behind, or that made no sense */
    uint64_t messages_ignored;
    uint64_t runs_stalled; /* no worker serves what is ready of them, for as long as stalled_ms */
    uint64_t slots_down;   /* whose process went down too often, and that stay so */
    uint64_t slots_long;   /* that have been at one task for as long as stalled_ms */
    size_t troubles_count; /* what does not go on, for people: a line each, at most 32 */
    const char *const *troubles;
    uint64_t clients_away; /* whose connections were cut, and who may come back */
    uint64_t results_kept; /* of detached runs */
    size_t workers_count;
    const dw_status_worker_t *workers;
    size_t lanes_count; /* at most 64 */
    const dw_status_lane_t *lanes;
    size_t clients_shown; /* at most 64 */
    const dw_status_client_t *clients;
    size_t runs_shown; /* of those in flight, at most 64 */
    const dw_status_run_t *runs;
} dw_status_t;

/* Asks the coordinator; the answer is the caller's, freed by dw_status_destroy.
 * Errors: DW_ETIMEDOUT; DW_ELOST; DW_ECLOSED; DW_ENOMEM. */
DW_EXPORT int dw_client_status (dw_client_t *self, int timeout_ms, dw_status_t **status_p);
DW_EXPORT void dw_status_destroy (dw_status_t **self_p);

/* ---- A result ----------------------------------------------------------------------------- */

typedef enum dw_run_status_t {
    /* every requested node is done, or was skipped because a processor ended its branch */
    DW_RUN_OK,
    DW_RUN_PARTIAL,   /* it went to its end and a requested node is not done */
    DW_RUN_FAILED,    /* fail_fast or its deadline ended it, or there was no memory for it */
    DW_RUN_CANCELLED, /* asked to */
} dw_run_status_t;

typedef enum dw_node_status_t {
    DW_NODE_DONE,
    DW_NODE_FAILED,
    /* because_of says whose failure it was, or which nodes ended their branch: then it gave
     * nothing, and is no fault; a node that did so names itself */
    DW_NODE_SKIPPED,
    DW_NODE_CANCELLED, /* the run ended before it did, or it or the run was cancelled */
    DW_NODE_NOT_REQUESTED,
} dw_node_status_t;

DW_EXPORT const char *dw_run_status_text (dw_run_status_t status);
DW_EXPORT const char *dw_node_status_text (dw_node_status_t status);

DW_EXPORT void dw_result_destroy (dw_result_t **self_p);
DW_EXPORT uint64_t dw_result_run (const dw_result_t *self);
DW_EXPORT dw_run_status_t dw_result_status (const dw_result_t *self);
DW_EXPORT uint64_t dw_result_duration_us (const dw_result_t *self);

/* Nodes are numbered by rank: topological level, then declaration. */
DW_EXPORT size_t dw_result_nodes_count (const dw_result_t *self);
/* The node with this id; -1 when there is none. */
DW_EXPORT int dw_result_find (const dw_result_t *self, const char *id);
/* NULL when there is no such node. */
DW_EXPORT const char *dw_result_id (const dw_result_t *self, int node);
DW_EXPORT dw_node_status_t dw_result_node_status (const dw_result_t *self, int node);
/* Every dispatch counts, lost ones too. */
DW_EXPORT unsigned dw_result_attempts (const dw_result_t *self, int node);
/* Of the last attempt; a task much shorter than a microsecond is timed with its neighbours. */
DW_EXPORT uint64_t dw_result_node_duration_us (const dw_result_t *self, int node);
/* The output as one msgpack value; NULL when the node kept none. Valid as long as self. */
DW_EXPORT const void *dw_result_payload (const dw_result_t *self, int node, size_t *size_p);
/* The output's bytes when it is a str or a bin, else NULL. Not ended by a NUL byte. */
DW_EXPORT const char *dw_result_text (const dw_result_t *self, int node, size_t *size_p);
/* Metadata that the node set, in the order of its keys; valid as long as self. Errors: DW_ENOENT no
 * such index. */
DW_EXPORT size_t dw_result_metadata_count (const dw_result_t *self, int node);
DW_EXPORT int dw_result_metadata_at (const dw_result_t *self, int node, size_t index,
                                     const char **key_p, const char **value_p);
/* 0 and NULL unless the node failed. */
DW_EXPORT int dw_result_error_code (const dw_result_t *self, int node);
DW_EXPORT const char *dw_result_error_message (const dw_result_t *self, int node);
/* First causes of a skipped or cancelled node, by rank, at most 16: those that failed, or else
 * those that ended their branch. _at, here and below: DW_ENOENT when there is no such index. */
DW_EXPORT size_t dw_result_because_of_count (const dw_result_t *self, int node);
DW_EXPORT int dw_result_because_of_at (const dw_result_t *self, int node, size_t index);
/* Of a node that added graphs to its run: nodes that these had in all, and how deep the deepest
 * was. 0: it added none. */
DW_EXPORT unsigned dw_result_added_nodes (const dw_result_t *self, int node);
DW_EXPORT unsigned dw_result_added_depth (const dw_result_t *self, int node);
/* The nodes that failed, by rank, and the requested outputs (the sinks unless said otherwise). */
DW_EXPORT size_t dw_result_failures_count (const dw_result_t *self);
DW_EXPORT int dw_result_failure_at (const dw_result_t *self, size_t index);
DW_EXPORT size_t dw_result_outputs_count (const dw_result_t *self);
DW_EXPORT int dw_result_output_at (const dw_result_t *self, size_t index);

#ifdef __cplusplus
}
#endif

#endif
