/* simulator.c - a world drawn from a seed that drives a scheduler alone. */

#include "tests/support/simulator.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/checker.h"

#define NODES_MAX   16u
#define WORKERS_MAX (NODES_MAX + 1)
#define RUNS_MAX    4u
#define STEPS_MAX   200000u /* of one world; thousands are usual */

/* Nanoseconds. A timed node's time is longer than all that can delay its answer. */
#define DELAY_MAX    100000 /* of a message */
#define COALESCE_MAX 50000  /* how long the shell lets events wait */
#define WORK_MAX     50000  /* of a step */
#define LATE_MAX     200000 /* of the shell, after a deadline */
#define TIMEOUT_MIN  (2 * DELAY_MAX + 2 * COALESCE_MAX + WORK_MAX + LATE_MAX + 1000)
#define SLOW_WORK    300000 /* a call on the coordinator's thread that breaks the promise to be brief */

/* What becomes of a node that is run: at first it takes workers down, then attempts at it fail, then
 * it succeeds. */
typedef enum s_outcome_t { S_OK, S_FAIL, S_NONSENSE, S_HANG, S_DIE } s_outcome_t;

typedef struct s_script_t {
    uint32_t deaths;
    uint32_t failures;
    uint32_t kind; /* how the attempts fail */
} s_script_t;

/* Something that will happen. */
typedef enum s_thing_type_t {
    S_EVENT,  /* the scheduler is told event */
    S_SEND,   /* a worker gets a task */
    S_CANCEL, /* a worker hears that nobody waits for ticket */
    S_WORK,   /* a worker is through with a step */
    S_KILL,   /* a worker goes down by itself */
    S_SUBMIT,
    S_CANCEL_RUN,
    S_FORGE, /* an answer that nobody gave */
} s_thing_type_t;

typedef struct s_thing_t {
    int64_t at_ns;
    uint64_t order; /* of two things at one time, the one said first */
    s_thing_type_t type;
    uint32_t incarnation; /* of the worker; what is sent to an earlier one is lost */
    dw_event_t event;
    dw_command_t command;
} s_thing_t;

typedef struct s_held_t {
    dw_command_t task; /* node and steps: from the step at hand on */
    bool cancelled;
} s_held_t;

typedef struct s_worker_t {
    bool up;
    bool local;
    uint32_t incarnation;
    uint32_t lane;
    int64_t link_to_ns, link_from_ns; /* messages do not overtake each other */
    s_held_t held[MODEL_TASKS_MAX];   /* first in, first out */
    uint32_t held_at, held_count;
    bool working, hangs;
    s_outcome_t outcome; /* of the step at hand */
    uint32_t unsaid;     /* steps done and not answered for */
    uint64_t duration_ns;
} s_worker_t;

typedef struct s_world_t {
    random_t random;
    random_graph_t *graph;
    evaluator_t *evaluator;
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    model_t model;
    dw_commands_t commands;
    FILE *transcript;
    simulator_counts_t *counts;
    int64_t now_ns;
    int64_t grace_ns;
    int64_t work_max_ns;
    uint64_t order;
    s_thing_t *things;
    size_t things_count, things_size;
    dw_event_t events[256];
    size_t events_count;
    uint32_t workers_count;
    bool faults; /* until the world calms down */
    s_worker_t workers[WORKERS_MAX];
    uint32_t runs_left;
    uint32_t outputs[RUNS_MAX][NODES_MAX];
    s_script_t scripts[RUNS_MAX][NODES_MAX];
    bool fails[RUNS_MAX][NODES_MAX]; /* by index of declaration */
    bool forgets[RUNS_MAX];          /* ended, and not forgotten yet */
    uint32_t handle;
} s_world_t;

/* -- The transcript ------------------------------------------------------------------------- */

static void DW_PRINTF (2, 3) s_tell (s_world_t *world, const char *format, ...) {
    va_list arguments;
    if (!world->transcript)
        return;
    fprintf (world->transcript, "%10.3f  ", (double) world->now_ns / 1000);
    va_start (arguments, format);
    vfprintf (world->transcript, format, arguments);
    va_end (arguments);
    fputc ('\n', world->transcript);
}

