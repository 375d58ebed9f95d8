/* scheduler_steps.h - what happens in a transcript, a word each; f is the test's fixture. */

#ifndef TESTS_SCHEDULER_STEPS_H
#define TESTS_SCHEDULER_STEPS_H

#include "tests/support/scheduler_fixture.h"

#define MS INT64_C (1000000)

/* Tells of an event now. */
#define TELL(...) scheduler_fixture_step (f, 0, &(dw_event_t){__VA_ARGS__})
/* Lets nanoseconds pass in which nothing happens. */
#define PASS(passed_ns) scheduler_fixture_step (f, (passed_ns), NULL)
#define EXPECT(text)    scheduler_fixture_expect (f, (text))

#define SUBMIT(at) TELL (.type = DW_EVENT_RUN_SUBMITTED, .run = (at))
#define SUBMIT_OUTPUTS(at, nodes, count) \
    TELL (.type = DW_EVENT_RUN_SUBMITTED, .run = (at), .outputs = (nodes), .outputs_count = (count))
#define CANCEL(at)             TELL (.type = DW_EVENT_RUN_CANCELLED, .run = (at))
#define CANCEL_NODE(at, which) TELL (.type = DW_EVENT_NODE_CANCELLED, .run = (at), .node = (which))

#define JOIN(who) JOIN_CREDIT (who, 16)
#define JOIN_CREDIT(who, tasks) \
    TELL (.type = DW_EVENT_WORKER_JOINED, .worker = (who), .credit = (tasks))
#define JOIN_LANE(who, where) \
    TELL (.type = DW_EVENT_WORKER_JOINED, .worker = (who), .lane = (where), .credit = 16)
#define JOIN_LOCAL(who) \
    TELL (.type = DW_EVENT_WORKER_JOINED, .worker = (who), .credit = 16, .local = true)
#define LOSE(who) TELL (.type = DW_EVENT_WORKER_LOST, .worker = (who))

#define DONE(who, number) DONE_TOOK (who, number, 1000)
#define DONE_TOOK(who, number, took_ns)                                                \
    TELL (.type = DW_EVENT_TASK_DONE, .worker = (who), .ticket = (number), .steps = 1, \
          .last = true, .duration_ns = (took_ns))
#define DONE_STEPS(who, number, count) DONE_AFTER (0, who, number, count)
/* Steps of a chain that goes on. */
#define PART(who, number, count) PART_AFTER (0, who, number, count)
#define FAIL(who, number, why)   FAIL_AFTER (0, who, number, why)
#define RETURNED(who, number)    RETURNED_AFTER (0, who, number)
/* The same when earlier answers told of so many steps of the task. */
#define DONE_AFTER(told, who, number, count)                                               \
    TELL (.type = DW_EVENT_TASK_DONE, .worker = (who), .ticket = (number), .step = (told), \
          .steps = (count), .last = true, .duration_ns = 1000)
#define PART_AFTER(told, who, number, count)                                               \
    TELL (.type = DW_EVENT_TASK_DONE, .worker = (who), .ticket = (number), .step = (told), \
          .steps = (count), .duration_ns = 1000)
#define FAIL_AFTER(told, who, number, why)                                                   \
    TELL (.type = DW_EVENT_TASK_FAILED, .worker = (who), .ticket = (number), .step = (told), \
          .code = (why), .duration_ns = 1000)
#define RETURNED_AFTER(told, who, number) \
    TELL (.type = DW_EVENT_TASK_RETURNED, .worker = (who), .ticket = (number), .step = (told))

#define SKIPPED(who, number) SKIPPED_AFTER (0, who, number)
#define SKIPPED_AFTER(told, who, number)                                                      \
    TELL (.type = DW_EVENT_TASK_SKIPPED, .worker = (who), .ticket = (number), .step = (told), \
          .duration_ns = 1000)

/* The node of a task becomes a graph, in a place: scheduler_fixture_graph says of which letters. */
#define BECOME(who, number, at, letters)                                                 \
    TELL (.type = DW_EVENT_TASK_ADDED, .worker = (who), .ticket = (number), .run = (at), \
          .added = scheduler_fixture_graph (f, (letters)), .duration_ns = 1000)

/* The shell's thread works, as said in a fixture_work_t. */
#define WORK(...)  scheduler_fixture_work (f, &(fixture_work_t){__VA_ARGS__})
#define WORK_ALL() WORK (.tasks = 0)

/* A test whose state is a fixture of its own. */
#define TRANSCRIPT(test) \
    cmocka_unit_test_setup_teardown (test, scheduler_steps_begin, scheduler_steps_end)

static inline int scheduler_steps_begin (void **state) {
    scheduler_fixture_t *fixture = malloc (sizeof *fixture);
    if (!fixture)
        return -1;
    scheduler_fixture_init (fixture);
    *state = fixture;
    return 0;
}

static inline int scheduler_steps_end (void **state) {
    scheduler_fixture_clear (*state);
    free (*state);
    return 0;
}

#endif
