/* growth.c - worlds whose runs grow. */

#include "tests/support/growth_self.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 20000u
#define GRACE_NS  1000000

static const uint8_t s_input[] = {0xc0};

bool growth_is_wrong (growth_t *self, const char *format, ...) {
    va_list arguments;
    va_start (arguments, format);
    if (!self->wrong[0])
        vsnprintf (self->wrong, sizeof self->wrong, format, arguments);
    va_end (arguments);
    return false;
}

static void DW_PRINTF (2, 3) s_tell (growth_t *self, const char *format, ...) {
    va_list arguments;
    va_start (arguments, format);
    if (self->transcript) {
        fprintf (self->transcript, "%10.3f  ", (double) self->now_ns / 1000);
        vfprintf (self->transcript, format, arguments);
        fputc ('\n', self->transcript);
    }
    va_end (arguments);
}

/* -- Places ---------------------------------------------------------------------------------- */

uint32_t growth_free_place (const growth_t *self) {
    uint32_t place = 0;
    while (place < PLACES_MAX && self->parts[place].is_used)
        place++;
    return place;
}

static void s_free_part (growth_t *self, uint32_t place) {
    part_t *part = &self->parts[place];
    evaluation_destroy (&part->evaluation);
    evaluator_destroy (&part->evaluator);
    dw_added_destroy (&part->added);
    memset (part, 0, sizeof *part);
}

/* What it is to come to. */
void growth_evaluate (growth_t *self, part_t *part) {
    part->evaluator = evaluator_new (part->graph);
    for (uint32_t i = 0; i < part->graph->nodes_count; i++) {
        part->fails[i] = random_graph_fails (part->graph, i);
        part->skips[i] = part->graph->nodes[i].skips;
    }
    evaluator_run_t run = {.failure_strategy = self->graph->options.failure_strategy,
                           .fails = part->fails,
                           .skips = part->skips,
                           .outputs = part->outputs,
                           .outputs_count = part->outputs_count,
                           .input = s_input,
                           .input_size = sizeof s_input,
                           .added_nodes_max = self->nodes_max,
                           .added_depth_max = self->depth_max,
                           .budget = part->budget,
                           .depth = part->depth};
    part->evaluation = evaluation_new (part->evaluator, &run);
}

const random_node_t *growth_described (const part_t *part, uint32_t node) {
    return &part->graph->nodes[part->plan->declared[node]];
}

static const evaluated_node_t *s_expected (const part_t *part, uint32_t node) {
    return &part->evaluation->nodes[part->plan->declared[node]];
}

/* -- Commands -------------------------------------------------------------------------------- */

static bool s_is_there (const part_t *part, uint32_t node) {
    return part->is_kept[node] && !part->is_dropped[node];
}

/* What a task reads is there, and what the evaluator gives it to read. */
static bool s_check_task (growth_t *self, uint32_t place, uint32_t node, uint32_t source) {
    part_t *part = &self->parts[place];
    if (!part->has_begun)
        return growth_is_wrong (self, "place %u: a task is sent though nothing is there", place);
    const evaluated_node_t *expected = s_expected (part, node);
    uint32_t from = expected->source == RANDOM_INPUT_RUN ? DW_RUN_INPUT
                                                         : part->evaluator->rank[expected->source];
    bool runs = expected->status == DW_NODE_DONE || expected->status == DW_NODE_FAILED ||
                (expected->left_out && expected->because_of_count == 1 &&
                 expected->because_of[0] == part->plan->declared[node]);
    if (!runs)
        return growth_is_wrong (self, "place %u: node %u is sent and was not to run", place, node);
    if (source != from)
        return growth_is_wrong (self, "place %u: node %u reads %d, not %d", place, node,
                                (int) source, (int) from);
    if (source != DW_RUN_INPUT && !s_is_there (part, source))
        return growth_is_wrong (self, "place %u: node %u reads what is not there", place, node);
    for (uint32_t e = part->plan->dependencies_at[node]; e < part->plan->dependencies_at[node + 1];
         e++) {
        uint32_t on = part->plan->dependencies[e];
        if (s_expected (part, on)->status == DW_NODE_DONE && !s_is_there (part, on))
            return growth_is_wrong (self, "place %u: node %u runs before node %u is done", place,
                                    node, on);
    }
    return true;
}

