/* resolve.c - what is wrong with a graph's shape; names turned into indices and levels.
 *
 * One table of names, one pass over the dependencies, one depth-first search without recursion:
 * time and memory are linear in nodes and edges. */

#include "runtime/core/graph.h"
#include "runtime/core/names.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTED_MAX 100u /* of each kind of problem */
#define CYCLE_SHOWN  20u  /* nodes of a cycle; of a longer one the middle is left out */
#define ID_SHOWN     64   /* bytes of an id in a cycle */
#define BLOCK        64u  /* names that are looked up together */

/* What is spent at most on the nearest names (cells of edit distance) and on looking for ancestors
 * (edges): a second or two for a graph that was made to be slow. */
#define NEAREST_CELLS_MAX  (UINT64_C (1) << 29)
#define ANCESTOR_EDGES_MAX (UINT64_C (1) << 28)

/* Levels before they are known. */
#define UNSEEN DW_NONE
#define OPEN   (DW_NONE - 1)

typedef enum problem_t { EMPTY, DUPLICATE, MISSING, CYCLE, INPUT, UNCHECKED, PROBLEMS } problem_t;

static const char *const s_more[PROBLEMS] = {
    [EMPTY] = "more nodes have an empty id",
    [DUPLICATE] = "more nodes have an id that is taken",
    [MISSING] = "more dependencies are not in the graph",
    [CYCLE] = "more cycles",
    [INPUT] = "more inputs are no ancestors of their nodes",
    [UNCHECKED] = "more inputs were not checked",
};

/* One node on the path that the depth-first search is on. */
typedef struct frame_t {
    uint32_t node;
    uint32_t edge;  /* the next to look at */
    uint32_t level; /* by the dependencies seen so far */
} frame_t;

typedef struct resolver_t {
    const dw_graph_t *graph;
    dw_error_t *error;
    dw_names_t names; /* of nodes, by id */
    dw_resolved_t out;
    frame_t *path; /* of the depth-first search */
    uint32_t path_count;
    uint32_t *seen;  /* by node: the last search for an ancestor that came by */
    uint32_t *stack; /* of that search */
    uint64_t cells_left, edges_left;
    bool declared_later; /* some dependency was declared later than a node that depends on it */
    uint32_t problems[PROBLEMS];
} resolver_t;

static dw_place_t s_place (const resolver_t *self, uint32_t line, uint32_t column) {
    return (dw_place_t){.file = self->graph->file, .line = line, .column = column};
}

static dw_place_t s_node_place (const resolver_t *self, const dw_node_t *node) {
    return s_place (self, node->line, node->column);
}

