/* test_why.c - a recorded run explained: what its times are put down to adds up, in every world,
 * and what is said of a node is what became of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dagwood.h"
#include "runtime/pack.h"
#include "runtime/why.h"
#include "tests/support/random.h"
#include "tests/support/recorded.h"

#define WORLDS 600

/* ---- Every run of every world ----------------------------------------------------------------- */

typedef struct asked_t {
    dw_why_t why;
    uint64_t run;
    dw_watch_t watch;
    uint64_t nodes_run, attempts,
        outcomes[DW_OUTCOME_SKIPPED + 1]; /* of all runs that were asked for */
    uint64_t critical, path_nodes;
} asked_t;

static int64_t s_sum (const int64_t *parts) {
    int64_t sum = 0;
    for (int part = 0; part < DW_WHY_PARTS; part++) {
        assert_true (parts[part] >= 0);
        sum += parts[part];
    }
    return sum;
}

static void s_check_attempts (asked_t *self, const dw_why_node_t *node) {
    int64_t at_ns = node->ready_ns;
    for (uint32_t i = node->first; i != DW_NONE; i = self->why.attempts[i].next) {
        const dw_attempt_t *attempt = &self->why.attempts[i];
        assert_true (at_ns <= attempt->ready_ns);
        assert_true (attempt->ready_ns <= attempt->sent_ns);
        assert_true (attempt->sent_ns <= attempt->begun_ns);
        assert_true (attempt->begun_ns <= attempt->ended_ns);
        assert_true (attempt->ended_ns <= attempt->heard_ns);
        at_ns = attempt->heard_ns;
        self->attempts++;
        self->outcomes[attempt->outcome]++;
    }
    assert_true (at_ns == node->final_ns);
}

/* Its attempts are those that the scheduler counts: what was taken back counts not. */
static void s_check_counts (const asked_t *self, uint32_t index) {
    const dw_why_t *why = &self->why;
    const dw_why_node_t *node = &why->nodes[index];
    const dw_attempt_t *last = node->last == DW_NONE ? NULL : &why->attempts[node->last];
    if (node->state == DW_STATE_DONE)
        assert_true (last && last->outcome == DW_OUTCOME_DONE);
    bool had_begun = last && last->outcome != DW_OUTCOME_BACK;
    if (node->state == DW_STATE_FAILED && !node->is_unserved &&
        !(node->is_out_of_time && !had_begun))
        assert_true (last &&
                     (last->outcome == DW_OUTCOME_FAILED || last->outcome == DW_OUTCOME_TIMED_OUT ||
                      last->outcome == DW_OUTCOME_LOST));
    if (node->state == DW_STATE_LEFT_OUT)
        assert_true (!last || last->outcome == DW_OUTCOME_SKIPPED);
    if (node->state == DW_STATE_NOT_REQUESTED)
        assert_null (last);
    if (node->state !=
        DW_STATE_DONE) /* what was run in vain, because nobody waited for it any more, counts not */
        assert_true (!last || last->outcome != DW_OUTCOME_DONE);
}

/* A worker is at one task at a time. */
static void s_check_workers (const dw_why_t *why) {
    for (uint32_t i = 0; i < why->attempts_count; i++)
        for (uint32_t j = 0; j < i; j++) {
            const dw_attempt_t *one = &why->attempts[i], *other = &why->attempts[j];
            bool ran = one->begun_ns < one->ended_ns && other->begun_ns < other->ended_ns;
            if (!ran || one->is_own || other->is_own || one->worker != other->worker)
                continue; /* what was taken back was at nothing */
            assert_true (one->begun_ns >= other->ended_ns || other->begun_ns >= one->ended_ns);
        }
}

/* Nothing is ready before the last of what it depends on has ended. */
static void s_check_waited (const dw_why_t *why, uint32_t index) {
    const dw_plan_t *plan = why->plan;
    for (uint32_t e = plan->dependencies_at[index]; e < plan->dependencies_at[index + 1]; e++)
        assert_true (why->nodes[index].ready_ns >= why->nodes[plan->dependencies[e]].final_ns);
}