static bool s_sent (growth_t *self, const dw_command_t *command) {
    member_t *worker = &self->workers[command->worker];
    const part_t *part = &self->parts[command->run];
    if (!s_check_task (self, command->run, command->node, command->source))
        return false;
    uint32_t node = command->node, place = command->run;
    while (self->parts[place].added) {
        node = self->parts[place].parent_node;
        place = self->parts[place].parent;
    }
    if (!worker->is_up || worker->is_local || worker->held_count == HELD_MAX)
        return growth_is_wrong (self, "worker %u is sent a task that it cannot take",
                                command->worker);
    if (!self->plan->pool && self->plan->lane[node] != command->worker)
        return growth_is_wrong (self, "node %u of place %u is sent where its run's node is not run",
                                command->node, command->run);
    if (command->steps > part->plan->chain_length[command->node])
        return growth_is_wrong (self, "a chain is too long");
    for (uint32_t step = 1, at = command->node; step < command->steps; step++) {
        if (growth_described (part, at)->inner)
            return growth_is_wrong (self, "node %u may add and its chain goes on behind it", at);
        at = part->plan->chain_next[at];
    }
    worker->held[worker->held_count++] = (held_t){.ticket = command->ticket,
                                                  .place = command->run,
                                                  .node = command->node,
                                                  .steps = command->steps};
    return true;
}

static void s_given_up (growth_t *self, const dw_command_t *command) {
    member_t *worker = &self->workers[command->worker];
    for (uint32_t i = 0; i < worker->held_count; i++) {
        held_t *held = &worker->held[i];
        if (held->ticket != command->ticket)
            continue;
        held->is_dead |= command->steps <= held->told;
        held->steps = held->is_dead ? held->steps : command->steps - held->told;
    }
}

static bool s_keep (growth_t *self, uint32_t place, uint32_t node) {
    part_t *part = &self->parts[place];
    if (!part->has_begun || part->is_kept[node])
        return growth_is_wrong (self, "place %u: node %u's output is kept for no reason", place,
                                node);
    if (s_expected (part, node)->status != DW_NODE_DONE)
        return growth_is_wrong (self, "place %u: node %u is done, which was not to be", place,
                                node);
    part->is_kept[node] = true;
    return true;
}

static bool s_keep_all (growth_t *self, const dw_command_t *command) {
    uint32_t node = command->node;
    for (uint32_t i = 0; i < command->steps; i++) {
        if (!s_keep (self, command->run, node))
            return false;
        node = self->parts[command->run].plan->chain_next[node];
    }
    return true;
}

static bool s_drop (growth_t *self, const dw_command_t *command) {
    part_t *part = &self->parts[command->run];
    if (!s_is_there (part, command->node))
        return growth_is_wrong (self, "what is dropped is not there");
    part->is_dropped[command->node] = true;
    return true;
}

static bool s_begun (growth_t *self, const dw_command_t *command) {
    part_t *part = &self->parts[command->place], *outer = &self->parts[command->run];
    if (!part->is_used || part->has_begun || part->parent != command->run ||
        part->parent_node != command->node || !outer->has_begun)
        return growth_is_wrong (self, "place %u: a graph begins that nobody has added",
                                command->place);
    part->has_begun = true;
    part->number = ++self->begun_count;
    part->root = outer->root;
    part->depth = outer->depth + 1;
    part->budget = outer->budget / random_graph_growing_count (outer->graph) -
                   part->graph->nodes_count;
    outer->children++;
    part_t *root = &self->parts[part->root];
    root->added_nodes += part->graph->nodes_count;
    if (part->depth > self->depth_max)
        return growth_is_wrong (self, "place %u: a graph is too deep", command->place);
    if (root->added_nodes > self->nodes_max)
        return growth_is_wrong (self, "run %u: too many nodes are added", part->root);
    growth_evaluate (self, part);
    self->counts->begun++;
    self->counts->nested += part->depth > 1;
    return true;
}

static bool s_is_cut (const part_t *part) {
    return part->evaluation->failure_strategy == DW_FAIL_FAST &&
           part->evaluation->failures_count > 0;
}

