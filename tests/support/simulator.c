/* simulator.c - the shell between a simulated world and the scheduler. */

#include "tests/support/simulator.h"

#include <assert.h>
#include <stdlib.h>

#include "tests/support/crew.h"

#define STEPS_MAX 200000u /* of one world; thousands are usual */

/* -- The shell: events in, commands out ----------------------------------------------------- */

/* The shell may take its time to read a result. */
static void s_forget_runs (world_t *world, bool all) {
    for (uint32_t run = 0; run < world->model.options.runs_max; run++) {
        if (!world->forgets[run] || (!all && random_one_in (&world->random, 3)))
            continue;
        checker_run (&world->model, world->scheduler, run, world->fails[run], world->skips[run]);
        dw_scheduler_forget (world->scheduler, run);
        world->model.runs[run].life = MODEL_FREE;
        world->forgets[run] = false;
        world->runs_left--;
    }
}

/* Whether losing a worker that is on this node is against the script. */
static bool s_is_against_script (const world_t *world, uint32_t run, uint32_t node,
                                 const dw_event_t *event) {
    uint32_t scripted = world->scripts[run][node].deaths;
    if (event->idle)
        return false;
    if (model_is_once (&world->model, node))
        return scripted == 0;
    return !event->last && scripted < MODEL_DEATHS_MAX &&
           world->model.runs[run].nodes[node].deaths + 1 >= MODEL_DEATHS_MAX;
}

/* Whether losing this worker leaves the world's script as it is. With events that the model has not
 * seen yet, any of its nodes may turn out to be the one that it is on. */
static bool s_may_be_lost (world_t *world, const dw_event_t *event) {
    model_worker_t *worker = &world->model.workers[event->worker];
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++) {
        const model_task_t *task = model_task (worker, ticket);
        uint32_t node = task->node;
        for (uint32_t step = 0; task->live && step < task->steps; step++) {
            if (s_is_against_script (world, task->run, node, event))
                return false;
            if (world->events_count == 0)
                break;
            node = world->plan->chain_next[node];
        }
        if (world->events_count == 0)
            break;
    }
    return true;
}

/* Gives the scheduler an event with the next step. False: it is not to be. */
static bool s_take_event (world_t *world, const thing_t *thing) {
    dw_event_t event = thing->event;
    member_t *worker = &world->workers[event.worker];
    switch ((dw_event_type_t) event.type) {
        case DW_EVENT_WORKER_LOST:
            if (!worker->up || thing->incarnation != worker->incarnation)
                return false;
            if (!s_may_be_lost (world, &event)) { /* it lives on */
                worker->working = false;
                worker->outcome = OUTCOME_OK;
                crew_begin (world, event.worker);
                return false;
            }
            crew_clear (worker);
            crew_come (world, event.worker,
                       random_between (&world->random, 0, 5 * world->delay_max_ns));
            break;
        case DW_EVENT_WORKER_JOINED:
            worker->up = true;
            worker->link_to_ns = worker->link_from_ns = worker->again_ns = world->now_ns;
            break;
        case DW_EVENT_RUN_SUBMITTED:
        case DW_EVENT_RUN_CANCELLED:
        case DW_EVENT_NODE_CANCELLED:
        case DW_EVENT_LANES_UNSERVED:
        case DW_EVENT_BACKLOG:
        case DW_EVENT_TASK_DONE:
        case DW_EVENT_TASK_FAILED:
        case DW_EVENT_TASK_RETURNED:
        case DW_EVENT_TASK_SKIPPED:
        case DW_EVENT_TASK_ADDED: break;
    }
    assert (world->events_count < sizeof world->events / sizeof *world->events);
    world->events[world->events_count++] = event;
    return true;
}

static void s_count_left_out (world_t *world, uint32_t run) {
    for (uint32_t node = 0; node < world->plan->nodes_count; node++)
        world->counts->left_out += world->model.runs[run].nodes[node].state == DW_STATE_LEFT_OUT;
}

