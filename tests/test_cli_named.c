/* test_cli_named.c - workers that were given a name by whoever starts them, and start again. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define NAP "processors:\n  - {id: nap, processor: sleep, options: {ms: 300}}\n"

/* What a test starts; what still runs when it fails is killed. */
typedef struct fixture_t {
    command_t coordinator, first, second, submit;
    char endpoint[256];
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static void s_forget (command_t *c) {
    if (c->pid > 0) {
        kill (c->pid, SIGKILL);
        command_end (c);
    }
    command_free (c);
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    s_forget (&f->submit);
    s_forget (&f->first);
    s_forget (&f->second);
    s_forget (&f->coordinator);
    free (f);
    return 0;
}

#define START(self, ...) command_start (self, (const char *const[]){__VA_ARGS__, NULL})
#define WORKER(self, ...) \
    START (self, "worker", "--connect", f->endpoint, "--slots", "1", __VA_ARGS__)

static void s_await_coordinator (fixture_t *f) {
    command_await_output (&f->coordinator, "\n");
    assert_int_equal (sscanf (f->coordinator.out, "listening at %255s", f->endpoint), 1);
}

/* Its silence is long: whatever is noticed here is not noticed by that. */
static void s_coordinate (fixture_t *f) {
    START (&f->coordinator, "coordinator", command_file ("nap.yaml", NAP), "--listen",
           "tcp://127.0.0.1:*", "--silence-ms", "60000");
    s_await_coordinator (f);
}

static void s_expect_end (command_t *c, int status, const char *error) {
    command_end (c);
    command_expect (c, status);
    command_expect_error (c, error);
    command_free (c);
}

/* ---- Promises ----------------------------------------------------------------------------- */

static void the_next_incarnation_puts_the_one_before_out_and_its_task_is_done (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    WORKER (&f->first, "--name", "rank-3");
    command_await_error (&f->first, "working for ");
    START (&f->submit, "submit", "--connect", f->endpoint, "--format", "json");
    kill (f->first.pid, SIGSTOP); /* as one that is cut off, whether it has begun or not */
    WORKER (&f->second, "--name", "rank-3", "--incarnation", "1");
    command_await_error (&f->second, "working for ");
    command_end (&f->submit);
    command_expect (&f->submit, 0);
    kill (f->first.pid, SIGCONT);
    s_expect_end (&f->first, 76, "a later incarnation of this process is here");
}

static void an_incarnation_that_is_not_later_is_refused (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    WORKER (&f->first, "--name", "rank-3", "--incarnation", "7");
    command_await_error (&f->first, "working for ");
    WORKER (&f->second, "--name", "rank-3", "--incarnation", "7");
    s_expect_end (&f->second, 76, "a later incarnation of this process is here");
    WORKER (&f->second, "--name", "rank-3", "--incarnation", "6");
    s_expect_end (&f->second, 76, "a later incarnation of this process is here");
    WORKER (&f->second, "--name", "rank-4");
    command_await_error (&f->second, "working for "); /* another name is another worker */
}

static void status_and_notices_tell_the_name (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f);
    WORKER (&f->first, "--name", "cluster/4711.0.3");
    command_await_error (&f->first, "working for ");
    COMMAND (&c, "status", "--connect", f->endpoint);
    command_expect_output (&c, "\ncluster/4711.0.3@");
    command_free (&c);
    command_signal (&f->first, SIGTERM);
    command_await_error (&f->coordinator, "the worker at cluster/4711.0.3@");
}

/* Makes the key pair FILE, and lists it as that of a worker. */
static const char *s_key (const char *file, const char *public, FILE *allowed) {
    command_t c = {0};
    char key[64];
    const char *path = command_path (file);
    command_path (public); /* it is made, too */
    COMMAND (&c, "keygen", path);
    command_expect (&c, 0);
    const char *line = strstr (c.out, "    worker ");
    assert_non_null (line);
    assert_int_equal (sscanf (line, " worker %63s", key), 1);
    fprintf (allowed, "worker %s %s\n", key, file);
    command_free (&c);
    return path;
}

