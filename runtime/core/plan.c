/* plan.c - compiles a graph into a plan.
 *
 * First what can be wrong: the shape (dw_graph_resolve), the processors, the policies. Then nodes
 * are sorted by level and declaration, and every array is filled in one sweep over the nodes or the
 * edges, most of them using that a dependency has a smaller index than its dependents. */

#include "runtime/core/plan.h"
#include "runtime/core/arena.h"
#include "runtime/core/demands.h"
#include "runtime/core/names.h"
#include "runtime/core/policies.h"
#include "runtime/core/priority.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REPORTED_MAX      100u
#define THREAD_NODES_MAX  256u /* nodes up to which `auto` means an actor thread each */
#define MAX_PAYLOAD_BYTES (UINT64_C (256) << 20)
#define POOL_MAX          1024u
#define ADDED_NODES_MAX   10000u
#define ADDED_DEPTH_MAX   64u

typedef struct builder_t {
    const dw_graph_t *graph;
    const dw_plan_lookup_t *lookup;
    dw_error_t *error;
    dw_plan_t *plan;
    dw_arena_t *arena;
    dw_resolved_t resolved;
    dw_names_t kinds;   /* by processor */
    dw_trait_t *traits; /* by kind */
    const char **kind_names;
    uint32_t kinds_size;
    uint32_t *kind;       /* by node as declared */
    uint8_t *lane;        /* the same; NULL: no node makes a demand */
    dw_demands_t demands; /* by lane */
    uint32_t *rank;       /* by node as declared: its index in the plan */
    uint64_t *costs_us;   /* by node */
    dw_policies_t policies;
    uint32_t unknown_count, nameless_count, idle_adders_count, ambiguous_count, foreign_count;
    bool has_joins;
    uint32_t adds_count; /* of all nodes */
} builder_t;

static int s_no_memory (builder_t *self) {
    return dw_error_add (self->error, DW_ENOMEM, (dw_place_t){.file = self->graph->file},
                         "out of memory: the plan of %u nodes needs more than there is",
                         self->graph->nodes_count);
}

/* The node as declared, by its index in the plan. Nodes are large and lie in another order: sweeps
 * go by declaration instead. */
static const dw_node_t *s_declared (const builder_t *self, uint32_t node) {
    return &self->graph->nodes[self->plan->declared[node]];
}

/* ---- Processors ----------------------------------------------------------------------------- */

static void s_report_unknown (builder_t *self, const dw_node_t *node, const char *processor,
                              dw_place_t place) {
    const dw_plan_lookup_t *lookup = self->lookup;
    place.file = self->graph->file;
    if (self->unknown_count++ >= REPORTED_MAX)
        return;
    const char *nearest = lookup->nearest ? lookup->nearest (lookup->arg, processor) : NULL;
    const char *unknown = lookup->unknown ? lookup->unknown : "unknown";
    if (nearest)
        dw_error_add (self->error, DW_EGRAPH, place,
                      "node \"%s\" names the processor \"%s\", which is %s; did you mean \"%s\"?",
                      node->id, processor, unknown, nearest);
    else
        dw_error_add (self->error, DW_EGRAPH, place,
                      "node \"%s\" names the processor \"%s\", which is %s", node->id, processor,
                      unknown);
}

/* A node that only workers elsewhere may run can name a processor that is known there alone. */
static bool s_is_elsewhere (const dw_node_t *node) {
    return node->demand && (node->demand->remote || node->demand->tags_count > 0);
}

/* It may be meant; a name that is nearly another's mostly is not. */
static void s_warn_foreign (builder_t *self, const dw_node_t *node) {
    const dw_plan_lookup_t *lookup = self->lookup;
    dw_place_t place = {self->graph->file, node->processor_line, node->processor_column};
    const char *nearest = lookup->nearest ? lookup->nearest (lookup->arg, node->processor) : NULL;
    if (nearest && self->foreign_count++ < REPORTED_MAX)
        dw_error_warn (self->error, place,
                       "node \"%s\" names the processor \"%s\", which only a worker elsewhere can "
                       "have; did you mean \"%s\"?",
                       node->id, node->processor, nearest);
}

