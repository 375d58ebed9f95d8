/* test_scheduler_many.c - very many workers, who come and go: nobody idles while something waits
 * for it, and all is done. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random.h"
#include "tests/support/scheduler_fixture.h"

#define WORKERS     1500u
#define MANY        512u /* twice what the scheduler takes for few */
#define RUNS        6u
#define EVENTS_MAX  300u
#define LANES       3u
#define CREDIT      8u
#define CONCURRENCY 4000u

/* What a worker holds is what the scheduler has sent: answers are for the first. */
typedef struct s_member_t {
    bool present;
    uint64_t lanes; /* 0: the only lane */
    uint64_t first, next;
    bool is_told; /* of it in this step already */
} s_member_t;

typedef struct s_world_t {
    scheduler_fixture_t fixture;
    random_t random;
    s_member_t members[WORKERS];
    dw_event_t events[EVENTS_MAX];
    size_t events_count;
    uint64_t done_count, ended_count;
    uint32_t present_max; /* most that ever served one lane */
    bool has_lanes;
} s_world_t;

/* Nodes that wait for others and nodes that do not; with tags the lanes are "none", "nr=0" and
 * "nr=1". */
static void s_open (s_world_t *self, uint32_t nodes_count) {
    scheduler_fixture_t *f = &self->fixture;
    scheduler_fixture_init (f);
    for (uint32_t node = 0; node < nodes_count; node++) {
        char id[16], on[16] = "";
        snprintf (id, sizeof id, "n%u", node);
        if (node >= nodes_count / 2)
            snprintf (on, sizeof on, "n%u n%u", node - nodes_count / 2, node % 7);
        scheduler_fixture_add (f, id, "work", on);
        if (self->has_lanes && node % LANES > 0 &&
            dw_graph_require_tag (f->graph, (int) node, "nr", node % LANES == 1 ? "0" : "1"))
            abort ();
    }
    f->options->max_concurrency = CONCURRENCY;
    f->scheduler_options = (dw_scheduler_options_t){
        .runs_max = RUNS, .workers_max = WORKERS, .is_open = true};
    scheduler_fixture_open (f);
}

static void s_tell (s_world_t *self, dw_event_t event) {
    self->members[event.worker].is_told = true;
    self->events[self->events_count++] = event;
}

static void s_carry_out (s_world_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: {
            s_member_t *member = &self->members[command->worker];
            assert_true (member->present && command->ticket == member->next);
            member->next++;
            return;
        }
        case DW_KEEP_OUTPUT: self->done_count += command->steps; return;
        case DW_FINISH_RUN:
            assert_int_equal (command->status, DW_RUN_OK);
            dw_scheduler_forget (self->fixture.scheduler, command->run);
            self->ended_count++;
            return;
        case DW_CANCEL_TASK:
        case DW_DROP_OUTPUT: return;
        case DW_KEEP_ERROR:
        case DW_KEEP_DEATH:
        case DW_BEGIN_ADDED:
        case DW_END_ADDED:
        case DW_REPLACE_WORKER: fail_msg ("command %u", command->type);
    }
}

/* Who is there is counted, and idles only when nothing waits for it. */
static void s_check (s_world_t *self) {
    const dw_scheduler_t *scheduler = self->fixture.scheduler;
    uint32_t present[LANES] = {0}, active = 0;
    for (uint32_t w = 0; w < WORKERS; w++) {
        const s_member_t *member = &self->members[w];
        uint64_t lanes = member->lanes ? member->lanes : 1;
        if (!member->present)
            continue;
        uint32_t held = dw_scheduler_unanswered_count (scheduler, w);
        assert_int_equal (held, member->next - member->first);
        assert_true (held <= CREDIT);
        active += held > 0;
        for (uint32_t lane = 0; lane < LANES; lane++) {
            present[lane] += (uint32_t) (lanes >> lane & 1);
            if (held == 0 && (lanes >> lane & 1) &&
                dw_scheduler_lane_ready_count (scheduler, lane) > 0)
                fail_msg ("worker %u idles, and lane %u has %u tasks", w, lane,
                          dw_scheduler_lane_ready_count (scheduler, lane));
            if (!self->has_lanes)
                break;
        }
    }
    assert_int_equal (active, dw_scheduler_active_count (scheduler));
    for (uint32_t lane = 0; lane < (self->has_lanes ? LANES : 1); lane++) {
        assert_int_equal (present[lane], dw_scheduler_lane_workers_count (scheduler, lane));
        if (present[lane] > self->present_max)
            self->present_max = present[lane];
    }
}

static void s_step (s_world_t *self) {
    scheduler_fixture_t *f = &self->fixture;
    f->commands.count = 0;
    f->now_ns += random_between (&self->random, 1000, 400000);
    assert_int_equal (
        dw_scheduler_step (f->scheduler, f->now_ns, self->events, self->events_count, &f->commands),
        DW_OK);
    for (size_t i = 0; i < self->events_count; i++)
        self->members[self->events[i].worker].is_told = false;
    self->events_count = 0;
    for (size_t i = 0; i < f->commands.count; i++)
        s_carry_out (self, &f->commands.items[i]);
    s_check (self);
}

/* A worker comes, answers, or goes with all that it holds. */
static void s_happen (s_world_t *self, uint32_t leave_one_in) {
    uint32_t w = random_below (&self->random, WORKERS);
    s_member_t *member = &self->members[w];
    if (member->is_told)
        return;
    if (!member->present) {
        *member = (s_member_t){.present = true, .first = member->next, .next = member->next};
        if (self->has_lanes)
            member->lanes = 1 + random_below (&self->random, (1u << LANES) - 1);
        s_tell (self, (dw_event_t){.type = DW_EVENT_WORKER_JOINED,
                                   .worker = w,
                                   .credit = CREDIT,
                                   .lanes = member->lanes});
    } else if (random_one_in (&self->random, leave_one_in)) {
        member->present = false;
        s_tell (self, (dw_event_t){.type = DW_EVENT_WORKER_LOST, .worker = w, .last = true});
    } else if (member->first < member->next)
        s_tell (self, (dw_event_t){
                          .type = DW_EVENT_TASK_DONE,
                          .worker = w,
                          .ticket = member->first++,
                          .steps = 1,
                          .last = true,
                          .duration_ns = (uint64_t) random_between (&self->random, 10000, 200000)});
}

static void s_live (bool has_lanes, uint32_t nodes_count) {
    s_world_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->random = random_from (random_seed () + has_lanes);
    self->has_lanes = has_lanes;
    s_open (self, nodes_count);
    for (uint32_t run = 0; run < RUNS; run++)
        s_tell (self, (dw_event_t){.type = DW_EVENT_RUN_SUBMITTED, .run = run});
    s_step (self);
    for (unsigned step = 0; self->ended_count < RUNS; step++) {
        assert_true (step < 4000);
        /* In waves: more come than go, and now and then nearly all go. */
        for (uint32_t i = random_below (&self->random, EVENTS_MAX); i > 0; i--)
            s_happen (self, step % 40 < 36 ? 50 : 2);
        s_step (self);
    }
    assert_int_equal (self->done_count, (uint64_t) RUNS * nodes_count);
    assert_true (self->present_max > MANY);
    scheduler_fixture_clear (&self->fixture);
    free (self);
}

static void of_very_many_workers_nobody_idles_while_tasks_wait (void **state) {
    (void) state;
    s_live (false, 4000);
}

static void nor_where_they_serve_several_lanes (void **state) {
    (void) state;
    s_live (true, 4000);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (of_very_many_workers_nobody_idles_while_tasks_wait),
        cmocka_unit_test (nor_where_they_serve_several_lanes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