static void s_obey (world_t *world, const dw_command_t *command) {
    member_t *worker = &world->workers[command->worker];
    int64_t at_ns = world->now_ns + crew_delay (world);
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
        case DW_CANCEL_TASK:
            if (at_ns < worker->link_to_ns)
                at_ns = worker->link_to_ns;
            worker->link_to_ns = at_ns;
            world_expect (
                world, at_ns,
                (thing_t){.type = command->type == DW_SEND_TASK ? THING_SEND : THING_CANCEL,
                          .incarnation = worker->incarnation,
                          .command = *command});
            break;
        case DW_REPLACE_WORKER:
            crew_clear (worker);
            crew_come (world, command->worker,
                       random_between (&world->random, 0, 5 * world->delay_max_ns));
            break;
        case DW_FINISH_RUN:
            world->forgets[command->run] = true;
            s_count_left_out (world, command->run);
            break;
        case DW_KEEP_ERROR:
            world->fails[command->run][world->evaluator->by_rank[command->node]] |=
                command->is_unserved;
            break;
        case DW_KEEP_OUTPUT:
        case DW_KEEP_DEATH:
        case DW_BEGIN_ADDED:
        case DW_END_ADDED:
        case DW_DROP_OUTPUT: break;
    }
}

/* Carries the commands out. */
static bool s_obey_all (world_t *world) {
    world->counts->commands += world->commands.count;
    for (size_t i = 0; i < world->commands.count; i++)
        s_obey (world, &world->commands.items[i]);
    s_forget_runs (world, false);
    return !world->model.wrong[0];
}

static bool s_step (world_t *world) {
    const simulator_tap_t *tap = world->tap;
    if (world->backlog_one_in && random_one_in (&world->backlogs, world->backlog_one_in))
        world->events[world->events_count++] = (dw_event_t){.type = DW_EVENT_BACKLOG};
    world->commands.count = 0;
    for (size_t i = 0; i < world->events_count; i++)
        world_tell_event (world, &world->events[i]);
    if (dw_scheduler_step (world->scheduler, world->now_ns, world->events, world->events_count,
                           &world->commands))
        return model_is_wrong (&world->model, "no memory");
    if (tap)
        tap->step (tap->arg, world->now_ns, world->events, world->events_count, &world->commands);
    for (size_t i = 0; i < world->commands.count; i++)
        world_tell_command (world, &world->commands.items[i]);
    world->counts->steps++;
    world->counts->events += world->events_count;
    bool held = checker_step (&world->model, world->scheduler, world->now_ns, world->events,
                              world->events_count, &world->commands);
    world->events_count = 0;
    return held && s_obey_all (world);
}

/* -- Own work: what the shell's thread runs between two steps -------------------------------- */

/* The shell looks at the clock. */
static void s_look (world_t *world) {
    if (world->own_steps == 0)
        return;
    world_tell_timed (world);
    dw_scheduler_timed (world->scheduler, world->own_steps, world->own_ns);
    if (world->tap)
        world->tap->timed (world->tap->arg, world->own_steps, world->own_ns);
    model_timed (&world->model, world->own_steps, world->own_ns);
    world->own_steps = 0;
    world->own_ns = 0;
}

/* One step of a task, of which it sets what came of it. */
static void s_run_own_step (world_t *world, dw_own_task_t *task, uint32_t node) {
    random_t *random = &world->random;
    model_own_ran (&world->model, node);
    world->own_steps++;
    world->own_ns += (uint64_t) (random_one_in (random, world->slow_one_in)
                                     ? random_between (random, WORLD_SLOW_WORK_NS,
                                                       2 * WORLD_SLOW_WORK_NS)
                                     : random_between (random, 0, world->work_max_ns));
    switch (crew_outcome (world, task->run, node)) {
        case OUTCOME_OK: task->done++; break;
        case OUTCOME_SKIP: task->is_skipped = true; break;
        case OUTCOME_FAIL:
        case OUTCOME_NONSENSE:
        case OUTCOME_HANG:
        case OUTCOME_DIE: task->code = (uint16_t) (400 + random_below (random, 200)); break;
    }
}

/* Runs a task, or some of it, or nothing. */
static bool s_run_own (void *arg, dw_own_task_t *task) {
    world_t *world = arg;
    random_t *random = &world->random;
    uint32_t node = task->node;
    task->done = task->code = 0;
    if (!world->own_goes_on)
        return model_is_wrong (&world->model, "own work goes on though it was to stop");
    world->own_goes_on = false;
    if (!checker_own_task (&world->model, task, &world->commands))
        return false;
    while (task->done < task->steps && !task->code && !task->is_skipped &&
           !random_one_in (random, 12)) {
        s_run_own_step (world, task, node);
        node = world->plan->chain_next[node];
        if (random_one_in (random, world->look_one_in))
            s_look (world);
    }
    task->handle = ++world->handle;
    world_tell_own (world, task);
    model_own (&world->model, task);
    world->counts->own++;
    world->own_goes_on = !random_one_in (random, 6);
    if (world->tap)
        world->tap->own (world->tap->arg, task);
    return world->own_goes_on;
}