static bool s_reserve_kind (builder_t *self) {
    if (self->kinds.count < self->kinds_size)
        return true;
    uint32_t size = self->kinds_size * 2 + 16;
    dw_trait_t *traits = realloc (self->traits, size * sizeof (*traits));
    if (!traits)
        return false;
    self->traits = traits;
    const char **names = realloc (self->kind_names, size * sizeof (*names));
    if (!names)
        return false;
    self->kind_names = names;
    self->kinds.names = names;
    self->kinds_size = size;
    return true;
}

/* A processor seen for the first time is looked up; an unknown one has no intent, and is a
 * transform where it may be. */
static int s_find_kind (builder_t *self, const char *processor, uint32_t *kind_p) {
    uint32_t fresh = self->kinds.count;
    if (!s_reserve_kind (self))
        return DW_ENOMEM;
    *kind_p = dw_names_add (&self->kinds, processor, fresh);
    if (*kind_p == DW_NONE)
        return DW_ENOMEM;
    if (*kind_p == fresh) {
        dw_trait_t trait = {0};
        bool known = self->lookup->trait (self->lookup->arg, processor, &trait);
        if (known && trait.intent != DW_ANALYZE)
            trait.intent = DW_TRANSFORM;
        self->traits[fresh] = known ? trait : (dw_trait_t){.intent = DW_INTENT_DEFAULT};
        self->kind_names[fresh] = processor;
    }
    return DW_OK;
}

/* The processors of nodes that may be added come behind the others. */
static int s_find_added_kinds (builder_t *self) {
    for (uint32_t index = 0; index < self->graph->nodes_count; index++) {
        const dw_node_t *node = &self->graph->nodes[index];
        dw_place_t place = {self->graph->file, node->line, node->column};
        dw_intent_t intent = self->traits[self->kind[index]].intent;
        if (!node->adds)
            continue;
        if (intent != DW_INTENT_DEFAULT && !self->traits[self->kind[index]].may_add &&
            self->idle_adders_count++ < REPORTED_MAX)
            dw_error_add (self->error, DW_EGRAPH, place,
                          "node \"%s\" says what it adds, and its processor \"%s\" adds nothing",
                          node->id, node->processor);
        for (uint32_t i = 0; i < node->adds->count; i++) {
            uint32_t kind = 0;
            if (s_find_kind (self, node->adds->names[i], &kind))
                return DW_ENOMEM;
            if (self->traits[kind].intent == DW_INTENT_DEFAULT)
                s_report_unknown (self, node, node->adds->names[i], node->adds->places[i]);
            self->adds_count++;
        }
    }
    return DW_OK;
}

static int s_find_kinds (builder_t *self) {
    const dw_graph_t *graph = self->graph;
    const char *last = NULL;
    uint32_t kind = 0;
    self->kind = malloc (graph->nodes_count * sizeof (uint32_t) + 1);
    if (!self->kind || !dw_names_init (&self->kinds, 16, NULL, sizeof (char *)))
        return s_no_memory (self);
    for (uint32_t index = 0; index < graph->nodes_count; index++) {
        const dw_node_t *node = &graph->nodes[index];
        if (node->processor != last && s_find_kind (self, node->processor, &kind))
            return s_no_memory (self);
        last = node->processor;
        self->kind[index] = kind;
        if (self->traits[kind].intent != DW_INTENT_DEFAULT)
            continue;
        if (node->processor == dw_graph_no_processor)
            self->nameless_count++;
        else if (s_is_elsewhere (node))
            s_warn_foreign (self, node);
        else
            s_report_unknown (self, node, node->processor,
                              (dw_place_t){NULL, node->processor_line, node->processor_column});
    }
    if (graph->adders_count && s_find_added_kinds (self))
        return s_no_memory (self);
    if (self->unknown_count > REPORTED_MAX)
        dw_error_add (self->error, DW_EGRAPH, (dw_place_t){.file = graph->file},
                      "%u more nodes name unknown processors", self->unknown_count - REPORTED_MAX);
    if (self->idle_adders_count > REPORTED_MAX)
        dw_error_add (self->error, DW_EGRAPH, (dw_place_t){.file = graph->file},
                      "%u more nodes say what they add, and their processors add nothing",
                      self->idle_adders_count - REPORTED_MAX);
    bool is_wrong = self->unknown_count + self->nameless_count + self->idle_adders_count > 0;
    return is_wrong ? DW_EGRAPH : DW_OK;
}