static void a_name_is_of_no_use_without_its_key (void **state) {
    fixture_t *f = *state;
    FILE *allowed = fopen (command_path ("allowed"), "w");
    assert_non_null (allowed);
    const char *coordinator = s_key ("coordinator.key", "coordinator.key.pub", allowed);
    const char *own = s_key ("own.key", "own.key.pub", allowed);
    const char *others = s_key ("others.key", "others.key.pub", allowed);
    assert_int_equal (fclose (allowed), 0);
    char folder[128], public[160];
    snprintf (folder, sizeof folder, "%.*s", (int) (strrchr (coordinator, '/') - coordinator),
              coordinator);
    snprintf (public, sizeof public, "%s/coordinator.key.pub", folder);
    START (&f->coordinator, "coordinator", command_file ("nap.yaml", NAP), "--listen",
           "tcp://127.0.0.1:*", "--keys", folder);
    s_await_coordinator (f);
    WORKER (&f->first, "--server-key", public, "--key", own, "--name", "n");
    command_await_error (&f->first, "working for ");
    WORKER (&f->second, "--server-key", public, "--key", others, "--name", "n", "--incarnation",
            "9");
    s_expect_end (&f->second, 76, "a worker of this name is here with another key");
}

static void what_is_no_name_is_a_usage_error (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    const char *const names[] = {
        "", "two words", "caf\xc3\xa9",
        "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        WORKER (&f->first, "--name", names[i]);
        s_expect_end (&f->first, 64, "a worker's name has 1 to 64 printable characters");
    }
    WORKER (&f->first, "--incarnation", "1");
    s_expect_end (&f->first, 64, "--incarnation is of no use without --name or --slurm");
}

/* ---- Of Slurm ----------------------------------------------------------------------------- */

static void s_in_slurm (void) {
    setenv ("SLURM_CLUSTER_NAME", "gamma", 1);
    setenv ("SLURM_JOB_ID", "4711", 1);
    setenv ("SLURM_STEP_ID", "0", 1);
    setenv ("SLURM_PROCID", "3", 1);
    setenv ("SLURM_CPUS_PER_TASK", "5", 1);
}

static void s_in_slurm_again (void) {
    s_in_slurm ();
    setenv ("SLURM_RESTART_COUNT", "1", 1);
}

static void s_in_slurm_alone_on_its_node (void) {
    s_in_slurm ();
    unsetenv ("SLURM_CPUS_PER_TASK");
    setenv ("SLURM_CPUS_ON_NODE", "7", 1);
    setenv ("SLURM_STEP_TASKS_PER_NODE", "1(x3)", 1);
}

static void s_in_slurm_with_others_on_its_node (void) {
    s_in_slurm_alone_on_its_node ();
    setenv ("SLURM_STEP_TASKS_PER_NODE", "1,2", 1);
}

static void s_in_slurm_of_a_long_name (void) {
    s_in_slurm ();
    setenv ("SLURM_CLUSTER_NAME", "1234567890123456789012345678901234567890123456789012345678", 1);
}

static void s_in_slurm_without_a_task (void) {
    s_in_slurm ();
    unsetenv ("SLURM_PROCID");
}

static void s_in_slurm_with_nonsense (void) {
    s_in_slurm ();
    setenv ("SLURM_RESTART_COUNT", "-1", 1);
}

static void s_expect_status (fixture_t *f, const char *part) {
    command_t c = {0};
    COMMAND (&c, "status", "--connect", f->endpoint, "--format", "json");
    command_expect_output (&c, part);
    command_free (&c);
}

static void slurm_says_name_incarnation_and_slots (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    f->first.prepare = s_in_slurm;
    START (&f->first, "worker", "--connect", f->endpoint, "--slurm");
    command_await_error (&f->first, "working for ");
    s_expect_status (f, "\"host\": \"gamma/4711.0.3@");
    s_expect_status (f, "\"slots\": 5");
    f->second.prepare = s_in_slurm_again;
    START (&f->second, "worker", "--connect", f->endpoint, "--slurm", "--slots", "2");
    command_await_error (&f->second, "working for ");
    s_expect_end (&f->first, 76, "a later incarnation");
    s_expect_status (f, "\"slots\": 2"); /* what is said in words stands */
}