static bool s_ended (growth_t *self, const dw_command_t *command) {
    part_t *part = &self->parts[command->place], *outer = &self->parts[command->run];
    if (!part->has_begun || !part->added || part->parent != command->run ||
        part->parent_node != command->node)
        return growth_is_wrong (self, "place %u: a graph ends that there is not", command->place);
    if (command->status == DW_NODE_CANCELLED) { /* what it was part of may have ended before */
        self->parts[part->root].was_cut = true;
        self->counts->cancelled++;
        outer->children -= outer->has_begun;
        s_free_part (self, command->place);
        return true;
    }
    const evaluated_node_t *expected = s_expected (outer, command->node);
    uint32_t output = part->added->output;
    bool as_expected = true;
    outer->children--;
    switch ((dw_node_status_t) command->status) {
        case DW_NODE_DONE:
            as_expected = command->source == output && s_is_there (part, output) &&
                          part->children == 0;
            if (as_expected && !s_keep (self, command->run, command->node))
                return false;
            self->counts->done++;
            break;
        case DW_NODE_FAILED:
            as_expected = expected->status == DW_NODE_FAILED && part->has_error[command->source];
            if (!s_is_cut (part) && as_expected)
                as_expected = part->children == 0 &&
                              s_expected (part, command->source)->status == DW_NODE_FAILED;
            outer->has_error[command->node] = true;
            self->counts->failed++;
            break;
        case DW_NODE_SKIPPED:
            as_expected = expected->left_out && part->children == 0;
            self->counts->skipped++;
            break;
        case DW_NODE_CANCELLED:
        case DW_NODE_NOT_REQUESTED: as_expected = false; break;
    }
    if (!as_expected)
        return growth_is_wrong (self, "place %u: the graph of node %u of place %u ends as %u",
                                command->place, command->node, command->run, command->status);
    s_free_part (self, command->place);
    return true;
}

static bool s_finished (growth_t *self, const dw_command_t *command) {
    part_t *part = &self->parts[command->run];
    dw_run_status_t status = (dw_run_status_t) command->status;
    bool is_free = part->was_cancelled || part->is_late || part->lacks_nodes;
    if (!part->has_begun || part->added)
        return growth_is_wrong (self, "run %u finishes that there is not", command->run);
    for (uint32_t place = 0; place < PLACES_MAX; place++)
        if (self->parts[place].added && self->parts[place].has_begun &&
            self->parts[place].root == command->run)
            return growth_is_wrong (self, "run %u finishes before the graph in place %u",
                                    command->run, place);
    if (part->was_cut && !part->lacks_nodes && status != DW_RUN_FAILED &&
        status != DW_RUN_CANCELLED)
        return growth_is_wrong (self, "run %u has cancelled a graph and is %u", command->run,
                                status);
    if (!is_free && status != part->evaluation->status)
        return growth_is_wrong (self, "run %u is %u, not %u", command->run, status,
                                part->evaluation->status);
    for (uint32_t node = 0; !is_free && node < part->plan->nodes_count; node++) {
        dw_node_state_t state = dw_scheduler_node_state (self->scheduler, command->run, node);
        dw_node_status_t as = state == DW_STATE_DONE            ? DW_NODE_DONE
                              : state == DW_STATE_FAILED        ? DW_NODE_FAILED
                              : state == DW_STATE_CANCELLED     ? DW_NODE_CANCELLED
                              : state == DW_STATE_NOT_REQUESTED ? DW_NODE_NOT_REQUESTED
                                                                : DW_NODE_SKIPPED;
        if (!evaluation_allows (part->evaluation, part->plan->declared[node], as))
            return growth_is_wrong (self, "run %u: node %u ends as %u", command->run, node, as);
    }
    dw_scheduler_forget (self->scheduler, command->run);
    s_free_part (self, command->run);
    return true;
}

static bool s_obey (growth_t *self, const dw_command_t *command) {
    s_tell (self, "  command %u: run %u, node %u, worker %u, steps or place %u, status %u, code %u",
            command->type, command->run, command->node, command->worker, command->steps,
            command->status, command->code);
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: return s_sent (self, command);
        case DW_CANCEL_TASK: s_given_up (self, command); return true;
        case DW_KEEP_OUTPUT: return s_keep_all (self, command);
        case DW_KEEP_ERROR:
            self->parts[command->run].has_error[command->node] = true;
            self->counts->refused += command->code == 413 && command->handle == DW_NONE;
            return true;
        case DW_KEEP_DEATH: return true;
        case DW_DROP_OUTPUT: return s_drop (self, command);
        case DW_FINISH_RUN: return s_finished (self, command);
        case DW_REPLACE_WORKER:
            self->workers[command->worker].is_up = false;
            self->workers[command->worker].held_count = 0;
            return true;
        case DW_BEGIN_ADDED: return s_begun (self, command);
        case DW_END_ADDED: return s_ended (self, command);
    }
    return growth_is_wrong (self, "there is no such command");
}