/* ---- Demands -------------------------------------------------------------------------------- */

/* A lane for each demand; that of nodes that make none comes first. */
static int s_find_lanes (builder_t *self) {
    const dw_graph_t *graph = self->graph;
    if (graph->demands_count == 0)
        return DW_OK;
    self->lane = malloc (graph->nodes_count);
    if (!self->lane)
        return s_no_memory (self);
    if (graph->demands_count < graph->nodes_count)
        dw_demands_find (&self->demands, NULL);
    for (uint32_t index = 0; index < graph->nodes_count; index++) {
        const dw_node_t *node = &graph->nodes[index];
        uint32_t lane = dw_demands_find (&self->demands, node->demand);
        if (lane == DW_NONE)
            return dw_error_add (self->error, DW_EGRAPH,
                                 (dw_place_t){graph->file, node->line, node->column},
                                 "node \"%s\" is the first beyond %u different demands on workers "
                                 "(type, workers); give more nodes the same",
                                 node->id, DW_DEMANDS_MAX);
        self->lane[index] = (uint8_t) lane;
    }
    return DW_OK;
}

/* ---- Policies ------------------------------------------------------------------------------- */

static dw_policy_t s_policy (const dw_graph_t *graph, const dw_node_options_t *options) {
    int64_t timeout_us = options ? options->timeout_us : DW_UNSET;
    int64_t retry_attempts = options ? options->retry_attempts : DW_UNSET;
    if (timeout_us == DW_UNSET)
        timeout_us = graph->options.timeout_us;
    if (retry_attempts == DW_UNSET)
        retry_attempts = graph->options.retry_attempts;
    return (dw_policy_t){
        .timeout_us = timeout_us == DW_UNSET ? 0 : timeout_us,
        .retry_attempts = retry_attempts == DW_UNSET ? 0 : (uint32_t) retry_attempts,
        .backoff = options && options->has_backoff ? options->backoff : graph->options.backoff,
    };
}

static int s_find_policy (builder_t *self, const dw_policy_t *policy, uint16_t *index_p) {
    int err = dw_policies_find (&self->policies, policy, index_p);
    if (err == DW_EGRAPH)
        dw_error_add (self->error, err, (dw_place_t){.file = self->graph->file},
                      "the nodes have more than %u different settings of timeout, retries and "
                      "backoff; give more of them the same",
                      DW_POLICIES_MAX);
    return err == DW_ENOMEM ? s_no_memory (self) : err;
}

/* Policy 0 is the graph's own, which is that of every node that says nothing. */
static int s_begin_policies (builder_t *self) {
    dw_policy_t own = s_policy (self->graph, NULL);
    uint16_t zero = 0;
    return s_find_policy (self, &own, &zero);
}

static int s_keep_policies (builder_t *self) {
    dw_plan_t *plan = self->plan;
    size_t count = self->policies.count;
    plan->policies = dw_arena_take (self->arena, count, sizeof (dw_policy_t));
    if (!plan->policies)
        return s_no_memory (self);
    memcpy (plan->policies, self->policies.policies, count * sizeof (dw_policy_t));
    plan->policies_count = (uint32_t) count;
    return DW_OK;
}

/* ---- Settings and memory -------------------------------------------------------------------- */

static uint32_t s_or (int64_t value, uint32_t fallback) {
    return value == DW_UNSET ? fallback : (uint32_t) value;
}