static void s_tell_event (s_world_t *world, const dw_event_t *event) {
    unsigned w = event->worker, ticket = (unsigned) event->ticket;
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED:
            s_tell (world, "run %u submitted, %u outputs", event->run, event->outputs_count);
            break;
        case DW_EVENT_RUN_CANCELLED:
            s_tell (world, "run %u cancelled", event->run);
            break;
        case DW_EVENT_WORKER_JOINED:
            s_tell (world, "worker %u joined, lane %u, credit %u%s", w, event->lane, event->credit,
                    event->local ? ", local" : "");
            break;
        case DW_EVENT_WORKER_LOST:
            s_tell (world, "worker %u lost", w);
            break;
        case DW_EVENT_TASK_DONE:
            s_tell (world, "worker %u: ticket %u, %u steps done%s (handle %u)", w, ticket,
                    event->steps, event->last ? ", the last" : "", event->handle);
            break;
        case DW_EVENT_TASK_FAILED:
            s_tell (world, "worker %u: ticket %u failed %u (handle %u)", w, ticket, event->code,
                    event->handle);
            break;
        case DW_EVENT_TASK_RETURNED:
            s_tell (world, "worker %u: ticket %u returned", w, ticket);
            break;
    }
}

static void s_tell_command (s_world_t *world, const dw_command_t *c) {
    unsigned ticket = (unsigned) c->ticket;
    switch ((dw_command_type_t) c->type) {
        case DW_SEND_TASK:
            s_tell (world, "    send run %u node %u (%u steps, source %d, attempt %u) to worker %u as "
                           "ticket %u",
                    c->run, c->node, c->steps, (int) c->source, c->attempt, c->worker, ticket);
            break;
        case DW_CANCEL_TASK:
            s_tell (world, "    cancel worker %u's ticket %u", c->worker, ticket);
            break;
        case DW_KEEP_OUTPUT:
            s_tell (world, "    keep run %u node %u's output, %u steps (handle %u)", c->run,
                    c->node, c->steps, c->handle);
            break;
        case DW_KEEP_ERROR:
            s_tell (world, "    keep run %u node %u's error %u (handle %d)", c->run, c->node,
                    c->code, (int) c->handle);
            break;
        case DW_DROP_OUTPUT:
            s_tell (world, "    drop run %u node %u's output", c->run, c->node);
            break;
        case DW_FINISH_RUN:
            s_tell (world, "    finish run %u with status %u", c->run, c->status);
            break;
        case DW_REPLACE_WORKER:
            s_tell (world, "    replace worker %u", c->worker);
            break;
    }
}

/* -- What will happen ----------------------------------------------------------------------- */

static void s_expect (s_world_t *world, int64_t at_ns, s_thing_t thing) {
    if (world->things_count == world->things_size) {
        world->things_size = world->things_size ? 2 * world->things_size : 64;
        world->things = realloc (world->things, world->things_size * sizeof *world->things);
        assert (world->things);
    }
    thing.at_ns = at_ns;
    thing.order = world->order++;
    world->things[world->things_count++] = thing;
}

/* The index of what comes next; things_count when nothing does. */
static size_t s_next (const s_world_t *world) {
    size_t best = world->things_count;
    for (size_t i = 0; i < world->things_count; i++) {
        const s_thing_t *a = &world->things[i], *b = &world->things[best];
        if (best == world->things_count || a->at_ns < b->at_ns ||
            (a->at_ns == b->at_ns && a->order < b->order))
            best = i;
    }
    return best;
}

static int64_t s_delay (s_world_t *world, const s_worker_t *worker) {
    if (worker->local)
        return 0;
    return random_one_in (&world->random, 4) ? random_between (&world->random, 0, DELAY_MAX)
                                             : random_between (&world->random, 0, 10000);
}

/* A worker says something; it arrives after all that it said before. */
static void s_say (s_world_t *world, uint32_t w, dw_event_t event) {
    s_worker_t *worker = &world->workers[w];
    int64_t at_ns = world->now_ns + s_delay (world, worker);
    s_thing_t thing = {.type = S_EVENT, .incarnation = worker->incarnation};
    if (at_ns < worker->link_from_ns)
        at_ns = worker->link_from_ns;
    worker->link_from_ns = at_ns;
    event.worker = w;
    event.handle = event.type == DW_EVENT_TASK_RETURNED ? 0 : ++world->handle;
    thing.event = event;
    s_expect (world, at_ns, thing);
    /* Said again, out of order. A part of a chain is not: one part looks like the next. */
    bool ends = event.type != DW_EVENT_TASK_DONE || event.last;
    if (!worker->local && ends && event.type != DW_EVENT_WORKER_LOST &&
        random_one_in (&world->random, 20))
        s_expect (world, at_ns + random_between (&world->random, 0, 10 * DELAY_MAX), thing);
}