static void s_check_run (asked_t *self) {
    const dw_why_t *why = &self->why;
    int64_t path[DW_WHY_PARTS] = {0};
    dw_why_best_t best;
    for (uint32_t index = 0; index < why->plan->nodes_count; index++) {
        const dw_why_node_t *node = &why->nodes[index];
        int64_t parts[DW_WHY_PARTS] = {0};
        dw_why_parts (why, index, parts);
        s_check_counts (self, index);
        if (node->first == DW_NONE) {
            assert_true (s_sum (parts) == 0);
            continue;
        }
        self->nodes_run++;
        s_check_attempts (self, node);
        s_check_waited (why, index);
        assert_true (s_sum (parts) == node->final_ns - why->submitted_ns);
        assert_true (node->final_ns <= why->ended_ns);
        self->critical += dw_why_is_critical (why, index);
    }
    s_check_workers (why);
    dw_why_path_parts (why, path);
    assert_true (s_sum (path) == why->ended_ns - why->submitted_ns);
    assert_true (path[DW_WHY_DEPENDENCIES] == 0);
    for (uint32_t at = dw_why_last (why); at != DW_NONE; at = why->nodes[at].released_by)
        self->path_nodes++;
    assert_int_equal (dw_why_best (why, &best), DW_OK);
    assert_true (best.bound_ns <= why->ended_ns - why->submitted_ns);
}

static void s_begin (void *arg, dw_replay_t *replay) {
    asked_t *self = arg;
    assert_int_equal (dw_why_begin (&self->why, replay, self->run), DW_OK);
    self->watch = dw_why_watch (&self->why);
}

static void s_end (void *arg, dw_replay_t *replay) {
    asked_t *self = arg;
    dw_why_end (&self->why, dw_replay_moment (replay).time_ns);
    assert_false (self->why.no_memory);
    if (self->why.was_submitted)
        s_check_run (self);
    dw_why_free (&self->why);
}

/* Asks for every run of a recording, of which only the first size bytes are there. */
static void s_ask (asked_t *self, const uint8_t *bytes, size_t size) {
    uint64_t runs = replayed (bytes, size).runs;
    for (self->run = 1; self->run <= runs; self->run++) {
        replayed_t result = replayed_with (bytes, size, s_begin, &self->watch, s_end, self);
        assert_int_equal (result.err, DW_ENOENT);
    }
}

static void times_add_up_to_the_duration_in_every_world (void **state) {
    uint64_t first = random_seed ();
    asked_t asked = {0};
    (void) state;
    for (uint64_t seed = first; seed < first + WORLDS; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        s_ask (&asked, bytes, size);
        free (bytes);
    }
    assert_true (asked.nodes_run > 1000 && asked.attempts > asked.nodes_run);
    assert_true (asked.critical == asked.path_nodes && asked.critical < asked.nodes_run);
    for (int outcome = DW_OUTCOME_DONE; outcome <= DW_OUTCOME_SKIPPED; outcome++)
        assert_true (asked.outcomes[outcome] > 0); /* each was there to be explained */
    assert_int_equal (asked.outcomes[DW_OUTCOME_OPEN], 0);
}

static void times_add_up_where_the_recording_is_cut (void **state) {
    asked_t asked = {0};
    (void) state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        for (size_t part = 8; part < 20; part++)
            if (!replayed (bytes, size * part / 20).open_err)
                s_ask (&asked, bytes, size * part / 20);
        free (bytes);
    }
    assert_true (asked.outcomes[DW_OUTCOME_OPEN] > 0);
}

/* ---- By hand: what is known to the nanosecond ------------------------------------------------- */

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    (void) processor;
    *trait_p = (dw_trait_t){0};
    return true;
}

/* a -> b -> c, where d comes after a, too; one actor a node. */
typedef struct story_t {
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    dw_recorder_t recorder;
    dw_writer_t out;
} story_t;