static void s_set_options (builder_t *self) {
    const dw_graph_options_t *options = &self->graph->options;
    dw_plan_t *plan = self->plan;
    uint32_t count = self->graph->nodes_count;
    uint32_t cpus_count = self->lookup->cpus_count > 0 ? self->lookup->cpus_count : 1;
    plan->nodes_count = count;
    plan->edges_count = self->resolved.dependencies_at[count];
    plan->levels_count = self->resolved.levels_count;
    plan->kinds_count = self->kinds.count;
    for (uint32_t index = 0; self->graph->options_count > 0 && index < count; index++) {
        const dw_node_options_t *of = self->graph->nodes[index].options;
        self->has_joins |= of && of->join != DW_JOIN_DEFAULT;
    }
    plan->is_conditional = self->has_joins;
    /* Processors that may be added, too: with an added graph's output that ended its branch so does
     * the node. */
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++)
        plan->is_conditional |= self->traits[kind].may_skip;
    plan->adders_count = self->graph->adders_count;
    plan->added_nodes_max = s_or (options->added_nodes_max, ADDED_NODES_MAX);
    plan->added_depth_max = s_or (options->added_depth_max, ADDED_DEPTH_MAX);
    plan->strategy = options->strategy;
    plan->failure_strategy = options->failure_strategy;
    plan->priority = options->priority;
    plan->pool = options->actors == DW_ACTORS_POOL || self->lane ||
                 (options->actors == DW_ACTORS_AUTO && count > THREAD_NODES_MAX);
    plan->lanes_count = self->lane ? self->demands.count : plan->pool ? 1 : count;
    plan->workers_count = plan->pool ? s_or (options->pool_size,
                                             cpus_count < POOL_MAX ? cpus_count : POOL_MAX)
                                     : count;
    plan->max_concurrency = s_or (options->max_concurrency, cpus_count);
    plan->batch_size = s_or (options->batch_size, 0);
    plan->max_payload_bytes = options->max_payload_bytes == DW_UNSET
                                  ? MAX_PAYLOAD_BYTES
                                  : (uint64_t) options->max_payload_bytes;
}

/* array_p is the address of a pointer to anything, which is why it is written through memcpy. */
static bool s_keep (void *array_p, void *array) {
    memcpy (array_p, &array, sizeof (array));
    return array;
}

static bool s_take (builder_t *self, void *array_p, size_t count, size_t size) {
    return s_keep (array_p, dw_arena_take_unset (self->arena, count, size));
}

static bool s_take_zeroed (builder_t *self, void *array_p, size_t count, size_t size) {
    return s_keep (array_p, dw_arena_take (self->arena, count, size));
}

static int s_take_memory (builder_t *self) {
    dw_plan_t *plan = self->plan;
    size_t count = plan->nodes_count, edges = plan->edges_count, each = sizeof (uint32_t);
    self->rank = malloc (count * each + 1);
    self->costs_us = malloc (count * sizeof (uint64_t) + 1);
    bool taken = self->rank && self->costs_us;
    taken = taken && s_take (self, &plan->ids, count, sizeof (char *));
    taken = taken && s_take (self, &plan->declared, count, each);
    taken = taken && s_take (self, &plan->flags, count, sizeof (uint8_t));
    taken = taken && s_take_zeroed (self, &plan->lane, count, each);
    taken = taken && s_take (self, &plan->kind, count, each);
    taken = taken && s_take_zeroed (self, &plan->policy, count, sizeof (uint16_t));
    taken = taken && s_take (self, &plan->source, count, each);
    taken = taken && s_take (self, &plan->rule, count, each);
    taken = taken && s_take (self, &plan->chain_next, count, each);
    taken = taken && s_take (self, &plan->chain_length, count, each);
    taken = taken && s_take (self, &plan->dependencies_count, count, each);
    taken = taken && s_take_zeroed (self, &plan->readers_count, count, each);
    taken = taken && s_take_zeroed (self, &plan->position, count, each);
    taken = taken && s_take (self, &plan->by_position, count, each);
    taken = taken && (!self->lane || s_take (self, &plan->urgency, count, each));
    taken = taken &&
            (!self->has_joins || s_take_zeroed (self, &plan->join, count, sizeof (uint8_t)));
    if (plan->adders_count)
        taken = taken && s_take (self, &plan->adds_at, count + 1, each) &&
                s_take (self, &plan->adds, self->adds_count, each);
    taken = taken && s_take_zeroed (self, &plan->lane_at, plan->lanes_count + 1, each);
    taken = taken && s_take (self, &plan->dependencies_at, count + 1, each);
    taken = taken && s_take (self, &plan->dependencies, edges, each);
    taken = taken && s_take_zeroed (self, &plan->successors_at, count + 1, each);
    taken = taken && s_take (self, &plan->successors, edges, each);
    taken = taken && s_take (self, &plan->critical_path, plan->levels_count, each);
    taken = taken && s_take_zeroed (self, &plan->level_at, plan->levels_count + 1, each);
    taken = taken && s_take (self, &plan->kinds, plan->kinds_count, sizeof (char *));
    return taken ? DW_OK : s_no_memory (self);
}