static bool s_obey_all (growth_t *self) {
    bool holds = true;
    for (size_t i = 0; holds && i < self->commands.count; i++)
        holds = s_obey (self, &self->commands.items[i]);
    holds = holds && growth_check_step (self, &self->commands);
    self->commands.count = 0;
    return holds;
}

/* -- From the first thing to the last --------------------------------------------------------- */

/* Nobody idles while there is something that he could do. */
static bool s_check_idle (growth_t *self) {
    uint32_t up = 0, idle = 0, max = self->plan->max_concurrency;
    if (!self->plan->pool || dw_scheduler_ready_count (self->scheduler) == 0)
        return true;
    if (self->plan->workers_count < max)
        max = self->plan->workers_count;
    for (uint32_t w = 0; w < self->workers_count; w++) {
        if (self->workers[w].is_local)
            return true; /* what is ready may be left to it */
        up += self->workers[w].is_up;
        idle += self->workers[w].is_up && self->workers[w].held_count == 0;
    }
    return idle == 0 || up - idle >= max ||
           growth_is_wrong (self, "%u idle while something is ready", idle);
}

static bool s_step (growth_t *self) {
    for (uint32_t i = 0; i < self->events_count; i++)
        s_tell (self, "event %u: worker %u, ticket %u, step %u, run %u", self->events[i].type,
                self->events[i].worker, (unsigned) self->events[i].ticket, self->events[i].step,
                self->events[i].run);
    if (dw_scheduler_step (self->scheduler, self->now_ns, self->events, self->events_count,
                           &self->commands))
        return growth_is_wrong (self, "no memory");
    bool holds = s_obey_all (self) && s_check_idle (self);
    for (uint32_t i = 0; i < self->events_count; i++) {
        uint32_t place = self->events[i].run;
        if (self->events[i].type == DW_EVENT_TASK_ADDED && self->parts[place].is_used &&
            !self->parts[place].has_begun) {
            s_free_part (self, place);
            self->counts->unbegun++;
        }
    }
    self->events_count = 0;
    return holds;
}

/* What the shell's own thread runs: nodes of runs, never of what was added. */
static bool s_run_own (void *arg, dw_own_task_t *task) {
    growth_t *self = arg;
    part_t *part = &self->parts[task->run];
    uint32_t node = task->node;
    task->done = task->code = 0;
    task->handle = 0;
    if (part->added)
        return growth_is_wrong (self, "the shell's thread is to run what was added");
    if (!s_check_task (self, task->run, node, task->source) ||
        !growth_check_order (self, task->run, node))
        return false;
    for (task->done = 0; task->done < task->steps && !growth_is_odd (part, node); task->done++) {
        if (!s_keep (self, task->run, node))
            return false;
        node = part->plan->chain_next[node];
    }
    if (task->done == task->steps)
        return !random_one_in (&self->random, 4);
    const random_node_t *described = growth_described (part, node);
    if (part->failures[node] < described->failures) {
        part->failures[node]++;
        task->code = (uint16_t) described->code;
    } else if (described->inner)
        return growth_is_wrong (self, "the shell's thread is to run a node that adds");
    else
        task->is_skipped = true;
    return true;
}

static bool s_work_own (growth_t *self) {
    if (!dw_scheduler_has_own (self->scheduler))
        return true;
    if (dw_scheduler_work (self->scheduler, s_run_own, self, &self->commands))
        return growth_is_wrong (self, "no memory");
    dw_scheduler_timed (self->scheduler, 1, 1 + random_below (&self->random, 400));
    return !self->wrong[0];
}

static bool s_is_over (const growth_t *self) {
    bool is_over = self->runs_left == 0;
    for (uint32_t place = 0; place < PLACES_MAX; place++)
        is_over &= !self->parts[place].is_used;
    for (uint32_t w = 0; w < self->workers_count; w++)
        is_over &= self->workers[w].held_count == 0;
    return is_over;
}

static bool s_go_on (growth_t *self) {
    uint32_t things = random_below (&self->random, 5);
    self->now_ns += random_between (&self->random, 1, 20000);
    while (things-- > 0)
        growth_happen (self);
    int64_t deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
    if (self->events_count == 0 && deadline_ns != INT64_MAX && deadline_ns > self->now_ns &&
        random_one_in (&self->random, 8))
        self->now_ns = deadline_ns;
    return s_step (self) && s_work_own (self);
}

