/* world.c - draws a world of the simulator from its seed. */

#include "tests/support/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tests/support/crew.h"

/* -- The transcript ------------------------------------------------------------------------- */

static void DW_PRINTF (2, 3) s_tell (world_t *world, const char *format, ...) {
    va_list arguments;
    if (!world->transcript)
        return;
    fprintf (world->transcript, "%10.3f  ", (double) world->now_ns / 1000);
    va_start (arguments, format);
    vfprintf (world->transcript, format, arguments);
    va_end (arguments);
    fputc ('\n', world->transcript);
}

void world_tell_event (world_t *world, const dw_event_t *event) {
    unsigned w = event->worker, ticket = (unsigned) event->ticket;
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED:
            s_tell (world, "run %u submitted, %u outputs, deadline at %.3f us", event->run,
                    event->outputs_count, (double) event->deadline_ns / 1000);
            break;
        case DW_EVENT_RUN_CANCELLED: s_tell (world, "run %u cancelled", event->run); break;
        case DW_EVENT_NODE_CANCELLED:
            s_tell (world, "run %u node %u cancelled, and all that depends on it", event->run,
                    event->node);
            break;
        case DW_EVENT_LANES_UNSERVED:
            s_tell (world, "lanes %x are not served", (unsigned) event->lanes);
            break;
        case DW_EVENT_BACKLOG: s_tell (world, "more has arrived than is taken in"); break;
        case DW_EVENT_WORKER_JOINED:
            s_tell (world, "worker %u joined, lane %u, lanes %x, credit %u%s", w, event->lane,
                    (unsigned) event->lanes, event->credit, event->local ? ", local" : "");
            break;
        case DW_EVENT_WORKER_LOST:
            s_tell (world, "worker %u %s%s (handle %u)", w, event->last ? "left" : "lost",
                    event->idle ? ", idle" : "", event->handle);
            break;
        case DW_EVENT_TASK_DONE:
            s_tell (world, "worker %u: ticket %u, %u steps done after %u%s (handle %u)", w, ticket,
                    event->steps, event->step, event->last ? ", the last" : "", event->handle);
            break;
        case DW_EVENT_TASK_FAILED:
            s_tell (world, "worker %u: ticket %u failed %u after %u steps (handle %u)", w, ticket,
                    event->code, event->step, event->handle);
            break;
        case DW_EVENT_TASK_SKIPPED:
            s_tell (world, "worker %u: ticket %u ends its branch after %u steps", w, ticket,
                    event->step);
            break;
        case DW_EVENT_TASK_ADDED:
            s_tell (world, "worker %u: ticket %u adds a graph after %u steps", w, ticket,
                    event->step);
            break;
        case DW_EVENT_TASK_RETURNED:
            s_tell (world, "worker %u: ticket %u returned after %u steps", w, ticket, event->step);
            break;
    }
}

void world_tell_command (world_t *world, const dw_command_t *c) {
    unsigned ticket = (unsigned) c->ticket;
    switch ((dw_command_type_t) c->type) {
        case DW_SEND_TASK:
            s_tell (world,
                    "    send run %u node %u (%u steps, source %d, attempt %u) to worker %u as "
                    "ticket %u",
                    c->run, c->node, c->steps, (int) c->source, c->attempt, c->worker, ticket);
            break;
        case DW_CANCEL_TASK:
            s_tell (world, "    cancel worker %u's ticket %u, behind %u steps", c->worker, ticket,
                    c->steps);
            break;
        case DW_KEEP_OUTPUT:
            s_tell (world, "    keep run %u node %u's output, %u steps (handle %u)", c->run,
                    c->node, c->steps, c->handle);
            break;
        case DW_KEEP_ERROR:
            s_tell (world, "    keep run %u node %u's error %u (handle %d)", c->run, c->node,
                    c->code, (int) c->handle);
            break;
        case DW_KEEP_DEATH:
            s_tell (world, "    keep that worker %u was lost with run %u node %u, attempt %u",
                    c->worker, c->run, c->node, c->attempt);
            break;
        case DW_DROP_OUTPUT:
            s_tell (world, "    drop run %u node %u's output", c->run, c->node);
            break;
        case DW_BEGIN_ADDED:
        case DW_END_ADDED:
            s_tell (world, "    run %u node %u's graph is run in place %u", c->run, c->node,
                    c->place);
            break;
        case DW_FINISH_RUN:
            s_tell (world, "    finish run %u with status %u", c->run, c->status);
            break;
        case DW_REPLACE_WORKER: s_tell (world, "    replace worker %u", c->worker); break;
    }
}

void world_tell_own (world_t *world, const dw_own_task_t *task) {
    s_tell (world, "own: run %u node %u (%u steps, source %d, attempt %u): %u done, code %u%s",
            task->run, task->node, task->steps, (int) task->source, task->attempt, task->done,
            task->code, task->is_skipped ? ", its branch ended" : "");
}

void world_tell_timed (world_t *world) {
    s_tell (world, "own: %u steps took %.3f us", world->own_steps, (double) world->own_ns / 1000);
}