/* -- Workers: what they do with their tasks ------------------------------------------------- */

static s_held_t *s_first (s_worker_t *worker) {
    return &worker->held[worker->held_at % MODEL_TASKS_MAX];
}

static void s_drop_first (s_worker_t *worker) {
    worker->held_at++;
    worker->held_count--;
    worker->working = worker->hangs = false;
}

/* Answers for what was done of the first task and not said yet. */
static void s_flush (s_world_t *world, uint32_t w, bool last) {
    s_worker_t *worker = &world->workers[w];
    if (worker->unsaid == 0)
        return;
    s_say (world, w,
           (dw_event_t){.type = DW_EVENT_TASK_DONE,
                        .ticket = s_first (worker)->task.ticket,
                        .steps = worker->unsaid,
                        .last = last,
                        .duration_ns = worker->duration_ns});
    worker->unsaid = 0;
}

static void s_return_first (s_world_t *world, uint32_t w) {
    s_worker_t *worker = &world->workers[w];
    if (worker->unsaid > 0 && random_one_in (&world->random, 2))
        s_flush (world, w, true); /* which gives back the rest */
    else {
        s_flush (world, w, false);
        s_say (world, w,
               (dw_event_t){.type = DW_EVENT_TASK_RETURNED,
                            .ticket = s_first (worker)->task.ticket});
    }
    s_drop_first (worker);
}

static s_outcome_t s_outcome (const s_world_t *world, const dw_command_t *task) {
    static const s_outcome_t failures[] = {S_FAIL, S_NONSENSE, S_HANG};
    const s_script_t *script = &world->scripts[task->run][task->node];
    const model_node_t *node = &world->model.runs[task->run].nodes[task->node];
    if (node->deaths < script->deaths)
        return S_DIE;
    if (node->failures < script->failures)
        return failures[(script->kind + node->failures) % 3];
    return S_OK;
}

/* Begins the next step of the first task. */
static void s_begin (s_world_t *world, uint32_t w) {
    s_worker_t *worker = &world->workers[w];
    random_t *random = &world->random;
    while (worker->held_count > 0 &&
           (s_first (worker)->cancelled ||
            (world->faults && random_one_in (random, 40))))
        s_return_first (world, w);
    if (worker->held_count == 0 || worker->working)
        return;
    const dw_command_t *task = &s_first (worker)->task;
    bool timed = world->plan->policies[world->plan->policy[task->node]].timeout_us > 0;
    int64_t work_ns = random_between (random, world->work_max_ns / 10, world->work_max_ns);
    worker->outcome = s_outcome (world, task);
    if (worker->outcome == S_HANG && !timed)
        worker->outcome = S_FAIL;
    if (worker->local && worker->outcome == S_DIE)
        worker->outcome = S_OK;
    if (worker->local && random_one_in (random, 20))
        work_ns = random_between (random, SLOW_WORK, 2 * SLOW_WORK); /* no two are the same */
    worker->working = true;
    worker->hangs = worker->outcome == S_HANG;
    worker->duration_ns = (uint64_t) work_ns;
    if (worker->hangs) {
        int64_t timeout_ns = world->plan->policies[world->plan->policy[task->node]].timeout_us * 1000;
        if (random_one_in (random, 2))
            return; /* for ever */
        work_ns = timeout_ns + TIMEOUT_MIN + random_between (random, 0, 2 * world->grace_ns);
    }
    s_expect (world, world->now_ns + work_ns,
              (s_thing_t){.type = S_WORK,
                          .incarnation = worker->incarnation,
                          .command = {.worker = w, .ticket = task->ticket}});
}

/* Goes down, after what it has said has been heard. */
static void s_go_down (s_world_t *world, uint32_t w) {
    s_worker_t *worker = &world->workers[w];
    worker->working = true;
    s_say (world, w, (dw_event_t){.type = DW_EVENT_WORKER_LOST});
}

