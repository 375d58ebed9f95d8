/* processors.c - the processors of random_graph.h in a simulated world. */

#include "tests/simulated/processors.h"

#include <stdlib.h>
#include <string.h>

#include "dagwood_processor.h"
#include "runtime/payload.h"
#include "tests/simulated/transcript.h"
#include "tests/support/random_processors.h"
#include "tests/support/verdict.h"

#define CRASHES_MAX 6u /* of a world */
#define SLICE_NS    3000000
#define RUDE_NS     400000000 /* for how long a hanging one that does not ask is away, */
#define HANG_NS     INT64_C (60000000000) /* and one that does, if it is not cancelled */
#define LONG_NS     40000000
#define BRIEF_NS    6000
#define ONCE_MAX    1024u

/* A node of a run that may run but once, and whether it has. */
typedef struct s_once_t {
    uint64_t key;
    bool is_begun; /* it has, or may have; what has failed may be tried again */
} s_once_t;

static struct {
    const plot_t *plot;
    bool (*can_crash) (void);
    void (*crash) (void);
    uint32_t deaths[PLOT_NODES_MAX]; /* that were */
    uint32_t crashes;
    s_once_t once[ONCE_MAX];
    uint32_t once_count;
} s;

void processors_begin (const plot_t *plot, bool (*can_crash) (void), void (*crash) (void)) {
    memset (&s, 0, sizeof s);
    s.plot = plot;
    s.can_crash = can_crash;
    s.crash = crash;
}

/* ---- What it gives, as in tests/test_property.c ----------------------------------------------- */

static uint64_t s_hash (dw_call_t *call, random_processor_t processor, uint32_t node) {
    size_t size;
    const void *bytes = dw_call_payload (call, &size);
    uint64_t hash = random_hash (random_hash_start (node), bytes, size);
    if (random_processor_trait (processor).payload_only)
        return hash;
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        bytes = dw_call_dependency_payload (call, i, &size);
        hash = random_hash (hash, bytes, size);
        bytes = dw_call_dependency_metadata (call, i, "sum", &size);
        hash = random_hash (hash, bytes, bytes ? size : 0);
    }
    return hash;
}

/* The graph of this seed that a node becomes, or one within it; NULL: there is none. */
static const random_graph_t *s_find_inner (const random_graph_t *graph, uint64_t seed) {
    const random_graph_t *found = NULL;
    for (uint32_t node = 0; !found && node < graph->nodes_count; node++) {
        const random_graph_t *inner = graph->nodes[node].inner;
        if (inner)
            found = inner->seed == seed ? inner : s_find_inner (inner, seed);
    }
    return found;
}

/* Becomes the graph that its settings stand for, whose input is what it sets, or its payload. */
static int s_grow (dw_call_t *call, uint64_t hash) {
    const dw_settings_t *settings = dw_call_settings (call);
    uint64_t seed = (uint64_t) dw_settings_integer (settings, "inner");
    const random_graph_t *inner = s_find_inner (s.plot->graph, seed);
    if (!inner)
        verdict_fail ("%s is to become a graph that there is not", dw_call_node (call));
    random_value_t input = random_processor_output (RANDOM_MIX, hash, NULL, 0);
    int err = hash % 2 ? dw_call_set_value (call, input.bytes, input.size) : 0;
    free (input.bytes);
    err |= dw_call_set_metadata (call, "sum", "is dropped");
    dw_graph_t *graph = random_graph_build (inner);
    err |= dw_call_add_graph (call, graph,
                              inner->nodes[dw_settings_integer (settings, "output")].id);
    dw_graph_destroy (&graph);
    return err ? dw_call_fail (call, 2, "a graph was refused: %d", err) : 0;
}

static int s_give (dw_call_t *call, random_processor_t processor, uint32_t node) {
    size_t size;
    const void *payload = dw_call_payload (call, &size);
    uint64_t hash = s_hash (call, processor, node);
    if (dw_settings_boolean (dw_call_settings (call), "skips")) {
        bool is_refused = dw_call_set_payload (call) ||
                          dw_call_set_metadata (call, "sum", "is not read");
        verdict->skips++;
        return is_refused ? dw_call_fail (call, 2, "what was set was refused")
                          : dw_call_skip (call);
    }
    if (processor == RANDOM_GROW || processor == RANDOM_GROW_BRIEF)
        return s_grow (call, hash);
    random_value_t value = random_processor_output (processor, hash, payload, size);
    int err = 0;
    if (processor == RANDOM_ECHO)
        err = dw_call_set_payload (call);
    else if (value.bytes)
        err = dw_call_set_value (call, value.bytes, value.size);
    free (value.bytes);
    random_metadata_t metadata = random_processor_metadata (processor, hash);
    for (size_t i = 0; i < metadata.count; i++)
        err |= dw_call_set_metadata (call, metadata.keys[i], metadata.values[i]);
    return err ? dw_call_fail (call, 2, "what was set was refused: %d", err) : 0;
}

/* ---- Its time --------------------------------------------------------------------------------- */

/* False: it was cancelled, and gave up. */
static bool s_spend (dw_call_t *call, int64_t ns, bool is_rude) {
    int64_t until_ns = fibers_now_ns () + ns;
    while (fibers_now_ns () < until_ns) {
        int64_t left_ns = until_ns - fibers_now_ns ();
        fibers_sleep (left_ns < SLICE_NS ? left_ns : SLICE_NS);
        if (!is_rude && dw_call_cancelled (call))
            return false;
    }
    return true;
}