/* -- What will happen ----------------------------------------------------------------------- */

void world_expect (world_t *world, int64_t at_ns, thing_t thing) {
    if (world->things_count == world->things_size) {
        world->things_size = world->things_size ? 2 * world->things_size : 64;
        world->things = realloc (world->things, world->things_size * sizeof *world->things);
        assert (world->things);
    }
    thing.at_ns = at_ns;
    thing.order = world->order++;
    world->things[world->things_count++] = thing;
}

size_t world_next (const world_t *world) {
    size_t best = world->things_count;
    for (size_t i = 0; i < world->things_count; i++) {
        const thing_t *a = &world->things[i], *b = &world->things[best];
        if (best == world->things_count || a->at_ns < b->at_ns ||
            (a->at_ns == b->at_ns && a->order < b->order))
            best = i;
    }
    return best;
}

/* -- The world ------------------------------------------------------------------------------ */

static void s_draw_times (world_t *world) {
    random_t *random = &world->random;
    bool far = random_one_in (random, 16);
    world->delay_max_ns = far ? WORLD_FAR_DELAY_MAX_NS : WORLD_DELAY_MAX_NS;
    world->timeout_min_ns = 2 * world->delay_max_ns + 2 * WORLD_COALESCE_MAX_NS +
                            WORLD_AGAIN_MAX_NS + WORLD_WORK_MAX_NS + WORLD_LATE_MAX_NS +
                            WORLD_OWN_MAX_NS + 1000;
    world->work_max_ns = WORLD_WORK_MAX_NS >> random_below (random, 12);
    world->slow_one_in = random_one_in (random, 4) ? 2 : 20;
    world->look_one_in = 1 + random_below (random, 6);
    world->grace_ns = random_between (random, world->delay_max_ns, 20 * world->delay_max_ns);
}

static void s_draw_graph (world_t *world, uint64_t seed) {
    random_t *random = &world->random;
    world->graph = random_graph_new (seed, off_nodes_max (world->off, WORLD_NODES_MAX));
    dw_graph_options_t *options = &world->graph->options;
    options->strategy = (dw_strategy_t) random_below (random, 4);
    options->failure_strategy = (dw_failure_strategy_t) random_below (random, 3);
    options->actors = random_one_in (random, 3) ? DW_ACTORS_THREAD : DW_ACTORS_POOL;
    options->pool_size = 1 + random_below (random, 4);
    options->priority = random_one_in (random, 4) ? DW_CRITICAL_PATH : DW_RANK;
    options->max_concurrency = 1 + random_below (random, 5);
    options->batch_size = random_one_in (random, 2) ? 1 + random_below (random, 4) : DW_UNSET;
    options->retry_attempts = random_below (random, 4);
    options->backoff.initial_us = random_below (random, 1000);
    options->backoff.max_us = random_below (random, 3000);
    options->backoff.factor = 1 + random_below (random, 20) / 10.0;
    options->backoff.jitter = random_below (random, 11) / 10.0;
    for (uint32_t node = 0; node < world->graph->nodes_count; node++)
        if (random_one_in (random, 5))
            world->graph->nodes[node].timeout_us = random_between (random, world->timeout_min_ns,
                                                                   10 * world->timeout_min_ns) /
                                                   1000;
    for (uint32_t node = 0; off_is (world->off, OFF_TIMEOUTS) && node < world->graph->nodes_count;
         node++)
        world->graph->nodes[node].timeout_us = DW_UNSET;
}

/* Some nodes make demands: of up to five different kinds. */
static void s_draw_demands (world_t *world) {
    random_t *random = &world->random;
    uint32_t kinds = 1 + random_below (random, 5), one_in = 1 + random_below (random, 4);
    for (uint32_t node = 0; node < world->graph->nodes_count; node++)
        if (random_one_in (random, one_in))
            world->graph->nodes[node].demand = 1 + random_below (random, kinds);
}

static bool s_plan (world_t *world) {
    dw_plan_lookup_t lookup = {.trait = random_graph_trait, .cpus_count = 2};
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = random_graph_build (world->graph);
    int err = dw_plan_new (&world->plan, graph, &lookup, error);
    if (err)
        fprintf (stderr, "%s", dw_error_text (error));
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    for (uint32_t node = 0; !err && node < world->plan->nodes_count; node++)
        if (world->plan->declared[node] != world->evaluator->by_rank[node])
            err = model_is_wrong (&world->model, "the plan gives node %u another rank", node);
    return !err && world->plan;
}