/* One step of the first task is over: it says so now, or later together with others. */
static void s_step_over (s_world_t *world, uint32_t w) {
    s_worker_t *worker = &world->workers[w];
    random_t *random = &world->random;
    dw_command_t *task = &s_first (worker)->task;
    worker->unsaid++;
    task->steps--;
    if (task->steps == 0) {
        s_flush (world, w, worker->local || !random_one_in (random, 30));
        s_drop_first (worker);
        return;
    }
    task->node = world->plan->chain_next[task->node];
    worker->working = false;
    if (random_one_in (random, 6))
        s_return_first (world, w); /* its time is up */
    else if (random_one_in (random, 2) || s_outcome (world, task) != S_OK)
        s_flush (world, w, false);
}

static void s_work (s_world_t *world, uint32_t w, uint64_t ticket) {
    s_worker_t *worker = &world->workers[w];
    random_t *random = &world->random;
    if (worker->held_count == 0 || !worker->working || s_first (worker)->task.ticket != ticket)
        return; /* it went on without that */
    uint32_t steps = s_first (worker)->task.steps;
    if (s_first (worker)->cancelled && random_one_in (random, 2)) {
        s_return_first (world, w);
        s_begin (world, w);
        return;
    }
    switch (worker->outcome) {
        case S_OK:
        case S_HANG: /* too late: nobody waits for it any more */
            s_step_over (world, w);
            break;
        case S_FAIL:
            s_flush (world, w, false);
            s_say (world, w,
                   (dw_event_t){.type = DW_EVENT_TASK_FAILED,
                                .ticket = ticket,
                                .duration_ns = worker->duration_ns,
                                .code = (uint16_t) (400 + random_below (random, 200))});
            s_drop_first (worker);
            break;
        case S_NONSENSE:
            s_flush (world, w, false);
            s_say (world, w,
                   (dw_event_t){.type = DW_EVENT_TASK_DONE,
                                .ticket = ticket,
                                .last = true,
                                .steps = random_one_in (random, 2) ? 0 : steps + 1});
            s_drop_first (worker);
            break;
        case S_DIE:
            s_go_down (world, w);
            return;
    }
    s_begin (world, w);
}

static void s_heard_cancel (s_world_t *world, uint32_t w, uint64_t ticket) {
    s_worker_t *worker = &world->workers[w];
    for (uint32_t i = 0; i < worker->held_count; i++) {
        s_held_t *held = &worker->held[(worker->held_at + i) % MODEL_TASKS_MAX];
        if (held->task.ticket == ticket)
            held->cancelled = true;
    }
    if (worker->held_count > 0 && worker->hangs && s_first (worker)->cancelled &&
        random_one_in (&world->random, 2)) {
        s_return_first (world, w); /* it asked whether it is cancelled */
        s_begin (world, w);
    }
}

static void s_come (s_world_t *world, uint32_t w, int64_t delay_ns) {
    s_worker_t *worker = &world->workers[w];
    worker->incarnation++;
    s_expect (world, world->now_ns + delay_ns,
              (s_thing_t){.type = S_EVENT,
                          .incarnation = worker->incarnation,
                          .event = {.type = DW_EVENT_WORKER_JOINED,
                                    .worker = w,
                                    .lane = worker->lane,
                                    .local = worker->local,
                                    .credit = 1 + random_below (&world->random, 16)}});
}

static void s_clear_worker (s_worker_t *worker) {
    worker->up = false;
    worker->held_count = worker->unsaid = 0;
    worker->working = worker->hangs = false;
}

/* -- The shell: events in, commands out ----------------------------------------------------- */

/* The shell may take its time to read a result. */
static void s_forget_runs (s_world_t *world, bool all) {
    for (uint32_t run = 0; run < world->model.options.runs_max; run++) {
        if (!world->forgets[run] || (!all && random_one_in (&world->random, 3)))
            continue;
        checker_run (&world->model, world->scheduler, run, world->fails[run]);
        dw_scheduler_forget (world->scheduler, run);
        world->model.runs[run].life = MODEL_FREE;
        world->forgets[run] = false;
        world->runs_left--;
    }
}

/* Whether losing this worker leaves the world's script as it is. With events that the model has not
 * seen yet, any of its nodes may turn out to be the one that it is on. */