static void s_strip (random_graph_t *graph, uint64_t off) {
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        random_node_t *node = &graph->nodes[i];
        node->not_idempotent = false; /* workers are lost, whatever they are at */
        if (off_is (off, OFF_FAILURES))
            node->failures = 0;
        if (off_is (off, OFF_SKIPS))
            node->skips = false;
        if (node->inner)
            s_strip (node->inner, off);
    }
}

static void s_draw_options (growth_t *self) {
    dw_graph_options_t *options = &self->graph->options;
    random_t *random = &self->random;
    options->strategy = (dw_strategy_t) random_below (random, 4);
    options->failure_strategy = (dw_failure_strategy_t) random_below (random, 3);
    options->actors = random_one_in (random, 3) ? DW_ACTORS_THREAD : DW_ACTORS_POOL;
    options->pool_size = options->actors == DW_ACTORS_POOL ? 1 + random_below (random, 4)
                                                           : DW_UNSET;
    options->priority = random_one_in (random, 4) ? DW_CRITICAL_PATH : DW_RANK;
    options->max_concurrency = 1 + random_below (random, 5);
    options->retry_attempts = random_below (random, 3);
    options->backoff.initial_us = random_below (random, 50);
    options->backoff.max_us = 100;
    self->nodes_max = random_one_in (random, 3) ? random_below (random, 60) : 10000;
    self->depth_max = random_one_in (random, 3) ? random_below (random, 4) : 64;
    options->added_nodes_max = self->nodes_max;
    options->added_depth_max = self->depth_max;
    random_graph_grow (self->graph, 3);
    s_strip (self->graph, self->off);
}

static bool s_start (growth_t *self, uint64_t seed) {
    dw_plan_lookup_t lookup = {.trait = random_graph_trait, .cpus_count = 2};
    self->random = random_from (seed ^ UINT64_C (0x67726f77));
    self->graph = random_graph_new (seed, off_nodes_max (self->off, NODES_MAX));
    s_draw_options (self);
    dw_graph_t *graph = random_graph_build (self->graph);
    int err = dw_plan_new (&self->plan, graph, &lookup, NULL);
    dw_graph_destroy (&graph);
    if (err)
        return growth_is_wrong (self, "the graph cannot be planned");
    off_turn (self->off, &self->random);
    bool has_local = self->plan->pool && random_one_in (&self->random, 2) &&
                     !off_is (self->off, OFF_OWN_WORK);
    self->workers_count = self->plan->workers_count + has_local;
    self->workers[self->plan->workers_count].is_local = has_local;
    uint32_t runs = 1 + random_below (&self->random, RUNS_MAX);
    for (uint32_t i = 0; i < runs; i++)
        self->runs_left += !off_is (self->off, OFF_RUN + i);
    self->losses_left = 2;
    dw_scheduler_options_t options = {.runs_max = PLACES_MAX,
                                      .workers_max = self->workers_count,
                                      .grace_ns = GRACE_NS,
                                      .seed = seed};
    if (self->transcript)
        random_graph_print (self->graph, self->transcript);
    return !dw_scheduler_new (&self->scheduler, self->plan, &options) ||
           growth_is_wrong (self, "no memory");
}

bool growth_run (uint64_t seed, uint64_t off, FILE *transcript, growth_counts_t *counts,
                 char *wrong, size_t wrong_size) {
    growth_t *self = calloc (1, sizeof *self);
    assert (self);
    self->off = off;
    self->transcript = transcript;
    self->counts = counts;
    bool holds = s_start (self, seed);
    uint32_t steps = 0;
    while (holds && !s_is_over (self)) {
        holds = s_go_on (self);
        if (holds && ++steps > STEPS_MAX)
            holds = growth_is_wrong (self, "the world does not come to an end");
    }
    if (holds && dw_scheduler_ready_count (self->scheduler) > 0)
        holds = growth_is_wrong (self, "something is ready though no run is left");
    counts->worlds++;
    snprintf (wrong, wrong_size, "%s", self->wrong);
    for (uint32_t place = 0; place < PLACES_MAX; place++)
        if (self->parts[place].is_used)
            s_free_part (self, place);
    dw_scheduler_destroy (&self->scheduler);
    dw_plan_destroy (&self->plan);
    random_graph_destroy (&self->graph);
    free (self->commands.items);
    free (self);
    return holds;
}
