/* dagwood_processor.h - what a processor is: for whoever adds one.
 *
 * A processor is a table of functions. Every node that names it gets instances of its own: one in
 * each actor that hosts the node. An instance is used by one thread at a time and is never entered
 * twice at once, so it needs no lock; what several instances share (arg, a static) is the
 * processor's own affair. An instance may be started by one thread and used and stopped by
 * another, never at the same time.
 *
 * The same node may be run more than once for one run of the graph (a retry, a lost worker): a
 * processor with effects outside uses dw_call_key, which is the same for every attempt. */

#ifndef DAGWOOD_PROCESSOR_H
#define DAGWOOD_PROCESSOR_H

#include "dagwood.h"

#ifdef __cplusplus
extern "C" {
#endif

struct msgpack_object; /* <msgpack.h>, for those who use it */

typedef struct dw_call_t dw_call_t; /* one attempt to run one node */
typedef struct dw_settings_t
    dw_settings_t; /* the node's options, checked, with defaults filled in */

/* DW_OPTIONS is a mapping: what a processor takes that this one adds (dw_call_add_graph), named by
 * its option "processor", a text. Its own name is "options", so that a node says both as the graph
 * file does. */
typedef enum dw_option_type_t {
    DW_TEXT,
    DW_INTEGER,
    DW_NUMBER,
    DW_BOOLEAN,
    DW_OPTIONS
} dw_option_type_t;

/* An option that the processor documents: a graph that gives another name, another type or a
 * number outside min..max is refused before anything starts. */
typedef struct dw_option_t {
    const char *name;
    dw_option_type_t type;
    const char *fallback; /* the default as it would be written in a graph file; NULL: required */
    double min, max;      /* of an integer or number; both 0: any */
    const char *help;     /* one line */
} dw_option_t;

typedef struct dw_processor_t {
    const char *name;
    const char *help;   /* one line */
    dw_intent_t intent; /* DW_ANALYZE, else a transform */
    /* A promise: process returns in microseconds and never blocks. The coordinator's own thread may
     * then run it, which saves a wake-up of some 50 us; one that breaks the promise holds up every
     * run of the system while it is in there, so after two slow calls in a row (200 us) the
     * coordinator never runs it again. */
    bool brief;
    /* It reads its payload and no dependency's output or metadata, which then need not be sent. */
    bool payload_only;
    const dw_option_t *options; /* ended by one without a name; NULL: takes none */

    /* Makes an instance. Called before the first run, so that a node that cannot work is known when
     * the system is opened. NULL: the instance is arg.
     * Returns 0, or anything else with the reason in why (size bytes), ended by NUL. */
    int (*start) (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                  size_t why_size);
    /* Runs the node: reads the call, sets an output (a transform must), returns 0; or returns what
     * dw_call_fail returns. Any other value is a failure with that code (negative: 500). */
    int (*process) (dw_call_t *call, void *instance);
    /* Releases the instance; NULL: nothing to release. */
    void (*stop) (void *instance);
    void *arg;
    /* It may end its branch (dw_call_skip). A graph with such a node costs a little more, and keeps
     * every output until the run ends, as under best_effort. */
    bool may_skip;
    /* It may add a graph to its run (dw_call_add_graph), whose processors the node allows (`adds`
     * in a graph file). */
    bool may_add;
} dw_processor_t;

/* ---- Settings: the option must be one that the processor declares ------------------------- */

DW_EXPORT const char *dw_settings_text (const dw_settings_t *self, const char *option);
DW_EXPORT int64_t dw_settings_integer (const dw_settings_t *self, const char *option);
DW_EXPORT double dw_settings_number (const dw_settings_t *self, const char *option);
DW_EXPORT bool dw_settings_boolean (const dw_settings_t *self, const char *option);
/* Gives a node of graph what is in the option of type DW_OPTIONS, as its own options; or for it to
 * give on likewise.
 * Errors: as dw_graph_set_text. */
DW_EXPORT int dw_settings_give (const dw_settings_t *self, dw_graph_t *graph, int node);
DW_EXPORT int dw_settings_give_on (const dw_settings_t *self, dw_graph_t *graph, int node);

/* ---- What a call gives. Everything is borrowed until process returns ---------------------- */

/* The payload as one msgpack value. */
DW_EXPORT const void *dw_call_payload (dw_call_t *self, size_t *size_p);
/* The payload's bytes when it is a str or a bin, without a copy; else NULL. Not ended by NUL. */
DW_EXPORT const char *dw_call_text (dw_call_t *self, size_t *size_p);
/* The payload through msgpack-c; NULL when there is no memory or it is nested deeper than 16. */
DW_EXPORT const struct msgpack_object *dw_call_value (dw_call_t *self);

/* Direct dependencies, in the order of depends_on. One that failed, was skipped, or set no output
 * (best_effort, join, a processor that may skip) gives NULL and 0. */
DW_EXPORT size_t dw_call_dependencies_count (const dw_call_t *self);
DW_EXPORT const char *dw_call_dependency_id (const dw_call_t *self, size_t index);
/* The index of the dependency with this id; -1 when there is none. */
DW_EXPORT int dw_call_dependency_find (const dw_call_t *self, const char *id);
DW_EXPORT const void *dw_call_dependency_payload (dw_call_t *self, size_t index, size_t *size_p);
DW_EXPORT const char *dw_call_dependency_text (dw_call_t *self, size_t index, size_t *size_p);
DW_EXPORT const struct msgpack_object *dw_call_dependency_value (dw_call_t *self, size_t index);
/* The value of one metadata key of a dependency; NULL when it has none. Not ended by NUL. */
DW_EXPORT const char *dw_call_dependency_metadata (dw_call_t *self, size_t index, const char *key,
                                                   size_t *size_p);

DW_EXPORT const char *dw_call_node (const dw_call_t *self);
/* The node's number in results: its rank. */
DW_EXPORT int dw_call_node_number (const dw_call_t *self);
DW_EXPORT const dw_settings_t *dw_call_settings (const dw_call_t *self);
/* Names this node of this run, for ever and everywhere; the same for every attempt. */
DW_EXPORT const char *dw_call_key (dw_call_t *self);
/* 1 for the first attempt; dispatches that were lost count too. */
DW_EXPORT unsigned dw_call_attempt (const dw_call_t *self);
/* True once nobody waits for the answer any more (a timeout, a cancelled run): stop soon. Costs
 * about 0.1 us; ask now and then in long loops. */
DW_EXPORT bool dw_call_cancelled (dw_call_t *self);
/* For a processor that waits: a descriptor that becomes readable when there may be something new to
 * be asked of dw_call_cancelled, which has to be asked first, and again before each wait:
 *
 *     while (!dw_call_cancelled (call) && !done)
 *         poll ({own descriptor, dw_call_fd (call)});
 *
 * Never read from it. It is the actor's, so it may wake for other reasons. -1 where nobody can
 * cancel the call, which poll passes over: in the coordinator's own thread, that is, where a
 * processor that waits breaks its promise. */
DW_EXPORT int dw_call_fd (dw_call_t *self);

/* ---- What a call sets. The last output set counts. 0, or DW_ENOMEM ------------------------ */

/* A str; the bytes are copied. DW_EINVAL: not UTF-8. */
DW_EXPORT int dw_call_set_text (dw_call_t *self, const char *text, size_t size);
/* A bin; the bytes are copied. */
DW_EXPORT int dw_call_set_bytes (dw_call_t *self, const void *bytes, size_t size);
/* Any msgpack value; the bytes are copied. DW_EPROTOCOL: not exactly one well-formed value. */
DW_EXPORT int dw_call_set_value (dw_call_t *self, const void *value, size_t size);
/* The payload as it came, without a copy. */
DW_EXPORT int dw_call_set_payload (dw_call_t *self);
/* A str (a promise: UTF-8) or a bin of size bytes that the caller now writes; NULL: no memory. */
DW_EXPORT char *dw_call_reserve_text (dw_call_t *self, size_t size);
DW_EXPORT void *dw_call_reserve_bytes (dw_call_t *self, size_t size);
/* Both are copied; a key set again has the later value. DW_EINVAL: not UTF-8. */
DW_EXPORT int dw_call_set_metadata (dw_call_t *self, const char *key, const char *value);

/* This node ends its branch: it is skipped, gives no output and no metadata, and what depends on it
 * alone is skipped, too (`join` of a node says otherwise). That is no failure. For: return
 * dw_call_skip (call); returns 0. A processor that does not promise may_skip fails with 500. */
DW_EXPORT int dw_call_skip (dw_call_t *self);

/* This node becomes the sub-graph: its dependents wait for that, and the output of its node output
 * (an id) is this node's. The sub-graph's input is the output that this call has set, or else its
 * payload. Its nodes run where this one may, by the graph's failure_strategy; what is not needed
 * for output is not run. graph is read, and stays the caller's. For: return dw_call_add_graph
 * (call, graph, "last"); returns 0, or a negative error (then fails).
 *
 * The node fails (400) when the graph is wrong, names a processor that the node does not allow
 * (dw_graph_allow), or asks for workers of its own; with 413 when it is more than the run may be
 * added, or too deep (executor_options.added); and as the first node of it failed that it did not
 * do without. Where the node allows no processors it fails with 500. Metadata is that of output;
 * what this call has set is dropped. */
DW_EXPORT int dw_call_add_graph (dw_call_t *self, const dw_graph_t *graph, const char *output);

/* Says why the attempt failed and returns code, for: return dw_call_fail (call, 400, "..."). code
 * is 1 to 999 (else 500); the message is copied up to 4 KiB. */
DW_EXPORT int dw_call_fail (dw_call_t *self, int code, const char *format, ...) DW_PRINTF (3, 4);

#ifdef __cplusplus
}
#endif

#endif
