/* scheduler_fixture.c - a scheduler with virtual time, whose commands are sentences. */

#include "tests/support/scheduler_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    *trait_p = (dw_trait_t){.intent = DW_TRANSFORM};
    if (strcmp (processor, "brief") == 0 || strcmp (processor, "quick") == 0)
        trait_p->brief = true;
    else if (strcmp (processor, "look") == 0)
        trait_p->intent = DW_ANALYZE;
    else if (strncmp (processor, "pick", 4) == 0) {
        trait_p->may_skip = true;
        trait_p->brief = strcmp (processor, "pick_brief") == 0;
    } else if (strcmp (processor, "grow") == 0)
        trait_p->may_add = true;
    else
        return strcmp (processor, "work") == 0;
    return true;
}

void scheduler_fixture_init (scheduler_fixture_t *self) {
    memset (self, 0, sizeof *self);
    self->graph = dw_graph_new ();
    assert_non_null (self->graph);
    self->options = dw_graph_options (self->graph);
    self->options->strategy = DW_WORK_QUEUE;
    self->options->failure_strategy = DW_CONTINUE_ON_ERROR;
    self->options->actors = DW_ACTORS_POOL;
    self->options->pool_size = 2;
    self->options->max_concurrency = 2;
    self->scheduler_options = (dw_scheduler_options_t){
        .runs_max = 4, .workers_max = 8, .grace_ns = FIXTURE_GRACE_MS * INT64_C (1000000)};
}

void scheduler_fixture_clear (scheduler_fixture_t *self) {
    dw_scheduler_destroy (&self->scheduler);
    while (self->added_count > 0)
        dw_added_destroy (&self->added[--self->added_count]);
    dw_plan_destroy (&self->plan);
    dw_graph_destroy (&self->graph);
    free (self->commands.items);
}

/* A node that may add says which: those that a test may want. */
static int s_add (dw_graph_t *graph, const char *id, const char *processor) {
    int node = dw_graph_add (graph, id, processor);
    assert_true (node >= 0);
    if (strcmp (processor, "grow") == 0) {
        assert_int_equal (dw_graph_allow (graph, node, "work"), DW_OK);
        assert_int_equal (dw_graph_allow (graph, node, "grow"), DW_OK);
    }
    return node;
}

dw_node_options_t *scheduler_fixture_add (scheduler_fixture_t *self, const char *id,
                                          const char *processor, const char *dependencies) {
    int node = s_add (self->graph, id, processor);
    char names[128];
    assert_true (snprintf (names, sizeof names, "%s", dependencies) < (int) sizeof names);
    for (char *name = strtok (names, " "); name; name = strtok (NULL, " "))
        assert_int_equal (dw_graph_depend (self->graph, node, name), DW_OK);
    return dw_graph_node_options (self->graph, node);
}

void scheduler_fixture_open (scheduler_fixture_t *self) {
    dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 2};
    dw_error_t *error = dw_error_new ();
    if (dw_plan_new (&self->plan, self->graph, &lookup, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    assert_int_equal (dw_scheduler_new (&self->scheduler, self->plan, &self->scheduler_options),
                      DW_OK);
}

const dw_added_t *scheduler_fixture_graph (scheduler_fixture_t *self, const char *letters) {
    dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 2};
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    assert_true (self->added_count < FIXTURE_ADDED_MAX);
    for (const char *letter = letters; *letter; letter++)
        s_add (graph, (char[]){*letter, '\0'}, *letter < 'a' ? "grow" : "work");
    int last = s_add (graph, "last", "work");
    for (const char *letter = letters; *letter; letter++)
        assert_int_equal (dw_graph_depend (graph, last, (char[]){*letter, '\0'}), DW_OK);
    dw_added_t **added = &self->added[self->added_count++];
    if (dw_added_new (added, graph, "last", self->plan, NULL, DW_NONE, &lookup, error))
        fail_msg ("%s", dw_error_text (error));
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return *added;
}

static void DW_PRINTF (2, 3) s_say (scheduler_fixture_t *self, const char *format, ...) {
    size_t length = strlen (self->said);
    va_list arguments;
    va_start (arguments, format);
    int added = vsnprintf (self->said + length, sizeof self->said - length, format, arguments);
    va_end (arguments);
    assert_true (added >= 0 && (size_t) added < sizeof self->said - length);
}

/* What was sent or given, after who got it. */
static void s_say_task (scheduler_fixture_t *self, uint32_t steps, uint32_t attempt,
                        uint32_t source) {
    if (steps > 1)
        s_say (self, ", %" PRIu32 " steps", steps);
    if (attempt > 1)
        s_say (self, ", attempt %" PRIu32, attempt);
    if (self->tells_sources && source == DW_RUN_INPUT)
        s_say (self, ", reading the input");
    else if (self->tells_sources)
        s_say (self, ", reading node %" PRIu32, source);
    s_say (self, "\n");
}