static const char *s_copy (builder_t *self, const char *text) {
    return dw_arena_copy (self->arena, text, strlen (text));
}

/* ---- Order ---------------------------------------------------------------------------------- */

/* A counting sort by level, which keeps the order of declaration within one. */
static void s_sort_nodes (builder_t *self) {
    dw_plan_t *plan = self->plan;
    const uint32_t *level = self->resolved.level;
    for (uint32_t index = 0; index < plan->nodes_count; index++)
        plan->level_at[level[index]]++;
    for (uint32_t of = 0, at = 0; of <= plan->levels_count; of++) {
        uint32_t count = plan->level_at[of];
        plan->level_at[of] = at;
        at += count;
    }
    for (uint32_t index = 0; index < plan->nodes_count; index++) {
        self->rank[index] = plan->level_at[level[index]]++;
        plan->declared[self->rank[index]] = index;
    }
    /* Each offset has become the next one's. */
    memmove (plan->level_at + 1, plan->level_at, plan->levels_count * sizeof (uint32_t));
    plan->level_at[0] = 0;
}

/* What is known of one node by itself: index as declared, node in the plan. */
static int s_set_node (builder_t *self, uint32_t index, uint32_t node) {
    dw_plan_t *plan = self->plan;
    const dw_node_t *declared = &self->graph->nodes[index];
    const dw_node_options_t *options = declared->options;
    const dw_trait_t *trait = &self->traits[self->kind[index]];
    dw_intent_t intent = options && options->intent ? options->intent : trait->intent;
    uint16_t own = 0;
    if (options) {
        dw_policy_t policy = s_policy (self->graph, options);
        int err = s_find_policy (self, &policy, &own);
        if (err)
            return err;
        plan->policy[node] = own; /* Memory that stays zero is not touched. */
    }
    bool timed = self->policies.policies[own].timeout_us > 0;
    unsigned flags = (intent == DW_ANALYZE ? DW_NODE_ANALYZE : 0) |
                     (trait->brief && !timed && !declared->adds ? DW_NODE_BRIEF : 0) |
                     (trait->payload_only ? DW_NODE_PAYLOAD_ONLY : 0) |
                     (timed ? DW_NODE_TIMED : 0) | (declared->input ? DW_NODE_INPUT : 0) |
                     (options && options->not_idempotent ? DW_NODE_ONCE : 0) |
                     (trait->may_skip ? DW_NODE_MAY_SKIP : 0);
    plan->flags[node] = (uint8_t) flags;
    if (options && options->join != DW_JOIN_DEFAULT)
        plan->join[node] = (uint8_t) options->join;
    plan->kind[node] = self->kind[index];
    if (self->lane)
        plan->lane[node] = self->lane[index];
    plan->ids[node] = s_copy (self, declared->id);
    self->costs_us[node] = options && options->cost_us != DW_UNSET ? (uint64_t) options->cost_us
                                                                   : 1;
    return plan->ids[node] ? DW_OK : s_no_memory (self);
}