/* Counts a problem; true when it is one of those to be reported. */
static bool s_found (resolver_t *self, problem_t problem) {
    return self->problems[problem]++ < REPORTED_MAX;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static void s_report_duplicate (resolver_t *self, uint32_t first, uint32_t second) {
    const dw_node_t *node = &self->graph->nodes[second];
    uint32_t line = self->graph->nodes[first].line;
    if (!s_found (self, DUPLICATE))
        return;
    if (line > 0)
        dw_error_add (self->error, DW_EGRAPH, s_node_place (self, node),
                      "the id \"%s\" is taken by the node in line %u; give each node its own",
                      node->id, line);
    else
        dw_error_add (self->error, DW_EGRAPH, s_node_place (self, node),
                      "the id \"%s\" of node %u is taken by node %u; give each node its own",
                      node->id, second, first);
}

static int s_name_node (resolver_t *self, uint32_t index, uint32_t hash) {
    const dw_node_t *node = &self->graph->nodes[index];
    if (node->id[0] == '\0') {
        if (s_found (self, EMPTY))
            dw_error_add (self->error, DW_EGRAPH, s_node_place (self, node),
                          "the id of node %u is empty; give it one", index);
        return DW_OK;
    }
    uint32_t first = dw_names_add_hashed (&self->names, node->id, hash, index);
    if (first != index && first != DW_NONE)
        s_report_duplicate (self, first, index);
    return first == DW_NONE ? DW_ENOMEM : DW_OK;
}

static int s_name_nodes (resolver_t *self) {
    uint32_t hashes[BLOCK];
    uint32_t count = self->graph->nodes_count;
    int err = DW_OK;
    for (uint32_t from = 0; from < count && !err; from += BLOCK) {
        uint32_t to = count - from < BLOCK ? count : from + BLOCK;
        for (uint32_t node = from; node < to; node++)
            hashes[node - from] = dw_names_hash (&self->names, self->graph->nodes[node].id);
        for (uint32_t node = from; node < to && !err; node++)
            err = s_name_node (self, node, hashes[node - from]);
    }
    return err;
}

/* The id that was meant by word, or NULL. Of a very large graph only the first part is looked
 * at. */
static const char *s_nearest (resolver_t *self, const char *word) {
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    uint64_t cells = strnlen (word, 64) * strnlen (word, 64) + 16;
    for (uint32_t node = 0; node < self->graph->nodes_count && self->cells_left >= cells; node++) {
        dw_error_nearest (word, self->graph->nodes[node].id, &best, &distance);
        self->cells_left -= cells;
    }
    return best;
}

/* Says that the node names something (verb: how) that is not there. */
static void s_report_missing (resolver_t *self, dw_place_t place, const char *id, const char *verb,
                              const char *missing) {
    const char *nearest = s_nearest (self, missing);
    if (nearest)
        dw_error_add (self->error, DW_EGRAPH, place,
                      "node \"%s\" %s \"%s\", which is not in the graph; did you mean \"%s\"?", id,
                      verb, missing, nearest);
    else
        dw_error_add (self->error, DW_EGRAPH, place,
                      "node \"%s\" %s \"%s\", which is not in the graph", id, verb, missing);
}

/* ---- Dependencies --------------------------------------------------------------------------- */

/* A name that a node depends on, on its way to an index. */
typedef struct sought_t {
    const char *id;
    uint32_t hash;
    uint32_t guess;
} sought_t;

/* The dependencies of all nodes one after another, of which the next ones are being looked up. */
typedef struct lookout_t {
    uint32_t node, of; /* what comes after those that are sought */
    uint32_t count, found;
    sought_t sought[BLOCK];
} lookout_t;

static void s_gather (const resolver_t *self, lookout_t *lookout) {
    lookout->count = lookout->found = 0;
    for (; lookout->node < self->graph->nodes_count; lookout->node++, lookout->of = 0) {
        const dw_node_t *node = &self->graph->nodes[lookout->node];
        for (; lookout->of < node->dependencies_count; lookout->of++) {
            if (lookout->count == BLOCK)
                return;
            const char *id = node->dependencies[lookout->of].id;
            lookout->sought[lookout->count++] = (sought_t){
                .id = id, .hash = dw_names_hash (&self->names, id)};
        }
    }
}

/* Finds the next dependency; DW_NONE: there is no such node. Each sweep over the names sought
 * fetches what the next one looks at, so that none waits for memory. */
static uint32_t s_find_next (const resolver_t *self, lookout_t *lookout) {
    if (lookout->found == lookout->count) {
        s_gather (self, lookout);
        for (sought_t *of = lookout->sought; of < lookout->sought + lookout->count; of++)
            of->guess = dw_names_guess (&self->names, of->hash);
        for (sought_t *of = lookout->sought; of < lookout->sought + lookout->count; of++)
            dw_names_peek (&self->names, of->guess);
    }
    const sought_t *next = &lookout->sought[lookout->found++];
    return dw_names_find_guessed (&self->names, next->id, next->hash, next->guess);
}

static void s_report_missing_dependency (resolver_t *self, const dw_node_t *node, uint32_t of) {
    const dw_dependency_t *dependency = &node->dependencies[of];
    if (s_found (self, MISSING))
        s_report_missing (self, s_place (self, dependency->line, dependency->column), node->id,
                          "depends on", dependency->id);
}

/* Adds the indices of one node's dependencies from edge on; a repeated one counts once. Returns
 * where the next node's begin. The level is right where all dependencies were declared before.
 * Inputs are not known yet and mark, until then, which node was last to depend on this one. */
static uint32_t s_link_node (resolver_t *self, lookout_t *lookout, uint32_t index, uint32_t edge) {
    const dw_node_t *node = &self->graph->nodes[index];
    uint32_t *last = self->out.input;
    uint32_t level = 0;
    for (uint32_t of = 0; of < node->dependencies_count; of++) {
        uint32_t on = s_find_next (self, lookout);
        if (on == DW_NONE) {
            s_report_missing_dependency (self, node, of);
        } else if (last[on] != index) {
            last[on] = index;
            self->out.dependencies[edge++] = on;
            if (on >= index)
                self->declared_later = true;
            else if (self->out.level[on] >= level)
                level = self->out.level[on] + 1;
        }
    }
    self->out.level[index] = level;
    if (level >= self->out.levels_count)
        self->out.levels_count = level + 1;
    return edge;
}

/* Turns names into indices, and finds the levels if that can be done on the way. */
static void s_link (resolver_t *self) {
    uint32_t count = self->graph->nodes_count;
    uint32_t edge = 0;
    lookout_t lookout = {0};
    assert (self->out.input);
    memset (self->out.input, 0xff, count * sizeof (uint32_t)); /* DW_NONE */
    for (uint32_t node = 0; node < count; node++) {
        self->out.dependencies_at[node] = edge;
        edge = s_link_node (self, &lookout, node, edge);
    }
    self->out.dependencies_at[count] = edge;
}

/* ---- Levels and cycles ---------------------------------------------------------------------- */

/* Appends an id, cut short where it is long, but not within a code point. */
static size_t s_append_id (char *text, size_t size, const char *id) {
    size_t length = strnlen (id, ID_SHOWN + 1);
    const char *dots = length > ID_SHOWN ? "..." : "";
    if (length > ID_SHOWN)
        for (length = ID_SHOWN; length > 0 && ((unsigned char) id[length] & 0xc0u) == 0x80u;)
            length--;
    return (size_t) snprintf (text, size, "%.*s%s", (int) length, id, dots);
}

/* The path from its frame `first` on is a cycle, each node depending on the next. It is shown the
 * other way round, from what is depended on to what depends, from its first declared node on. */
static void s_report_cycle (resolver_t *self, uint32_t first) {
    char text[(CYCLE_SHOWN + 2) * (ID_SHOWN + sizeof ("... -> "))];
    uint32_t length = self->path_count - first;
    uint32_t start = 0;
    size_t used = 0;
    for (uint32_t of = 1; of < length; of++)
        if (self->path[first + of].node < self->path[first + start].node)
            start = of;
    const dw_node_t *node = &self->graph->nodes[self->path[first + start].node];
    for (uint32_t shown = 0; shown < length; shown++) {
        if (length > CYCLE_SHOWN && shown == CYCLE_SHOWN / 2) {
            uint32_t left_out = length - CYCLE_SHOWN;
            used += (size_t) snprintf (text + used, sizeof (text) - used, "(%u more) -> ",
                                       left_out);
            shown += left_out;
        }
        const frame_t *frame = &self->path[first + (start + length - shown) % length];
        used += s_append_id (text + used, sizeof (text) - used, self->graph->nodes[frame->node].id);
        used += (size_t) snprintf (text + used, sizeof (text) - used, " -> ");
    }
    s_append_id (text + used, sizeof (text) - used, node->id);
    dw_error_add (self->error, DW_EGRAPH, s_node_place (self, node), "cycle: %s%s", text,
                  length == 1 ? " (the node depends on itself)" : "");
}

static void s_close_cycle (resolver_t *self, uint32_t node) {
    if (!s_found (self, CYCLE))
        return;
    uint32_t first = self->path_count - 1;
    while (self->path[first].node != node)
        first--;
    s_report_cycle (self, first);
}

static void s_enter (resolver_t *self, uint32_t node) {
    self->out.level[node] = OPEN;
    self->path[self->path_count++] = (frame_t){
        .node = node, .edge = self->out.dependencies_at[node], .level = 0};
}

static void s_leave (resolver_t *self) {
    const frame_t *frame = &self->path[--self->path_count];
    self->out.level[frame->node] = frame->level;
    if (frame->level >= self->out.levels_count)
        self->out.levels_count = frame->level + 1;
    if (self->path_count > 0 && self->path[self->path_count - 1].level <= frame->level)
        self->path[self->path_count - 1].level = frame->level + 1;
}

/* Depth-first search along the dependencies (Tarjan 1972), with the path kept by hand: a chain of
 * a million nodes is no deep recursion. An edge back into the path closes a cycle. */
static void s_find_levels (resolver_t *self, uint32_t root) {
    const dw_resolved_t *out = &self->out;
    s_enter (self, root);
    while (self->path_count > 0) {
        frame_t *frame = &self->path[self->path_count - 1];
        if (frame->edge == out->dependencies_at[frame->node + 1]) {
            s_leave (self);
            continue;
        }
        uint32_t on = out->dependencies[frame->edge++];
        if (out->level[on] == UNSEEN)
            s_enter (self, on);
        else if (out->level[on] == OPEN)
            s_close_cycle (self, on);
        else if (frame->level <= out->level[on])
            frame->level = out->level[on] + 1;
    }
}

/* Where every dependency is declared before its dependents, there is no cycle, and linking has
 * found the levels. */
static int s_sort_levels (resolver_t *self) {
    uint32_t count = self->graph->nodes_count;
    if (!self->declared_later)
        return DW_OK;
    self->out.levels_count = 0;
    self->path = malloc ((size_t) count * sizeof (*self->path) + 1);
    if (!self->path)
        return DW_ENOMEM;
    memset (self->out.level, 0xff, count * sizeof (uint32_t)); /* UNSEEN */
    for (uint32_t node = 0; node < count; node++)
        if (self->out.level[node] == UNSEEN)
            s_find_levels (self, node);
    return DW_OK;
}

/* ---- Inputs --------------------------------------------------------------------------------- */

static bool s_depends_directly (const resolver_t *self, uint32_t node, uint32_t on) {
    const dw_resolved_t *out = &self->out;
    for (uint32_t edge = out->dependencies_at[node]; edge < out->dependencies_at[node + 1]; edge++)
        if (out->dependencies[edge] == on)
            return true;
    return false;
}

/* Searches backwards from node, no further than the wanted ancestor's level. A node on the way
 * whose input, already found right, is the same ends the search: many nodes with one input cost
 * little. */
static bool s_descends (resolver_t *self, uint32_t node, uint32_t wanted) {
    const dw_resolved_t *out = &self->out;
    uint32_t stack_count = 0;
    self->stack[stack_count++] = node;
    while (stack_count > 0) {
        uint32_t of = self->stack[--stack_count];
        for (uint32_t edge = out->dependencies_at[of]; edge < out->dependencies_at[of + 1];
             edge++) {
            uint32_t on = out->dependencies[edge];
            if (self->edges_left == 0)
                return false;
            self->edges_left--;
            if (on == wanted || out->input[on] == wanted)
                return true;
            if (self->seen[on] == node || out->level[on] <= out->level[wanted])
                continue;
            self->seen[on] = node;
            self->stack[stack_count++] = on;
        }
    }
    return false;
}

static void s_check_ancestor (resolver_t *self, uint32_t index, uint32_t wanted) {
    const dw_node_t *node = &self->graph->nodes[index];
    dw_place_t place = s_place (self, node->input_line, node->input_column);
    if (s_depends_directly (self, index, wanted) || s_descends (self, index, wanted)) {
        self->out.input[index] = wanted;
    } else if (self->edges_left > 0) {
        if (s_found (self, INPUT))
            dw_error_add (self->error, DW_EGRAPH, place,
                          "node \"%s\" has the input \"%s\", which is not among its ancestors; "
                          "depend on it, or name another",
                          node->id, node->input);
    } else if (s_found (self, UNCHECKED)) {
        dw_error_add (self->error, DW_EGRAPH, place,
                      "node \"%s\" has the input \"%s\", and there are too many inputs so far from "
                      "their nodes to check them all; depend on it directly",
                      node->id, node->input);
    }
}

/* Finds one node's input by name. While there are cycles nobody's ancestors are certain. */
static void s_resolve_input (resolver_t *self, uint32_t index) {
    const dw_node_t *node = &self->graph->nodes[index];
    uint32_t wanted = dw_names_find (&self->names, node->input);
    dw_place_t place = s_place (self, node->input_line, node->input_column);
    if (strcmp (node->input, "run") == 0) {
        self->out.input[index] = DW_RUN_INPUT;
        if (wanted != DW_NONE)
            dw_error_warn (
                self->error, place,
                "node \"%s\" has the input \"run\", which is the run's input and not the "
                "output of the node \"run\"",
                node->id);
    } else if (wanted == DW_NONE) {
        if (s_found (self, INPUT))
            s_report_missing (self, place, node->id, "has the input", node->input);
    } else if (self->problems[CYCLE] == 0) {
        s_check_ancestor (self, index, wanted);
    }
}

static int s_resolve_inputs (resolver_t *self) {
    uint32_t count = self->graph->nodes_count;
    memset (self->out.input, 0xff, count * sizeof (uint32_t)); /* DW_NONE */
    if (self->graph->inputs_count == 0)
        return DW_OK;
    self->seen = malloc (2 * (size_t) count * sizeof (uint32_t));
    if (!self->seen)
        return DW_ENOMEM;
    memset (self->seen, 0xff, count * sizeof (uint32_t));
    self->stack = self->seen + count;
    for (uint32_t node = 0; node < count; node++)
        if (self->graph->nodes[node].input)
            s_resolve_input (self, node);
    return DW_OK;
}

/* ---- All together --------------------------------------------------------------------------- */

/* One block for all arrays, which dependencies_at begins. */
static int s_take_memory (resolver_t *self) {
    const dw_node_t *nodes = self->graph->nodes;
    size_t count = self->graph->nodes_count;
    uint64_t edges = self->graph->edges_count;
    if (edges >= UINT32_MAX)
        return dw_error_add (self->error, DW_EGRAPH, s_place (self, 0, 0),
                             "the graph has more than %u dependencies", UINT32_MAX - 1);
    uint32_t *block = malloc ((3 * count + 1 + edges) * sizeof (uint32_t));
    if (!block || !dw_names_init (&self->names, (uint32_t) count, nodes ? &nodes->id : NULL,
                                  sizeof (*nodes))) {
        free (block);
        return DW_ENOMEM;
    }
    self->out.dependencies_at = block;
    self->out.input = block + count + 1;
    self->out.level = block + 2 * count + 1;
    self->out.dependencies = block + 3 * count + 1;
    return DW_OK;
}

static int s_resolve (resolver_t *self) {
    int err = s_take_memory (self);
    if (!err)
        err = s_name_nodes (self);
    if (!err) {
        s_link (self);
        err = s_sort_levels (self);
    }
    return err ? err : s_resolve_inputs (self);
}

/* Says how many problems were not reported; DW_EGRAPH when there were any at all. */
static int s_report_rest (resolver_t *self) {
    int err = DW_OK;
    for (int problem = 0; problem < PROBLEMS; problem++) {
        uint32_t count = self->problems[problem];
        if (count > 0)
            err = DW_EGRAPH;
        if (count > REPORTED_MAX)
            dw_error_add (self->error, DW_EGRAPH, s_place (self, 0, 0), "%u %s",
                          count - REPORTED_MAX, s_more[problem]);
    }
    return err;
}

int dw_graph_resolve (const dw_graph_t *self, dw_resolved_t *resolved, dw_error_t *error) {
    assert (self);
    resolver_t resolver = {.graph = self,
                           .error = error,
                           .cells_left = NEAREST_CELLS_MAX,
                           .edges_left = ANCESTOR_EDGES_MAX};
    int err = s_resolve (&resolver);
    if (err == DW_ENOMEM)
        dw_error_add (error, err, s_place (&resolver, 0, 0),
                      "out of memory: a graph of %u nodes needs more than there is",
                      self->nodes_count);
    int err_rest = s_report_rest (&resolver);
    int err_options = dw_graph_check_options (self, error);
    err = err ? err : err_rest ? err_rest : err_options;
    dw_names_free (&resolver.names);
    free (resolver.path);
    free (resolver.seen);
    if (err || !resolved)
        dw_resolved_free (&resolver.out);
    else
        *resolved = resolver.out;
    return err;
}

void dw_resolved_free (dw_resolved_t *self) {
    assert (self);
    free (self->dependencies_at);
    *self = (dw_resolved_t){0};
}