static void s_tell_begin (story_t *self) {
    static const dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 4};
    dw_graph_t *graph = dw_graph_new ();
    dw_writer_t packed = {0};
    dw_trait_t trait = {0};
    const char *kind = "identity";
    const char *ids[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++)
        assert_int_equal (dw_graph_add (graph, ids[i], kind), i);
    dw_graph_depend (graph, 1, "a");
    dw_graph_depend (graph, 2, "b");
    dw_graph_depend (graph, 3, "a");
    dw_graph_options_t *options = dw_graph_options (graph);
    options->actors = DW_ACTORS_THREAD;
    options->retry_attempts = 1;
    options->backoff = (dw_backoff_t){.initial_us = 100, .factor = 1, .max_us = 100};
    *self = (story_t){0};
    assert_int_equal (dw_plan_new (&self->plan, graph, &lookup, NULL), DW_OK);
    dw_scheduler_options_t limits = {.runs_max = 1, .workers_max = 4};
    assert_int_equal (dw_scheduler_new (&self->scheduler, self->plan, &limits), DW_OK);
    dw_pack_graph (graph, &packed);
    dw_recording_header_t header = {.dagwood = "1",
                                    .name = "story",
                                    .plan_digest = dw_plan_digest (self->plan),
                                    .options = limits,
                                    .cpus_count = 4,
                                    .kinds = &kind,
                                    .traits = &trait,
                                    .kinds_count = 1,
                                    .graph = packed.bytes,
                                    .graph_size = packed.count};
    dw_recorder_begin (&self->recorder, &header, 1, &self->out);
    dw_writer_free (&packed);
    dw_graph_destroy (&graph);
}

static void s_tell (story_t *self, int64_t now_ns, dw_event_t event) {
    self->commands.count = 0;
    assert_int_equal (dw_scheduler_step (self->scheduler, now_ns, &event, 1, &self->commands),
                      DW_OK);
    dw_recorder_step (&self->recorder, now_ns, &event, 1, &self->commands, 0);
}

static void s_tell_nothing (story_t *self, int64_t now_ns) {
    self->commands.count = 0;
    assert_int_equal (dw_scheduler_step (self->scheduler, now_ns, NULL, 0, &self->commands), DW_OK);
    dw_recorder_step (&self->recorder, now_ns, NULL, 0, &self->commands, 0);
}

static void s_tell_end (story_t *self) {
    dw_recorder_end (&self->recorder, DW_RECORD_CLOSED);
    dw_recorder_take (&self->recorder, &self->out);
    dw_recorder_free (&self->recorder);
    dw_scheduler_destroy (&self->scheduler);
    dw_plan_destroy (&self->plan);
    free (self->commands.items);
}

/* The worker of a node: in thread mode lanes are numbered in the order of all nodes, which is by
 * level. */
#define WORKER(node) ((uint32_t[]){0, 1, 3, 2}[node])

static void s_check_story (void *arg, dw_replay_t *replay) {
    asked_t *self = arg;
    const dw_why_t *why = &self->why;
    int64_t parts[DW_WHY_PARTS] = {0};
    dw_why_best_t best;
    uint32_t a = dw_plan_find (why->plan, "a"), b = dw_plan_find (why->plan, "b");
    uint32_t c = dw_plan_find (why->plan, "c"), d = dw_plan_find (why->plan, "d");
    (void) replay;
    assert_true (why->has_ended && why->status == DW_RUN_OK);
    assert_int_equal (why->nodes[c].released_by, b);
    assert_int_equal (why->nodes[b].released_by, a);
    assert_int_equal (why->nodes[d].released_by, a);
    assert_int_equal (why->nodes[a].released_by, DW_NONE);
    assert_true (dw_why_is_critical (why, b) && !dw_why_is_critical (why, d));
    dw_why_path_parts (why, parts);
    /* a: sent at 1000, ran 300, heard at 1500. b: ran 400, failed, heard at 2000; again at 102000,
     * when c's and not b's worker answers nothing; ran 100, heard at 102500. c: ran 50, heard at
     * 102600. */
    assert_int_equal (parts[DW_WHY_RUNNING], 300 + 400 + 100 + 50);
    assert_int_equal (parts[DW_WHY_MESSAGES], 200 + 100 + 400 + 50);
    assert_int_equal (parts[DW_WHY_RETRY], 100000);
    assert_int_equal (parts[DW_WHY_WORKER], 0);
    assert_int_equal (parts[DW_WHY_END], 0);
    assert_int_equal (dw_why_best (why, &best), DW_OK);
    assert_int_equal (best.path_ns, 300 + 100 + 50);
    assert_int_equal (best.work_ns, 300 + 100 + 50 + 70);
    assert_int_equal (best.threads, 4);
    dw_why_free (&self->why);
}