static bool s_may_be_lost (s_world_t *world, uint32_t w) {
    model_worker_t *worker = &world->model.workers[w];
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++) {
        const model_task_t *task = model_task (worker, ticket);
        uint32_t node = task->node;
        for (uint32_t step = 0; task->live && step < task->steps; step++) {
            if (world->scripts[task->run][node].deaths < MODEL_DEATHS_MAX &&
                world->model.runs[task->run].nodes[node].deaths + 1 >= MODEL_DEATHS_MAX)
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
static bool s_take_event (s_world_t *world, const s_thing_t *thing) {
    dw_event_t event = thing->event;
    s_worker_t *worker = &world->workers[event.worker];
    switch ((dw_event_type_t) event.type) {
        case DW_EVENT_WORKER_LOST:
            if (!worker->up || thing->incarnation != worker->incarnation)
                return false;
            if (!s_may_be_lost (world, event.worker)) { /* it lives on */
                worker->working = false;
                worker->outcome = S_OK;
                s_begin (world, event.worker);
                return false;
            }
            s_clear_worker (worker);
            s_come (world, event.worker, random_between (&world->random, 0, 5 * DELAY_MAX));
            break;
        case DW_EVENT_WORKER_JOINED:
            worker->up = true;
            worker->link_to_ns = worker->link_from_ns = world->now_ns;
            break;
        case DW_EVENT_RUN_SUBMITTED:
        case DW_EVENT_RUN_CANCELLED:
        case DW_EVENT_TASK_DONE:
        case DW_EVENT_TASK_FAILED:
        case DW_EVENT_TASK_RETURNED:
            break;
    }
    assert (world->events_count < sizeof world->events / sizeof *world->events);
    world->events[world->events_count++] = event;
    return true;
}

static void s_obey (s_world_t *world, const dw_command_t *command) {
    s_worker_t *worker = &world->workers[command->worker];
    int64_t at_ns = world->now_ns + s_delay (world, worker);
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
        case DW_CANCEL_TASK:
            if (at_ns < worker->link_to_ns)
                at_ns = worker->link_to_ns;
            worker->link_to_ns = at_ns;
            s_expect (world, at_ns,
                      (s_thing_t){.type = command->type == DW_SEND_TASK ? S_SEND : S_CANCEL,
                                  .incarnation = worker->incarnation,
                                  .command = *command});
            world->counts->local += command->type == DW_SEND_TASK && worker->local;
            break;
        case DW_REPLACE_WORKER:
            s_clear_worker (worker);
            s_come (world, command->worker, random_between (&world->random, 0, 5 * DELAY_MAX));
            break;
        case DW_FINISH_RUN:
            world->forgets[command->run] = true;
            break;
        case DW_KEEP_OUTPUT:
        case DW_KEEP_ERROR:
        case DW_DROP_OUTPUT:
            break;
    }
}

static bool s_step (s_world_t *world) {
    world->commands.count = 0;
    for (size_t i = 0; i < world->events_count; i++)
        s_tell_event (world, &world->events[i]);
    if (dw_scheduler_step (world->scheduler, world->now_ns, world->events, world->events_count,
                           &world->commands))
        return model_is_wrong (&world->model, "no memory");
    for (size_t i = 0; i < world->commands.count; i++)
        s_tell_command (world, &world->commands.items[i]);
    world->counts->steps++;
    world->counts->events += world->events_count;
    world->counts->commands += world->commands.count;
    bool held = checker_step (&world->model, world->scheduler, world->now_ns, world->events,
                              world->events_count, &world->commands);
    world->events_count = 0;
    for (size_t i = 0; held && i < world->commands.count; i++)
        s_obey (world, &world->commands.items[i]);
    if (held)
        s_forget_runs (world, false);
    return held && !world->model.wrong[0];
}

/* -- Things that happen --------------------------------------------------------------------- */

static void s_submit (s_world_t *world) {
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
        s_expect (world, world->now_ns + DELAY_MAX, (s_thing_t){.type = S_SUBMIT});
        return;
    }
    dw_event_t event = {.type = DW_EVENT_RUN_SUBMITTED, .run = run, .outputs = world->outputs[run]};
    if (random_one_in (random, 2))
        for (uint32_t node = 0; node < count; node++)
            if (random_one_in (random, 4))
                world->outputs[run][event.outputs_count++] = node;
    for (uint32_t node = 0; node < count; node++) {
        uint32_t declared = world->evaluator->by_rank[node];
        const random_node_t *described = &world->graph->nodes[declared];
        s_script_t *script = &world->scripts[run][node];
        script->failures = random_one_in (random, 2) ? described->failures : 0;
        script->kind = random_below (random, 3);
        script->deaths = random_one_in (random, 12) ? 1 + random_below (random, 3) : 0;
        if (random_processor_trait (described->processor).brief)
            script->deaths = 0; /* the coordinator's thread may run it */
        world->fails[run][declared] =
            script->deaths >= MODEL_DEATHS_MAX ||
            script->failures > random_graph_retries (world->graph, declared);
    }
    world->events[world->events_count++] = event;
    if (random_one_in (random, 6))
        s_expect (world, world->now_ns + random_between (random, 0, 2000000),
                  (s_thing_t){.type = S_CANCEL_RUN, .event = {.run = run}});
}