/* Every lane is served by somebody who will be there, and most workers serve several. */
static void s_draw_lanes (world_t *world) {
    random_t *random = &world->random;
    const dw_plan_t *plan = world->plan;
    uint64_t all = UINT64_MAX >> (64 - plan->lanes_count);
    uint32_t elsewhere = 1 + random_below (random, 5);
    bool has_local = dw_plan_lane_is_free (plan, 0) && random_one_in (random, 2) &&
                     !off_is (world->off, OFF_OWN_WORK);
    world->workers_count = elsewhere + has_local;
    for (uint32_t w = 0; w < elsewhere; w++)
        world->workers[w].lanes = (random_next (random) & all) |
                                  UINT64_C (1) << random_below (random, plan->lanes_count);
    for (uint32_t lane = 0; lane < plan->lanes_count; lane++)
        world->workers[random_below (random, elsewhere)].lanes |= UINT64_C (1) << lane;
    world->workers[elsewhere].local = has_local;
    for (uint32_t w = 0; w < world->workers_count; w++)
        crew_come (world, w, random_one_in (random, 3) ? random_between (random, 0, 500000) : 0);
}

static void s_draw_workers (world_t *world) {
    random_t *random = &world->random;
    if (world->plan->demands) {
        s_draw_lanes (world);
        return;
    }
    uint32_t actors = world->plan->workers_count;
    bool has_local = world->plan->pool && !random_one_in (random, 3) &&
                     !off_is (world->off, OFF_OWN_WORK);
    world->workers_count = actors + has_local;
    for (uint32_t w = 0; w < world->workers_count; w++) {
        world->workers[w].local = w == actors;
        world->workers[w].lane = world->plan->pool ? 0 : w;
        int64_t delay_ns = random_one_in (random, 3) ? random_between (random, 0, 500000) : 0;
        if (w == 0 || !world->plan->pool || !off_is (world->off, OFF_WORKERS))
            crew_come (world, w, delay_ns);
    }
}

/* Some such things, less than count_max, at any time. */
static void s_draw_things (world_t *world, thing_type_t type, uint32_t count_max, uint32_t off) {
    random_t *random = &world->random;
    for (uint32_t count = random_below (random, count_max); count > 0; count--) {
        int64_t at_ns = random_between (random, 0, 5000000);
        uint32_t worker = random_below (random, world->workers_count);
        if (!off_is (world->off, off))
            world_expect (world, at_ns, (thing_t){.type = type, .command = {.worker = worker}});
    }
}

static void s_draw_runs (world_t *world) {
    uint32_t count = 1 + random_below (&world->random, OFF_RUNS);
    for (uint32_t i = 0; i < count; i++) {
        int64_t at_ns = random_between (&world->random, 0, 2000000);
        if (off_is (world->off, OFF_RUN + i))
            continue;
        world->runs_left++;
        world_expect (world, at_ns, (thing_t){.type = THING_SUBMIT});
    }
}

static void s_draw_backlogs (world_t *world, uint64_t seed) {
    world->backlogs = random_from (~seed);
    if (random_one_in (&world->backlogs, 4) && !off_is (world->off, OFF_BACKLOGS))
        world->backlog_one_in = 1 + random_below (&world->backlogs, 30);
}

static void s_draw_faults (world_t *world) {
    world->faults = random_one_in (&world->random, 2);
    if (!world->faults)
        return;
    s_draw_things (world, THING_KILL, 4, OFF_KILLS);
    s_draw_things (world, THING_FORGE, 20, OFF_FORGERIES);
    s_draw_things (world, THING_STRAY, 4, OFF_STRAYS);
    if (random_one_in (&world->random, 4))
        s_draw_things (world, THING_UNSERVED, 4, OFF_UNSERVED);
}

bool world_start (world_t *world, uint64_t seed) {
    dw_scheduler_options_t options = {.seed = seed};
    world->random = random_from (seed);
    s_draw_times (world);
    s_draw_graph (world, ~seed);
    if (random_one_in (&world->random, 3) && !off_is (world->off, OFF_LANES))
        s_draw_demands (world);
    world->evaluator = evaluator_new (world->graph);
    if (!s_plan (world))
        return model_is_wrong (&world->model, "the graph cannot be planned");
    off_turn (world->off, &world->random);
    s_draw_workers (world);
    s_draw_runs (world);
    s_draw_faults (world);
    s_draw_backlogs (world, seed);
    options.runs_max = 1 + random_below (&world->random, WORLD_RUNS_MAX);
    options.workers_max = world->workers_count;
    options.grace_ns = world->grace_ns;
    options.is_open = world->plan->demands != NULL;
    model_init (&world->model, world->evaluator, world->plan, &options);
    for (uint32_t node = 0; node < world->plan->nodes_count; node++)
        if (world->plan->source[node] != world->model.sources[node])
            return model_is_wrong (&world->model, "the plan gives node %u another source", node);
    world->scheduler_options = options;
    if (dw_scheduler_new (&world->scheduler, world->plan, &options))
        return model_is_wrong (&world->model, "no memory");
    if (world->transcript)
        random_graph_print (world->graph, world->transcript);
    return true;
}

void world_end (world_t *world) {
    dw_scheduler_destroy (&world->scheduler);
    if (world->model.runs)
        model_clear (&world->model);
    dw_plan_destroy (&world->plan);
    evaluator_destroy (&world->evaluator);
    random_graph_destroy (&world->graph);
    free (world->commands.items);
    free (world->things);
    free (world);
}
