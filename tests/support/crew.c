/* crew.c - the workers of a simulated world. */

#include "tests/support/crew.h"

int64_t crew_delay (world_t *world) {
    int64_t delay_ns = random_one_in (&world->random, 4)
                           ? random_between (&world->random, 0, world->delay_max_ns)
                           : random_between (&world->random, 0, 10000);
    return off_is (world->off, OFF_DELAYS) ? 0 : delay_ns;
}

/* A worker says something. It arrives after all that it said before; but now and then it is lost on
 * its way and comes again later, and then what was said behind it arrives too early and again
 * behind it. */
void crew_say (world_t *world, uint32_t w, dw_event_t event) {
    member_t *worker = &world->workers[w];
    random_t *random = &world->random;
    int64_t at_ns = world->now_ns + crew_delay (world);
    thing_t thing = {.type = THING_EVENT, .incarnation = worker->incarnation};
    bool may_repeat = event.type != DW_EVENT_WORKER_LOST && !off_is (world->off, OFF_REPEATS);
    event.worker = w;
    bool is_empty = event.type == DW_EVENT_TASK_RETURNED || event.type == DW_EVENT_TASK_SKIPPED;
    event.handle = is_empty ? 0 : ++world->handle;
    thing.event = event;
    if (may_repeat && at_ns < worker->again_ns)
        world_expect (world, at_ns, thing);
    if (random_one_in (random, 30) && !off_is (world->off, OFF_REPEATS))
        worker->again_ns = at_ns + random_between (random, 0, WORLD_AGAIN_MAX_NS);
    if (at_ns < worker->again_ns)
        at_ns = worker->again_ns;
    if (at_ns < worker->link_from_ns)
        at_ns = worker->link_from_ns;
    worker->link_from_ns = at_ns;
    world_expect (world, at_ns, thing);
    if (may_repeat && random_one_in (random, 20)) /* said twice */
        world_expect (world, at_ns + random_between (random, 0, 10 * world->delay_max_ns), thing);
}

static held_t *s_first (member_t *worker) {
    return &worker->held[worker->held_at % MODEL_TASKS_MAX];
}

/* Whether nobody waits for the step that is next of its first task. */
static bool s_is_cancelled (member_t *worker) {
    const held_t *held = s_first (worker);
    return held->cancelled && held->told + worker->unsaid >= held->until;
}

static void s_drop_first (member_t *worker) {
    worker->held_at++;
    worker->held_count--;
    worker->working = worker->hangs = false;
}

/* Answers for what was done of the first task and not said yet. */
static void s_flush (world_t *world, uint32_t w, bool last) {
    member_t *worker = &world->workers[w];
    held_t *held = s_first (worker);
    if (worker->unsaid == 0)
        return;
    crew_say (world, w,
              (dw_event_t){.type = DW_EVENT_TASK_DONE,
                           .ticket = held->task.ticket,
                           .step = held->told,
                           .steps = worker->unsaid,
                           .last = last,
                           .duration_ns = worker->duration_ns});
    held->told += worker->unsaid;
    worker->unsaid = 0;
}

static void s_return_first (world_t *world, uint32_t w) {
    member_t *worker = &world->workers[w];
    if (worker->unsaid > 0 && random_one_in (&world->random, 2))
        s_flush (world, w, true); /* which gives back the rest */
    else {
        s_flush (world, w, false);
        crew_say (world, w,
                  (dw_event_t){.type = DW_EVENT_TASK_RETURNED,
                               .ticket = s_first (worker)->task.ticket,
                               .step = s_first (worker)->told});
    }
    s_drop_first (worker);
}

outcome_t crew_outcome (const world_t *world, uint32_t run, uint32_t at) {
    static const outcome_t failures[] = {OUTCOME_FAIL, OUTCOME_NONSENSE, OUTCOME_HANG};
    const script_t *script = &world->scripts[run][at];
    const model_node_t *node = &world->model.runs[run].nodes[at];
    if (node->deaths < script->deaths)
        return OUTCOME_DIE;
    if (node->failures < script->failures)
        return failures[(script->kind + node->failures) % 3];
    return world->skips[run][world->evaluator->by_rank[at]] ? OUTCOME_SKIP : OUTCOME_OK;
}

/* Begins the next step of the first task. */
void crew_begin (world_t *world, uint32_t w) {
    member_t *worker = &world->workers[w];
    random_t *random = &world->random;
    bool returns = world->faults && !off_is (world->off, OFF_RETURNS);
    while (worker->held_count > 0 &&
           (s_is_cancelled (worker) || (returns && random_one_in (random, 40))))
        s_return_first (world, w);
    if (worker->held_count == 0 || worker->working)
        return;
    const dw_command_t *task = &s_first (worker)->task;
    bool timed = world->plan->policies[world->plan->policy[task->node]].timeout_us > 0;
    int64_t work_ns = random_between (random, world->work_max_ns / 10, world->work_max_ns);
    worker->outcome = crew_outcome (world, task->run, task->node);
    if (worker->outcome == OUTCOME_HANG && !timed)
        worker->outcome = OUTCOME_FAIL;
    worker->working = true;
    worker->hangs = worker->outcome == OUTCOME_HANG;
    worker->duration_ns = (uint64_t) work_ns;
    if (worker->hangs) {
        int64_t timeout_ns = world->plan->policies[world->plan->policy[task->node]].timeout_us *
                             1000;
        if (random_one_in (random, 2))
            return; /* for ever */
        work_ns = timeout_ns + world->timeout_min_ns +
                  random_between (random, 0, 2 * world->grace_ns);
    }
    world_expect (world, world->now_ns + work_ns,
                  (thing_t){.type = THING_WORK,
                            .incarnation = worker->incarnation,
                            .command = {.worker = w, .ticket = task->ticket}});
}