/* What an attempt takes that does not hang. */
static int64_t s_draw_time (random_processor_t processor) {
    random_t *random = fibers_random ();
    if (random_processor_trait (processor).brief)
        return random_between (random, 0, BRIEF_NS);
    bool is_long = random_one_in (random, s.plot->is_slow ? 6 : 30);
    return random_between (random, 10000, is_long ? LONG_NS : 200000);
}

int64_t processors_draw_time (uint32_t node, bool hangs) {
    if (hangs)
        return s.plot->is_rude[node] ? RUDE_NS : HANG_NS;
    return s_draw_time (s.plot->graph->nodes[node].processor);
}

static bool s_take_time (dw_call_t *call, random_processor_t processor, bool is_rude) {
    int64_t ns = s_draw_time (processor);
    if (!random_processor_trait (processor).brief)
        return s_spend (call, ns, is_rude);
    fibers_pass (ns);
    return true;
}

void processors_crash_perhaps (uint32_t node) {
    if (s.deaths[node] >= s.plot->deaths[node] || s.crashes >= CRASHES_MAX || !s.can_crash ())
        return;
    s.deaths[node]++;
    s.crashes++;
    verdict->crashes++;
    transcript_tell ("%s: node %u takes it down", fibers_process ()->name, node);
    s.crash ();
}

/* Its attempts that took too long are repeated, and what a liar says of one may be nonsense. */
static bool s_is_once (uint32_t node) {
    bool is = s.plot->graph->nodes[node].not_idempotent &&
              s.plot->graph->options.timeout_us == DW_UNSET;
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        is &= !(s.plot->agents[i].is_there && s.plot->agents[i].lies);
    return is;
}

bool *processors_begin_once (const char *key, uint32_t node) {
    uint64_t hash = random_hash (0, key, strlen (key));
    uint32_t i = 0;
    if (!s_is_once (node))
        return NULL;
    while (i < s.once_count && s.once[i].key != hash)
        i++;
    if (i == ONCE_MAX)
        return NULL;
    s.once_count += i == s.once_count;
    if (s.once[i].is_begun)
        verdict_fail ("node %u may run but once, and is run again, in %s", node,
                      fibers_process ()->name);
    s.once[i] = (s_once_t){.key = hash, .is_begun = true};
    return &s.once[i].is_begun;
}

/* ---- One call --------------------------------------------------------------------------------- */

bool processors_hangs (uint32_t node, uint32_t attempt) {
    bool hangs = (node + attempt) % 4 == 0 && s.plot->hangs &&
                 !random_processor_trait (s.plot->graph->nodes[node].processor).brief;
    verdict->hangs += hangs;
    return hangs;
}

/* In one of the ways in which an attempt can fail; 0: it has set nothing, which is one of them. */
static int s_fail (dw_call_t *call, uint32_t node) {
    bool is_analyzer = !random_graph_transforms (s.plot->graph, node);
    int code = (int) dw_settings_integer (dw_call_settings (call), "code");
    switch ((node + dw_call_attempt (call)) % 4) {
        case 0:
            if (processors_hangs (node, dw_call_attempt (call)))
                s_spend (call, processors_draw_time (node, true), s.plot->is_rude[node]);
            return dw_call_fail (call, code, "it has hung");
        case 1:
            if (!is_analyzer)
                return 0;
            break;
        case 2: return 1000000; /* no code */
        default: break;
    }
    return dw_call_fail (call, code, "node %u was told to", node);
}

/* A node of a graph that was added: nobody goes down with it, and it does not hang. */
static int s_attempt_inner (dw_call_t *call, random_processor_t processor, uint32_t node) {
    int64_t failures = dw_settings_integer (dw_call_settings (call), "failures");
    if (!s_take_time (call, processor, false))
        return dw_call_fail (call, 499, "it was cancelled");
    if (failures < 0 || dw_call_attempt (call) <= failures)
        return dw_call_fail (call, (int) dw_settings_integer (dw_call_settings (call), "code"),
                             "node %u was told to", node);
    return s_give (call, processor, node);
}

static int s_attempt (dw_call_t *call, random_processor_t processor, uint32_t node) {
    int64_t failures = dw_settings_integer (dw_call_settings (call), "failures");
    processors_crash_perhaps (node);
    if (!s_take_time (call, processor, s.plot->is_rude[node]))
        return dw_call_fail (call, 499, "it was cancelled");
    if (failures < 0 || dw_call_attempt (call) <= failures)
        return s_fail (call, node);
    return s_give (call, processor, node);
}

/* The graph that a node would become is more than its run may be added: then the attempt has
 * failed. */
static bool s_is_refused (uint32_t node) {
    const random_graph_t *graph = s.plot->graph, *inner = graph->nodes[node].inner;
    return inner && (graph->options.added_depth_max == 0 ||
                     inner->nodes_count >
                         graph->options.added_nodes_max / random_graph_growing_count (graph));
}

static int s_process (dw_call_t *call, void *instance) {
    random_processor_t processor = *(const random_processor_t *) instance;
    uint32_t node = (uint32_t) dw_settings_integer (dw_call_settings (call), "index");
    if (dw_settings_integer (dw_call_settings (call), "within"))
        return s_attempt_inner (call, processor, node);
    bool *is_begun = processors_begin_once (dw_call_key (call), node);
    int code = s_attempt (call, processor, node);
    bool has_failed = code || dw_call_attempt (call) <= s.plot->graph->nodes[node].failures ||
                      s_is_refused (node);
    if (is_begun && has_failed)
        *is_begun = false;
    return code;
}

dw_processors_t *processors_new (void) {
    dw_processors_t *processors = dw_processors_new_empty ();
    if (processors && !random_processors_add (processors, s_process))
        dw_processors_destroy (&processors);
    return processors;
}