static bool s_work (world_t *world) {
    while (dw_scheduler_has_own (world->scheduler) && !random_one_in (&world->random, 4)) {
        world->commands.count = 0;
        world->own_goes_on = true;
        checker_own_begin (&world->model);
        if (world->tap)
            world->tap->work_begin (world->tap->arg, world->now_ns);
        if (dw_scheduler_work (world->scheduler, s_run_own, world, &world->commands))
            return model_is_wrong (&world->model, "no memory");
        for (size_t i = 0; i < world->commands.count; i++)
            world_tell_command (world, &world->commands.items[i]);
        if (random_one_in (&world->random, 2))
            s_look (world);
        if (world->tap)
            world->tap->work_end (world->tap->arg, !world->own_goes_on, &world->commands);
        if (!checker_own_end (&world->model, world->scheduler, &world->commands))
            return false;
        if (world->own_goes_on && dw_scheduler_has_own (world->scheduler))
            return model_is_wrong (&world->model, "own work ends though there is more");
        if (!s_obey_all (world))
            return false;
        world->busy_until_ns = world->now_ns + random_between (&world->random, 0, WORLD_OWN_MAX_NS);
    }
    return true;
}

/* -- Things that happen --------------------------------------------------------------------- */

static void s_submit (world_t *world) {
    random_t *random = &world->random;
    uint32_t run = 0, count = world->plan->nodes_count;
    s_forget_runs (world, random_one_in (random, 2));
    while (run < world->model.options.runs_max &&
           (world->model.runs[run].life != MODEL_FREE || world->forgets[run]))
        run++;
    for (size_t i = 0; i < world->events_count; i++) /* one place is taken in one step once */
        if (world->events[i].type == DW_EVENT_RUN_SUBMITTED)
            run = world->model.options.runs_max;
    if (run == world->model.options.runs_max) {
        world_expect (world, world->now_ns + world->delay_max_ns, (thing_t){.type = THING_SUBMIT});
        return;
    }
    dw_event_t event = {.type = DW_EVENT_RUN_SUBMITTED, .run = run, .outputs = world->outputs[run]};
    if (random_one_in (random, 2) && !off_is (world->off, OFF_OUTPUTS))
        for (uint32_t node = 0; node < count; node++)
            if (random_one_in (random, 4))
                world->outputs[run][event.outputs_count++] = node;
    for (uint32_t node = 0; node < count; node++) {
        uint32_t declared = world->evaluator->by_rank[node];
        const random_node_t *described = &world->graph->nodes[declared];
        script_t *script = &world->scripts[run][node];
        script->failures = random_one_in (random, 2) ? described->failures : 0;
        script->kind = random_below (random, 3);
        script->deaths = random_one_in (random, model_is_once (&world->model, node) ? 3 : 12)
                             ? 1 + random_below (random, 3)
                             : 0;
        world->skips[run][declared] = described->skips && !random_one_in (random, 4) &&
                                      !off_is (world->off, OFF_SKIPS);
        if (off_is (world->off, OFF_FAILURES))
            script->failures = 0;
        if (random_processor_trait (described->processor)
                .brief || /* which our own thread may run */
            off_is (world->off, OFF_DEATHS))
            script->deaths = 0;
        bool is_once = model_is_once (&world->model, node);
        world->fails[run][declared] = script->deaths >= (is_once ? 1 : MODEL_DEATHS_MAX) ||
                                      script->failures >
                                          random_graph_retries (world->graph, declared);
    }
    if (random_one_in (random, 6) && !off_is (world->off, OFF_DEADLINES))
        event.deadline_ns = world->now_ns + random_between (random, 1, 3000000);
    world->events[world->events_count++] = event;
    if (off_is (world->off, OFF_CANCELS))
        return;
    if (random_one_in (random, 6))
        world_expect (world, world->now_ns + random_between (random, 0, 2000000),
                      (thing_t){.type = THING_CANCEL_RUN, .event = {.run = run}});
    for (uint32_t left = random_one_in (random, 5) ? 1 + random_below (random, 3) : 0; left > 0;
         left--)
        world_expect (world, world->now_ns + random_between (random, 0, 1000000),
                      (thing_t){.type = THING_CANCEL_NODE,
                                .event = {.type = DW_EVENT_NODE_CANCELLED,
                                          .run = run,
                                          .node = random_below (random, count)}});
}

/* A node is cancelled, with all that depends on it: the one that was drawn, or one that a worker
 * has before it in a chain. */