/* An answer for a ticket that is not the one expected. */
static void s_forge (s_world_t *world) {
    random_t *random = &world->random;
    uint32_t w = random_below (random, world->workers_count);
    const model_worker_t *worker = &world->model.workers[w];
    dw_event_t event = {.type = (uint8_t) (DW_EVENT_TASK_DONE + random_below (random, 3)),
                        .worker = w,
                        .last = random_one_in (random, 2),
                        .steps = random_below (random, 3),
                        .code = 500,
                        .handle = ++world->handle};
    event.ticket = random_one_in (random, 4) ? random_next (random)
                                             : worker->first + random_below (random, 8) - 4;
    /* Events of this step may still move the first ticket on; one that ends up there is no forgery. */
    if (world->events_count == 0 && (event.ticket != worker->first || !worker->present))
        world->events[world->events_count++] = event;
}

static void s_happens (s_world_t *world, const s_thing_t *thing) {
    uint32_t w = thing->command.worker;
    s_worker_t *worker = &world->workers[w];
    bool is_here = worker->up && thing->incarnation == worker->incarnation;
    switch (thing->type) {
        case S_EVENT:
            s_take_event (world, thing);
            break;
        case S_SEND:
            if (!is_here)
                break;
            worker->held[(worker->held_at + worker->held_count++) % MODEL_TASKS_MAX] =
                (s_held_t){.task = thing->command};
            if (!worker->working)
                s_begin (world, w);
            break;
        case S_CANCEL:
            if (is_here)
                s_heard_cancel (world, w, thing->command.ticket);
            break;
        case S_WORK:
            if (is_here)
                s_work (world, w, thing->command.ticket);
            break;
        case S_KILL:
            if (worker->up && !worker->local)
                s_say (world, w, (dw_event_t){.type = DW_EVENT_WORKER_LOST});
            break;
        case S_SUBMIT:
            s_submit (world);
            break;
        case S_CANCEL_RUN:
            if (world->model.runs[thing->event.run].life != MODEL_FREE)
                world->events[world->events_count++] =
                    (dw_event_t){.type = DW_EVENT_RUN_CANCELLED, .run = thing->event.run};
            break;
        case S_FORGE:
            s_forge (world);
            break;
    }
}

/* -- The world ------------------------------------------------------------------------------ */

static void s_draw_graph (s_world_t *world, uint64_t seed) {
    random_t *random = &world->random;
    world->graph = random_graph_new (seed, NODES_MAX);
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
            world->graph->nodes[node].timeout_us =
                random_between (random, TIMEOUT_MIN, 10 * TIMEOUT_MIN) / 1000;
}