static int s_set_demands (builder_t *self) {
    if (!self->lane)
        return DW_OK;
    self->plan->demands = dw_demands_copy (&self->demands, self->arena);
    return self->plan->demands ? DW_OK : s_no_memory (self);
}

static int s_set_nodes (builder_t *self) {
    dw_plan_t *plan = self->plan;
    int err = s_set_demands (self);
    if (!err)
        err = s_begin_policies (self);
    for (uint32_t kind = 0; kind < plan->kinds_count && !err; kind++)
        if (!(plan->kinds[kind] = s_copy (self, self->kind_names[kind])))
            err = s_no_memory (self);
    for (uint32_t index = 0; index < plan->nodes_count && !err; index++)
        err = s_set_node (self, index, self->rank[index]);
    return err ? err : s_keep_policies (self);
}

/* Which kinds each node may add. */
static void s_set_adds (builder_t *self) {
    dw_plan_t *plan = self->plan;
    uint32_t at = 0;
    for (uint32_t node = 0; plan->adds_at && node < plan->nodes_count; node++) {
        const dw_adds_t *adds = s_declared (self, node)->adds;
        plan->adds_at[node] = at;
        for (uint32_t i = 0; adds && i < adds->count; i++)
            plan->adds[at++] = dw_names_find (&self->kinds, adds->names[i]);
    }
    if (plan->adds_at)
        plan->adds_at[plan->nodes_count] = at;
}

/* ---- Dependencies and payloads --------------------------------------------------------------- */

static void s_warn_ambiguous (builder_t *self, uint32_t node, uint32_t source, uint32_t other) {
    if (self->ambiguous_count++ >= REPORTED_MAX)
        return;
    const dw_node_t *declared = s_declared (self, node);
    dw_place_t place = {self->graph->file, declared->line, declared->column};
    dw_error_warn (self->error, place,
                   "node \"%s\" could get its payload from \"%s\" or \"%s\", transforms of one "
                   "level; it gets the output of \"%s\", the one declared later (say which with "
                   "input)",
                   declared->id, s_declared (self, other)->id, s_declared (self, source)->id,
                   s_declared (self, source)->id);
}

/* A source as a number that is greater the later it is: the run's input, which is before every
 * node, wraps to 0. */
static uint32_t s_lateness (uint32_t source) {
    return source + 2u;
}

/* The rule: the latest ancestor that is a transform. That of each dependency is known already. All
 * comparisons are maxima, for which a processor need not guess what is random. True when the source
 * is a dependency too. */
static bool s_set_rule (builder_t *self, uint32_t node, uint32_t end) {
    dw_plan_t *plan = self->plan;
    const uint32_t *level = self->resolved.level;
    uint32_t best = 0, second = 0, direct = 0;
    for (uint32_t edge = plan->dependencies_at[node]; edge < end; edge++) {
        uint32_t on = plan->dependencies[edge];
        bool transforms = !(plan->flags[on] & DW_NODE_ANALYZE);
        uint32_t late = s_lateness (transforms ? on : plan->rule[on]);
        uint32_t lesser = late < best ? late : best;
        best = late > best ? late : best;
        second = lesser > second && lesser != best ? lesser : second;
        direct = transforms && late > direct ? late : direct;
    }
    uint32_t source = best - 2u, other = second - 2u;
    plan->rule[node] = source;
    plan->source[node] = source;
    bool is_any = plan->join &&
                  plan->join[node] == DW_JOIN_ANY_OK; /* it asks for whichever is there */
    if (second > 0 && !is_any && !(plan->flags[node] & DW_NODE_INPUT) &&
        level[plan->declared[other]] == level[plan->declared[source]])
        s_warn_ambiguous (self, node, source, other);
    return best == direct;
}