/* Goes down, after what it has said has been heard; or only leaves, which is the same to what may
 * run but once. */
static void s_go_down (world_t *world, uint32_t w) {
    member_t *worker = &world->workers[w];
    bool is_once = model_is_once (&world->model, s_first (worker)->task.node);
    worker->working = true;
    crew_say (world, w,
              (dw_event_t){.type = DW_EVENT_WORKER_LOST,
                           .last = is_once && random_one_in (&world->random, 2)});
}

/* One step of the first task is over: it says so now, or later together with others. */
static void s_step_over (world_t *world, uint32_t w) {
    member_t *worker = &world->workers[w];
    random_t *random = &world->random;
    dw_command_t *task = &s_first (worker)->task;
    worker->unsaid++;
    task->steps--;
    if (task->steps == 0) {
        s_flush (world, w, !random_one_in (random, 30));
        s_drop_first (worker);
        return;
    }
    task->node = world->plan->chain_next[task->node];
    worker->working = false;
    if (random_one_in (random, 6) && !off_is (world->off, OFF_RETURNS))
        s_return_first (world, w); /* its time is up */
    else if (random_one_in (random, 2) || crew_outcome (world, task->run, task->node) != OUTCOME_OK)
        s_flush (world, w, false);
}

/* The step at hand ends its branch. */
static void s_skip (world_t *world, uint32_t w) {
    member_t *worker = &world->workers[w];
    crew_say (world, w,
              (dw_event_t){.type = DW_EVENT_TASK_SKIPPED,
                           .ticket = s_first (worker)->task.ticket,
                           .step = s_first (worker)->told,
                           .duration_ns = worker->duration_ns});
    s_drop_first (worker);
}

void crew_work (world_t *world, uint32_t w, uint64_t ticket) {
    member_t *worker = &world->workers[w];
    random_t *random = &world->random;
    if (worker->held_count == 0 || !worker->working || s_first (worker)->task.ticket != ticket)
        return; /* it went on without that */
    uint32_t steps = s_first (worker)->task.steps;
    if (s_is_cancelled (worker) && random_one_in (random, 2)) {
        s_return_first (world, w);
        crew_begin (world, w);
        return;
    }
    switch (worker->outcome) {
        case OUTCOME_OK:
        case OUTCOME_HANG: /* too late: nobody waits for it any more */
            s_step_over (world, w);
            break;
        case OUTCOME_FAIL:
            s_flush (world, w, false);
            crew_say (world, w,
                      (dw_event_t){.type = DW_EVENT_TASK_FAILED,
                                   .ticket = ticket,
                                   .step = s_first (worker)->told,
                                   .duration_ns = worker->duration_ns,
                                   .code = (uint16_t) (400 + random_below (random, 200))});
            s_drop_first (worker);
            break;
        case OUTCOME_SKIP:
            s_flush (world, w, false);
            s_skip (world, w);
            break;
        case OUTCOME_NONSENSE:
            s_flush (world, w, false);
            if (!model_may_skip (&world->model, s_first (worker)->task.node) &&
                random_one_in (random, 3)) { /* it has not promised to */
                s_skip (world, w);
                break;
            }
            crew_say (world, w,
                      (dw_event_t){.type = DW_EVENT_TASK_DONE,
                                   .ticket = ticket,
                                   .step = s_first (worker)->told,
                                   .last = true,
                                   .steps = random_one_in (random, 2) ? 0 : steps + 1});
            s_drop_first (worker);
            break;
        case OUTCOME_DIE: s_go_down (world, w); return;
    }
    crew_begin (world, w);
}

void crew_cancel (world_t *world, uint32_t w, uint64_t ticket, uint32_t steps) {
    member_t *worker = &world->workers[w];
    for (uint32_t i = 0; i < worker->held_count; i++) {
        held_t *held = &worker->held[(worker->held_at + i) % MODEL_TASKS_MAX];
        if (held->task.ticket != ticket)
            continue;
        if (!held->cancelled || held->until > steps)
            held->until = steps;
        held->cancelled = true;
    }
    if (worker->held_count > 0 && worker->hangs && s_is_cancelled (worker) &&
        random_one_in (&world->random, 2)) {
        s_return_first (world, w); /* it asked whether it is cancelled */
        crew_begin (world, w);
    }
}

void crew_come (world_t *world, uint32_t w, int64_t delay_ns) {
    member_t *worker = &world->workers[w];
    uint64_t lanes = worker->lanes;
    if (lanes && random_one_in (&world->random, 3)) /* now it can do more */
        lanes |= random_next (&world->random) & (UINT64_MAX >> (64 - world->plan->lanes_count));
    worker->incarnation++;
    world_expect (world, world->now_ns + delay_ns,
                  (thing_t){.type = THING_EVENT,
                            .incarnation = worker->incarnation,
                            .event = {.type = DW_EVENT_WORKER_JOINED,
                                      .worker = w,
                                      .lane = worker->lane,
                                      .lanes = lanes,
                                      .local = worker->local,
                                      .credit = 1 + random_below (&world->random, 16)}});
}

void crew_clear (member_t *worker) {
    worker->up = false;
    worker->held_count = worker->unsaid = 0;
    worker->working = worker->hangs = false;
}