static void s_cancel_node (world_t *world, dw_event_t event) {
    random_t *random = &world->random;
    model_worker_t *worker = &world->model.workers[random_below (random, world->workers_count)];
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++) {
        const model_task_t *task = model_task (worker, ticket);
        if (!task->live || task->steps < 2)
            continue;
        event.run = task->run;
        event.node = task->node;
        for (uint32_t left = random_below (random, task->steps); left > 0; left--)
            event.node = world->plan->chain_next[event.node];
        break;
    }
    if (world->model.runs[event.run].life != MODEL_FREE)
        world->events[world->events_count++] = event;
}

/* An answer for a ticket or a step that is not the one expected. */
static void s_forge (world_t *world) {
    random_t *random = &world->random;
    uint32_t w = random_below (random, world->workers_count);
    model_worker_t *worker = &world->model.workers[w];
    static const uint8_t types[] = {DW_EVENT_TASK_DONE, DW_EVENT_TASK_FAILED,
                                    DW_EVENT_TASK_RETURNED, DW_EVENT_TASK_SKIPPED};
    dw_event_t event = {.type = types[random_below (random, 4)],
                        .worker = w,
                        .last = random_one_in (random, 2),
                        .step = random_below (random, 3),
                        .steps = random_below (random, 3),
                        .code = 500,
                        .handle = ++world->handle};
    event.ticket = random_one_in (random, 4) ? random_next (random)
                                             : worker->first + random_below (random, 8) - 4;
    /* Events of this step may still move what is expected on; one that ends up there is no
     * forgery. */
    bool is_expected = worker->present && event.ticket == worker->first &&
                       event.step == model_task (worker, worker->first)->told;
    if (world->events_count == 0 && !is_expected)
        world->events[world->events_count++] = event;
}

/* A run that there is not, or that has ended, is cancelled; or a node that there is not; or
 * somebody is lost who is not there. All of it is ignored. */
static void s_stray (world_t *world, uint32_t w) {
    random_t *random = &world->random;
    uint32_t run = random_below (random, world->model.options.runs_max);
    dw_event_t event = {.type = DW_EVENT_NODE_CANCELLED, .run = run};
    event.node = random_one_in (random, 2) ? world->plan->nodes_count
                                           : UINT32_MAX - random_below (random, 9);
    if (world->model.runs[run].life != MODEL_LIVE && random_one_in (random, 2))
        event = (dw_event_t){.type = DW_EVENT_RUN_CANCELLED, .run = run};
    else if (!world->model.workers[w].present && random_one_in (random, 2))
        event = (dw_event_t){.type = DW_EVENT_WORKER_LOST, .worker = w};
    if (world->events_count > 0) /* which may make it come true */
        return;
    world->events[world->events_count++] = event;
    world->counts->strays++;
}

static void s_happens (world_t *world, const thing_t *thing) {
    uint32_t w = thing->command.worker;
    member_t *worker = &world->workers[w];
    bool is_here = worker->up && thing->incarnation == worker->incarnation;
    switch (thing->type) {
        case THING_EVENT: s_take_event (world, thing); break;
        case THING_SEND:
            if (!is_here)
                break;
            worker->held[(worker->held_at + worker->held_count++) % MODEL_TASKS_MAX] = (held_t){
                .task = thing->command};
            if (!worker->working)
                crew_begin (world, w);
            break;
        case THING_CANCEL:
            if (is_here)
                crew_cancel (world, w, thing->command.ticket, thing->command.steps);
            break;
        case THING_WORK:
            if (is_here)
                crew_work (world, w, thing->command.ticket);
            break;
        case THING_KILL:
            if (worker->up && !worker->local) {
                dw_event_t lost = {.type = DW_EVENT_WORKER_LOST,
                                   .last = random_one_in (&world->random, 2)};
                lost.idle = lost.last && random_one_in (&world->random, 2);
                crew_say (world, w, lost);
            }
            break;
        case THING_SUBMIT: s_submit (world); break;
        case THING_CANCEL_RUN:
            if (world->model.runs[thing->event.run].life != MODEL_FREE)
                world->events[world->events_count++] = (dw_event_t){.type = DW_EVENT_RUN_CANCELLED,
                                                                    .run = thing->event.run};
            break;
        case THING_CANCEL_NODE: s_cancel_node (world, thing->event); break;
        case THING_UNSERVED:
            world->events[world->events_count++] = (dw_event_t){
                .type = DW_EVENT_LANES_UNSERVED,
                .lanes = random_one_in (&world->random, 3) ? 0 : random_next (&world->random)};
            break;
        case THING_FORGE: s_forge (world); break;
        case THING_STRAY: s_stray (world, w); break;
    }
}

/* -- From the first thing to the last ------------------------------------------------------- */