static void s_say_command (scheduler_fixture_t *self, const dw_command_t *command) {
    static const char *const statuses[] = {"ok", "partial", "failed", "cancelled"};
    static const char *const node_statuses[] = {"done", "failed", "skipped", "cancelled"};
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
            s_say (self, "run %" PRIu32 ": send node %" PRIu32 " to worker %" PRIu32, command->run,
                   command->node, command->worker);
            s_say_task (self, command->steps, command->attempt, command->source);
            break;
        case DW_CANCEL_TASK:
            s_say (self, "worker %" PRIu32 ": cancel ticket %" PRIu64, command->worker,
                   command->ticket);
            if (command->steps > 0)
                s_say (self, " behind %" PRIu32 " steps", command->steps);
            s_say (self, "\n");
            break;
        case DW_KEEP_OUTPUT:
            if (command->steps > 1)
                s_say (self, "run %" PRIu32 ": keep nodes %" PRIu32 " and %" PRIu32 " more\n",
                       command->run, command->node, command->steps - 1);
            else
                s_say (self, "run %" PRIu32 ": keep node %" PRIu32 "\n", command->run,
                       command->node);
            break;
        case DW_KEEP_ERROR:
            s_say (self, "run %" PRIu32 ": node %" PRIu32 " failed with %u\n", command->run,
                   command->node, command->code);
            break;
        case DW_KEEP_DEATH:
            if (self->tells_deaths)
                s_say (self,
                       "run %" PRIu32 ": worker %" PRIu32 " was lost with node %" PRIu32
                       ", attempt %u, mark %" PRIu32 "\n",
                       command->run, command->worker, command->node, command->attempt,
                       command->handle);
            break;
        case DW_DROP_OUTPUT:
            s_say (self, "run %" PRIu32 ": drop node %" PRIu32 "\n", command->run, command->node);
            break;
        case DW_BEGIN_ADDED:
            s_say (self, "run %" PRIu32 ": node %" PRIu32 " is a graph, run in place %" PRIu32 "\n",
                   command->run, command->node, command->place);
            break;
        case DW_END_ADDED:
            s_say (self, "run %" PRIu32 ": node %" PRIu32 "'s graph in place %" PRIu32 " ends %s\n",
                   command->run, command->node, command->place, node_statuses[command->status]);
            break;
        case DW_FINISH_RUN:
            s_say (self, "run %" PRIu32 ": finished %s\n", command->run, statuses[command->status]);
            break;
        case DW_REPLACE_WORKER:
            s_say (self, "replace worker %" PRIu32 ", stuck in node %" PRIu32 "\n", command->worker,
                   command->node);
            break;
    }
}

static void s_say_commands (scheduler_fixture_t *self) {
    for (; self->commands_said < self->commands.count; self->commands_said++)
        s_say_command (self, &self->commands.items[self->commands_said]);
}

void scheduler_fixture_step (scheduler_fixture_t *self, int64_t passed_ns,
                             const dw_event_t *event) {
    self->now_ns += passed_ns;
    self->commands.count = self->commands_said = 0;
    assert_int_equal (
        dw_scheduler_step (self->scheduler, self->now_ns, event, event ? 1 : 0, &self->commands),
        DW_OK);
    s_say_commands (self);
}

typedef struct s_work_t {
    scheduler_fixture_t *fixture;
    fixture_work_t wanted;
    uint32_t tasks, untimed;
} s_work_t;

static void s_look (s_work_t *work) {
    if (work->untimed > 0)
        dw_scheduler_timed (work->fixture->scheduler, work->untimed,
                            work->untimed * work->wanted.took_ns);
    work->untimed = 0;
}

static bool s_run_task (void *arg, dw_own_task_t *task) {
    s_work_t *work = arg;
    bool is_last = ++work->tasks == work->wanted.tasks;
    bool is_cut = is_last && work->wanted.is_cut;
    s_say_commands (work->fixture);
    s_say (work->fixture, "run %" PRIu32 ": own node %" PRIu32, task->run, task->node);
    s_say_task (work->fixture, task->steps, task->attempt, task->source);
    task->done = is_cut ? work->wanted.steps : task->steps;
    task->code = is_cut ? work->wanted.code : 0;
    task->is_skipped = is_cut && work->wanted.is_skipped;
    task->handle = DW_NONE;
    for (uint32_t step = 0; step < task->done + (task->code > 0 || task->is_skipped); step++) {
        work->untimed++;
        if (!work->wanted.looks_once)
            s_look (work);
    }
    return !is_last;
}

void scheduler_fixture_work (scheduler_fixture_t *self, const fixture_work_t *wanted) {
    s_work_t work = {.fixture = self, .wanted = *wanted};
    if (work.wanted.took_ns == 0)
        work.wanted.took_ns = 1000;
    self->commands.count = self->commands_said = 0;
    assert_int_equal (dw_scheduler_work (self->scheduler, s_run_task, &work, &self->commands),
                      DW_OK);
    s_look (&work);
    s_say_commands (self);
}

bool scheduler_fixture_wait (scheduler_fixture_t *self) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
    if (deadline_ns == INT64_MAX)
        return false;
    scheduler_fixture_step (self, deadline_ns - self->now_ns, NULL);
    return true;
}

void scheduler_fixture_expect (scheduler_fixture_t *self, const char *expected) {
    assert_string_equal (self->said, expected);
    self->said[0] = '\0';
}