static bool s_is_dependency (const dw_plan_t *plan, uint32_t node, uint32_t of, uint32_t end) {
    for (uint32_t edge = plan->dependencies_at[of]; edge < end; edge++)
        if (plan->dependencies[edge] == node)
            return true;
    return false;
}

/* Finds whose output is the node's payload, and counts a reader there that is no dependent. */
static void s_set_source (builder_t *self, uint32_t node, uint32_t end) {
    dw_plan_t *plan = self->plan;
    bool counted = s_set_rule (self, node, end);
    if (plan->flags[node] & DW_NODE_INPUT) {
        uint32_t input = self->resolved.input[plan->declared[node]];
        plan->source[node] = input == DW_RUN_INPUT ? DW_RUN_INPUT : self->rank[input];
        counted = s_is_dependency (plan, plan->source[node], node, end);
    }
    if (plan->source[node] != DW_RUN_INPUT && !counted)
        plan->readers_count[plan->source[node]]++;
}

/* Writes one node's dependencies from edge on, and returns where the next one's begin. */
static uint32_t s_set_dependencies (builder_t *self, uint32_t node, uint32_t edge) {
    dw_plan_t *plan = self->plan;
    uint32_t index = plan->declared[node];
    uint32_t from = self->resolved.dependencies_at[index];
    uint32_t count = self->resolved.dependencies_at[index + 1] - from;
    plan->dependencies_at[node] = edge;
    plan->dependencies_count[node] = count;
    for (uint32_t of = 0; of < count; of++) {
        uint32_t on = self->rank[self->resolved.dependencies[from + of]];
        plan->dependencies[edge + of] = on;
        plan->successors_at[on]++;
    }
    return edge + count;
}

static void s_set_sources (builder_t *self) {
    dw_plan_t *plan = self->plan;
    uint32_t edge = 0;
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        edge = s_set_dependencies (self, node, edge);
        s_set_source (self, node, edge);
    }
    plan->dependencies_at[plan->nodes_count] = edge;
    if (self->ambiguous_count > REPORTED_MAX)
        dw_error_warn (self->error, (dw_place_t){.file = self->graph->file},
                       "%u more nodes could get their payload from several transforms of one level",
                       self->ambiguous_count - REPORTED_MAX);
}

/* ---- Successors ------------------------------------------------------------------------------ */

/* Successors are filled from their ends by dependents in falling order, and so are in rising
 * order, and each offset has come down from its end to its beginning. */
static void s_set_successors (builder_t *self) {
    dw_plan_t *plan = self->plan;
    uint32_t count = plan->nodes_count;
    for (uint32_t node = 0, at = 0; node < count; node++) {
        uint32_t successors_count = plan->successors_at[node];
        at += successors_count;
        plan->successors_at[node] = at;
        plan->readers_count[node] += successors_count;
        plan->sinks_count += successors_count == 0;
    }
    plan->successors_at[count] = plan->edges_count;
    uint32_t edge = plan->edges_count;
    for (uint32_t node = count; node-- > 0;)
        while (edge > plan->dependencies_at[node])
            plan->successors[--plan->successors_at[plan->dependencies[--edge]]] = node;
}

static int s_set_sinks (builder_t *self) {
    dw_plan_t *plan = self->plan;
    uint32_t at = 0;
    if (!s_take (self, &plan->sinks, plan->sinks_count, sizeof (uint32_t)))
        return s_no_memory (self);
    for (uint32_t node = 0; at < plan->sinks_count; node++)
        if (plan->successors_at[node] == plan->successors_at[node + 1])
            plan->sinks[at++] = node;
    return DW_OK;
}

/* ---- Lanes and chains ------------------------------------------------------------------------ */