/* Lets everything happen up to the next time at which the scheduler has to be told. */
static bool s_advance (world_t *world) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (world->scheduler), step_ns = INT64_MAX;
    if (deadline_ns != INT64_MAX)
        step_ns = deadline_ns + (random_one_in (&world->random, 4)
                                     ? random_between (&world->random, 0, WORLD_LATE_MAX_NS)
                                     : 0);
    if (dw_scheduler_has_own (world->scheduler) && step_ns > world->now_ns + WORLD_OWN_MAX_NS)
        step_ns = world->now_ns + random_between (&world->random, 0, WORLD_OWN_MAX_NS);
    if (step_ns < world->busy_until_ns)
        step_ns = world->busy_until_ns;
    for (uint32_t things = 0; things < STEPS_MAX; things++) {
        size_t at = world_next (world);
        int64_t at_ns = at < world->things_count ? world->things[at].at_ns : INT64_MAX;
        if (at_ns > step_ns || (at_ns == INT64_MAX && step_ns == INT64_MAX) ||
            world->events_count > 64)
            break;
        thing_t thing = world->things[at];
        world->things[at] = world->things[--world->things_count];
        if (thing.at_ns > world->now_ns)
            world->now_ns = thing.at_ns;
        bool had_events = world->events_count > 0;
        s_happens (world, &thing);
        if (!had_events && world->events_count > 0) {
            int64_t wait_ns = random_one_in (&world->random, 2)
                                  ? random_between (&world->random, 0, WORLD_COALESCE_MAX_NS)
                                  : 0;
            if (world->now_ns + wait_ns < step_ns)
                step_ns = world->now_ns + wait_ns;
            if (step_ns < world->busy_until_ns)
                step_ns = world->busy_until_ns;
        }
    }
    if (step_ns == INT64_MAX)
        return false;
    if (step_ns > world->now_ns && world->events_count <= 64)
        world->now_ns = step_ns;
    return true;
}

static bool s_check_end (world_t *world) {
    if (world->runs_left > 0)
        return model_is_wrong (&world->model, "the world stands still with %u runs to come",
                               world->runs_left);
    if (dw_scheduler_ready_count (world->scheduler) > 0)
        return model_is_wrong (&world->model, "something is ready though no run is left");
    for (uint32_t w = 0; w < world->workers_count; w++)
        if (dw_scheduler_unanswered_count (world->scheduler, w) > 0)
            return model_is_wrong (&world->model, "worker %u holds a task to the end", w);
    return true;
}

static void s_count (world_t *world) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (world->scheduler);
    simulator_counts_t *sum = world->counts;
    sum->worlds++;
    sum->runs += counts.runs_submitted;
    sum->sent += counts.tasks_sent;
    sum->failed += counts.attempts_failed;
    sum->timeouts += counts.timeouts;
    sum->deadlines += counts.deadlines;
    sum->losses += counts.losses;
    sum->returned += counts.returned;
    sum->ignored += counts.answers_ignored;
    sum->replaced += counts.workers_replaced;
    sum->cancelled += counts.runs_cancelled;
}

static bool s_run (uint64_t seed, uint64_t off, FILE *transcript, simulator_counts_t *counts,
                   const simulator_tap_t *tap, char *wrong, size_t wrong_size) {
    world_t *world = calloc (1, sizeof *world);
    assert (world);
    world->off = off;
    world->transcript = transcript;
    world->counts = counts;
    bool held = world_start (world, seed);
    world->tap = tap;
    if (tap && held)
        tap->begin (tap->arg, world->graph, world->plan, &world->scheduler_options);
    uint64_t steps = 0;
    while (held && s_advance (world)) {
        held = s_work (world) && s_step (world);
        if (++steps > STEPS_MAX)
            held = model_is_wrong (&world->model, "the world does not come to an end");
    }
    if (held) {
        s_forget_runs (world, true);
        held = s_check_end (world);
    }
    if (world->scheduler)
        s_count (world);
    snprintf (wrong, wrong_size, "%s", world->model.wrong);
    world_end (world);
    return held;
}

bool simulator_run (uint64_t seed, uint64_t off, FILE *transcript, simulator_counts_t *counts,
                    char *wrong, size_t wrong_size) {
    return s_run (seed, off, transcript, counts, NULL, wrong, wrong_size);
}

bool simulator_run_tapped (uint64_t seed, simulator_counts_t *counts, const simulator_tap_t *tap,
                           char *wrong, size_t wrong_size) {
    return s_run (seed, 0, NULL, counts, tap, wrong, wrong_size);
}