static void a_name_in_words_keeps_the_incarnation_of_slurm (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    f->first.prepare = s_in_slurm;
    START (&f->first, "worker", "--connect", f->endpoint, "--slurm", "--name", "own");
    command_await_error (&f->first, "working for ");
    f->second.prepare = s_in_slurm_again;
    START (&f->second, "worker", "--connect", f->endpoint, "--slurm", "--name", "own");
    command_await_error (&f->second, "working for ");
    s_expect_end (&f->first, 76, "a later incarnation");
    s_expect_status (f, "\"host\": \"own@");
}

static void an_incarnation_in_words_goes_before_that_of_slurm (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    f->first.prepare = s_in_slurm;
    START (&f->first, "worker", "--connect", f->endpoint, "--slurm", "--incarnation", "7");
    command_await_error (&f->first, "working for ");
    f->second.prepare = s_in_slurm_again;
    START (&f->second, "worker", "--connect", f->endpoint, "--slurm");
    s_expect_end (&f->second, 76, "a later incarnation");
    s_expect_status (f, "\"host\": \"gamma/4711.0.3@");
}

static void a_name_in_words_helps_where_that_of_slurm_is_too_long (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    f->first.prepare = s_in_slurm_of_a_long_name;
    START (&f->first, "worker", "--connect", f->endpoint, "--slurm");
    s_expect_end (&f->first, 64, "SLURM_CLUSTER_NAME is too long for a worker's name: say --name");
    f->second.prepare = s_in_slurm_of_a_long_name;
    START (&f->second, "worker", "--connect", f->endpoint, "--slurm", "--name", "own");
    command_await_error (&f->second, "working for ");
}

static void a_task_that_is_alone_on_its_node_has_its_cpus (void **state) {
    fixture_t *f = *state;
    s_coordinate (f);
    f->first.prepare = s_in_slurm_alone_on_its_node;
    START (&f->first, "worker", "--connect", f->endpoint, "--slurm");
    command_await_error (&f->first, "working for ");
    s_expect_status (f, "\"slots\": 7");
}

static void what_slurm_does_not_say_is_named (void **state) {
    fixture_t *f = *state;
    static const struct {
        void (*prepare) (void);
        const char *said;
    } cases[] = {
        {NULL, "--slurm: SLURM_JOB_ID is not set"},
        {s_in_slurm_without_a_task, "--slurm: SLURM_PROCID is not set"},
        {s_in_slurm_with_others_on_its_node, "--slurm: SLURM_CPUS_PER_TASK is not set"},
        {s_in_slurm_with_nonsense, "--slurm: SLURM_RESTART_COUNT is \"-1\", which is no number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->first.prepare = cases[i].prepare;
        START (&f->first, "worker", "--connect", "tcp://127.0.0.1:1", "--slurm");
        s_expect_end (&f->first, 64, cases[i].said);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (the_next_incarnation_puts_the_one_before_out_and_its_task_is_done),
        TEST (an_incarnation_that_is_not_later_is_refused),
        TEST (status_and_notices_tell_the_name),
        TEST (a_name_is_of_no_use_without_its_key),
        TEST (what_is_no_name_is_a_usage_error),
        TEST (slurm_says_name_incarnation_and_slots),
        TEST (a_name_in_words_keeps_the_incarnation_of_slurm),
        TEST (an_incarnation_in_words_goes_before_that_of_slurm),
        TEST (a_name_in_words_helps_where_that_of_slurm_is_too_long),
        TEST (a_task_that_is_alone_on_its_node_has_its_cpus),
        TEST (what_slurm_does_not_say_is_named),
    };
    return !!cmocka_run_group_tests_name ("named workers", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