static void a_story_told_by_hand_is_explained_to_the_nanosecond (void **state) {
    story_t story;
    asked_t asked = {.run = 1};
    (void) state;
    s_tell_begin (&story);
    for (uint32_t w = 0; w < 4; w++)
        s_tell (&story, 10,
                (dw_event_t){.type = DW_EVENT_WORKER_JOINED, .worker = w, .lane = w, .credit = 4});
    s_tell (&story, 1000, (dw_event_t){.type = DW_EVENT_RUN_SUBMITTED});
#define DONE(now, node, number, ns)                  \
    s_tell (&story, now,                             \
            (dw_event_t){.type = DW_EVENT_TASK_DONE, \
                         .last = true,               \
                         .worker = WORKER (node),    \
                         .ticket = number,           \
                         .steps = 1,                 \
                         .duration_ns = ns})
    DONE (1500, 0, 0, 300);
    DONE (1600, 3, 0, 70);
    s_tell (&story, 2000,
            (dw_event_t){.type = DW_EVENT_TASK_FAILED,
                         .worker = WORKER (1),
                         .ticket = 0,
                         .code = 500,
                         .duration_ns = 400});
    s_tell_nothing (&story, 102000);
    DONE (102500, 1, 1, 100);
    DONE (102600, 2, 0, 50);
    s_tell_end (&story);
    replayed_t result = replayed_with (story.out.bytes, story.out.count, s_begin, &asked.watch,
                                       s_check_story, &asked);
    if (result.err != DW_ENOENT)
        fail_msg ("%s", result.message);
    dw_writer_free (&story.out);
}

static void s_check_waits (void *arg, dw_replay_t *replay) {
    asked_t *self = arg;
    dw_why_t *why = &self->why;
    int64_t parts[DW_WHY_PARTS] = {0};
    dw_why_end (why, dw_replay_moment (replay).time_ns);
    assert_true (why->was_submitted && !why->has_ended);
    for (uint32_t node = 0; node < why->plan->nodes_count; node++)
        assert_int_equal (why->nodes[node].state, DW_STATE_WAITING);
    dw_why_path_parts (why, parts);
    assert_true (s_sum (parts) == why->ended_ns - why->submitted_ns);
    dw_why_free (why);
}

/* The scheduler is given nothing of a record with an event that cannot have happened. */
static void a_run_that_the_scheduler_never_had_waits (void **state) {
    story_t story;
    asked_t asked = {.run = 1};
    (void) state;
    s_tell_begin (&story);
    dw_event_t joined = {.type = DW_EVENT_WORKER_JOINED, .credit = 4};
    s_tell (&story, 10, joined);
    dw_event_t events[] = {{.type = DW_EVENT_RUN_SUBMITTED}, joined};
    dw_recorder_step (&story.recorder, 20, events, 2, &story.commands, 0);
    s_tell_end (&story);
    replayed_t result = replayed_with (story.out.bytes, story.out.count, s_begin, &asked.watch,
                                       s_check_waits, &asked);
    assert_int_equal (result.err, DW_EREFUSED);
    assert_non_null (strstr (result.message, "a worker joins that cannot"));
    dw_writer_free (&story.out);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_story_told_by_hand_is_explained_to_the_nanosecond),
        cmocka_unit_test (a_run_that_the_scheduler_never_had_waits),
        cmocka_unit_test (times_add_up_to_the_duration_in_every_world),
        cmocka_unit_test (times_add_up_where_the_recording_is_cut),
    };
    return !!cmocka_run_group_tests_name ("why", tests, NULL, NULL);
}