static bool s_plan (s_world_t *world) {
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

static void s_draw_workers (s_world_t *world) {
    random_t *random = &world->random;
    uint32_t actors = world->plan->workers_count;
    bool has_local = world->plan->pool && random_one_in (random, 2);
    world->workers_count = actors + has_local;
    for (uint32_t w = 0; w < world->workers_count; w++) {
        world->workers[w].local = w == actors;
        world->workers[w].lane = world->plan->pool ? 0 : w;
        s_come (world, w, random_one_in (random, 3) ? random_between (random, 0, 500000) : 0);
    }
}

static void s_draw_faults (s_world_t *world) {
    random_t *random = &world->random;
    for (uint32_t i = 0; i < world->runs_left; i++)
        s_expect (world, random_between (random, 0, 2000000), (s_thing_t){.type = S_SUBMIT});
    world->faults = random_one_in (random, 2);
    if (!world->faults)
        return;
    for (uint32_t count = random_below (random, 4); count > 0; count--)
        s_expect (world, random_between (random, 0, 5000000),
                  (s_thing_t){.type = S_KILL,
                              .command = {.worker = random_below (random, world->workers_count)}});
    for (uint32_t count = random_below (random, 20); count > 0; count--)
        s_expect (world, random_between (random, 0, 5000000), (s_thing_t){.type = S_FORGE});
}

static bool s_start (s_world_t *world, uint64_t seed) {
    dw_scheduler_options_t options = {.seed = seed};
    world->random = random_from (seed);
    s_draw_graph (world, ~seed);
    world->evaluator = evaluator_new (world->graph);
    if (!s_plan (world))
        return model_is_wrong (&world->model, "the graph cannot be planned");
    world->grace_ns = random_between (&world->random, 100000, 2000000);
    world->work_max_ns = WORK_MAX >> random_below (&world->random, 8);
    world->runs_left = 1 + random_below (&world->random, 8);
    s_draw_workers (world);
    s_draw_faults (world);
    options.runs_max = 1 + random_below (&world->random, RUNS_MAX);
    options.workers_max = world->workers_count;
    options.grace_ns = world->grace_ns;
    model_init (&world->model, world->evaluator, world->plan, &options);
    for (uint32_t node = 0; node < world->plan->nodes_count; node++)
        if (world->plan->source[node] != world->model.sources[node])
            return model_is_wrong (&world->model, "the plan gives node %u another source", node);
    if (dw_scheduler_new (&world->scheduler, world->plan, &options))
        return model_is_wrong (&world->model, "no memory");
    if (world->transcript)
        random_graph_print (world->graph, world->transcript);
    return true;
}

/* Lets everything happen up to the next time at which the scheduler has to be told. */
static bool s_advance (s_world_t *world) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (world->scheduler), step_ns = INT64_MAX;
    if (deadline_ns != INT64_MAX)
        step_ns = deadline_ns + (random_one_in (&world->random, 4)
                                     ? random_between (&world->random, 0, LATE_MAX)
                                     : 0);
    for (uint32_t things = 0; things < STEPS_MAX; things++) {
        size_t at = s_next (world);
        int64_t at_ns = at < world->things_count ? world->things[at].at_ns : INT64_MAX;
        if (at_ns > step_ns || (at_ns == INT64_MAX && step_ns == INT64_MAX) ||
            world->events_count > 64)
            break;
        s_thing_t thing = world->things[at];
        world->things[at] = world->things[--world->things_count];
        if (thing.at_ns > world->now_ns)
            world->now_ns = thing.at_ns;
        bool had_events = world->events_count > 0;
        s_happens (world, &thing);
        if (!had_events && world->events_count > 0) {
            int64_t wait_ns = random_one_in (&world->random, 2)
                                  ? random_between (&world->random, 0, COALESCE_MAX)
                                  : 0;
            if (world->now_ns + wait_ns < step_ns)
                step_ns = world->now_ns + wait_ns;
        }
    }
    if (step_ns == INT64_MAX)
        return false;
    if (step_ns > world->now_ns && world->events_count <= 64)
        world->now_ns = step_ns;
    return true;
}

static bool s_check_end (s_world_t *world) {
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

static void s_count (s_world_t *world) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (world->scheduler);
    simulator_counts_t *sum = world->counts;
    sum->worlds++;
    sum->runs += counts.runs_submitted;
    sum->sent += counts.tasks_sent;
    sum->failed += counts.attempts_failed;
    sum->timeouts += counts.timeouts;
    sum->losses += counts.losses;
    sum->returned += counts.returned;
    sum->ignored += counts.answers_ignored;
    sum->replaced += counts.workers_replaced;
    sum->cancelled += counts.runs_cancelled;
}

static void s_end (s_world_t *world) {
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

bool simulator_run (uint64_t seed, FILE *transcript, simulator_counts_t *counts, char *wrong,
                    size_t wrong_size) {
    s_world_t *world = calloc (1, sizeof *world);
    assert (world);
    world->transcript = transcript;
    world->counts = counts;
    bool held = s_start (world, seed);
    uint64_t steps = 0;
    while (held && s_advance (world)) {
        held = s_step (world);
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
    s_end (world);
    return held;
}