/* The node that a worker may run right after node without asking, or DW_NONE. */
static uint32_t s_chain_next (const dw_plan_t *plan, uint32_t node) {
    uint32_t edge = plan->successors_at[node];
    if (plan->strategy == DW_LEVEL || plan->successors_at[node + 1] - edge != 1)
        return DW_NONE;
    uint32_t next = plan->successors[edge];
    if (!plan->pool || plan->dependencies_count[next] != 1) /* Else every node has its own lane. */
        return DW_NONE;
    if (plan->demands && plan->lane[node] != plan->lane[next])
        return DW_NONE;
    if ((plan->flags[node] | plan->flags[next]) & (DW_NODE_TIMED | DW_NODE_ONCE))
        return DW_NONE;
    if ((plan->flags[node] & DW_NODE_MAY_SKIP) || dw_plan_may_add (plan, node))
        return DW_NONE;
    /* Who may run one of them may run the other; and what stands in for a source that failed does
     * so for both, which needs both to be by the rule or both by `input`. */
    unsigned differs = plan->flags[node] ^ plan->flags[next];
    if (differs & DW_NODE_BRIEF)
        return DW_NONE;
    bool same_payload = plan->source[next] == plan->source[node] && !(differs & DW_NODE_INPUT);
    return plan->source[next] == node || same_payload ? next : DW_NONE;
}

static void s_set_chains (builder_t *self) {
    dw_plan_t *plan = self->plan;
    for (uint32_t node = plan->nodes_count; node-- > 0;) {
        uint32_t next = s_chain_next (plan, node);
        plan->chain_next[node] = next;
        if (next != DW_NONE && plan->source[next] == node)
            plan->flags[node] |= DW_NODE_PASSED_ON;
        plan->chain_length[node] = next == DW_NONE ? 1 : plan->chain_length[next] + 1;
        if (plan->chain_length[node] == 2)
            plan->chains_count++; /* Every chain of several nodes has one last but one. */
    }
}

/* ---- All together --------------------------------------------------------------------------- */

static int s_start (builder_t *self) {
    self->arena = dw_arena_new ();
    if (self->arena)
        self->plan = dw_arena_take (self->arena, 1, sizeof (*self->plan));
    if (!self->plan)
        return s_no_memory (self);
    self->plan->memory = self->arena;
    s_set_options (self);
    return s_take_memory (self);
}

static int s_compile (builder_t *self) {
    int err = s_start (self);
    if (err)
        return err;
    s_sort_nodes (self);
    err = s_set_nodes (self);
    if (err)
        return err;
    s_set_adds (self);
    s_set_sources (self);
    s_set_successors (self);
    s_set_chains (self);
    err = s_set_sinks (self);
    if (!err && dw_priority_set (self->plan, self->costs_us))
        err = s_no_memory (self);
    self->plan->size_bytes = dw_arena_size (self->arena);
    return err;
}

int dw_plan_new (dw_plan_t **self_p, const dw_graph_t *graph, const dw_plan_lookup_t *lookup,
                 dw_error_t *error) {
    assert (self_p && graph);
    assert (lookup && lookup->trait);
    builder_t builder = {.graph = graph, .lookup = lookup, .error = error};
    int err = dw_graph_resolve (graph, &builder.resolved, error);
    int err_kinds = s_find_kinds (&builder);
    int err_lanes = s_find_lanes (&builder);
    if (!err)
        err = err_kinds ? err_kinds : err_lanes ? err_lanes : s_compile (&builder);
    if (err)
        dw_arena_destroy (&builder.arena);
    else
        *self_p = builder.plan;
    dw_resolved_free (&builder.resolved);
    dw_names_free (&builder.kinds);
    free (builder.traits);
    free (builder.kind_names);
    free (builder.kind);
    free (builder.lane);
    free (builder.rank);
    free (builder.costs_us);
    dw_policies_free (&builder.policies);
    return err;
}

void dw_plan_destroy (dw_plan_t **self_p) {
    assert (self_p);
    dw_plan_t *self = *self_p;
    if (!self)
        return;
    dw_arena_t *arena = self->memory;
    dw_arena_destroy (&arena);
    *self_p = NULL;
}

uint32_t dw_plan_find (const dw_plan_t *self, const char *id) {
    assert (self && id);
    for (uint32_t node = 0; node < self->nodes_count; node++)
        if (strcmp (self->ids[node], id) == 0)
            return node;
    return DW_NONE;
}
