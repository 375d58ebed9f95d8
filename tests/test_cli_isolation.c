/* test_cli_isolation.c - `--isolation process' as a user meets it: children that are killed, a
 * parent that is, and what stays of them; and what is said of runs that nobody serves. */

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/process.h"

#define LICENCE  "/usr/share/common-licenses/GPL-3"
#define LOOPBACK "tcp://127.0.0.1:*"
#define NAP(ms)                                \
    "executor_options: {max_concurrency: 2}\n" \
    "processors:\n"                            \
    "  - {id: nap, processor: sleep, options: {ms: " ms "}}\n"

typedef struct fixture_t {
    command_t run, coordinator, worker;
    char endpoint[COMMAND_ENDPOINT_SIZE];
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->run);
    command_forget (&f->worker);
    command_forget (&f->coordinator);
    free (f);
    return 0;
}

/* ---- Children --------------------------------------------------------------------------------- */

static pid_t s_parent_of (pid_t pid) {
    char path[64], text[512] = "";
    snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (path, "r");
    if (!file)
        return 0;
    size_t size = fread (text, 1, sizeof text - 1, file);
    fclose (file);
    text[size] = '\0';
    const char *behind = strrchr (text, ')'); /* of the name; then come the state and the parent */
    return behind && behind[2] != 'Z' ? (pid_t) atoi (behind + 4) : 0;
}

/* The living children of a process, at most max; returns how many. */
static size_t s_children_of (pid_t parent, pid_t *pids, size_t max) {
    size_t count = 0;
    DIR *folder = opendir ("/proc");
    assert_non_null (folder);
    for (const struct dirent *entry; (entry = readdir (folder)) && count < max;) {
        pid_t pid = (pid_t) atoi (entry->d_name);
        if (pid > 0 && s_parent_of (pid) == parent)
            pids[count++] = pid;
    }
    closedir (folder);
    return count;
}

static void s_await_children (pid_t parent, pid_t *pids, size_t count) {
    for (int i = 0; i < 1000; i++) {
        if (s_children_of (parent, pids, count + 1) == count)
            return;
        sleep_ms (10);
    }
    fail_msg ("process %d has not %zu children", (int) parent, count);
}

static void s_expect_gone (const pid_t *pids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (int looks = 0; s_parent_of (pids[i]) != 0; looks++) {
            if (looks == 500)
                fail_msg ("process %d is still there", (int) pids[i]);
            sleep_ms (10);
        }
    }
}

/* How many folders there are for endpoints of isolated runs. */
static unsigned s_folders_count (void) {
    unsigned count = 0;
    DIR *folder = opendir (command_path ("."));
    assert_non_null (folder);
    for (const struct dirent *entry; (entry = readdir (folder));)
        count += strncmp (entry->d_name, "dagwood-", strlen ("dagwood-")) == 0;
    closedir (folder);
    return count;
}

static void s_use_own_folder (void) {
    setenv ("TMPDIR", command_path ("."), 1);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

/* Takes out of a result what may differ between two runs. */
static void s_mask (char *json) {
    for (char *at = json; (at = strstr (at, "\"duration_us\": "));) {
        at += strlen ("\"duration_us\": ");
        size_t digits = strspn (at, "0123456789");
        memmove (at, at + digits, strlen (at + digits) + 1);
    }
}

static void an_isolated_run_gives_what_any_run_gives (void **state) {
    (void) state;
    static const char *const graphs[] = {"examples/text_pipeline.yaml", "examples/failures.yaml"};
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        char file[512];
        snprintf (file, sizeof file, "%s/%s", DAGWOOD_SOURCE_DIR, graphs[i]);
        if (access (file, R_OK))
            continue;
        command_t one = {0}, other = {.prepare = s_use_own_folder};
        COMMAND (&one, "run", file, "--input-file", LICENCE, "--format", "json",
                 "--failure-strategy", "continue_on_error");
        COMMAND (&other, "run", file, "--input-file", LICENCE, "--format", "json",
                 "--failure-strategy", "continue_on_error", "--isolation", "process");
        assert_int_equal (one.status, other.status);
        s_mask (one.out);
        s_mask (other.out);
        assert_string_equal (one.out, other.out);
        command_free (&one);
        command_free (&other);
    }
    assert_int_equal (s_folders_count (), 0);
}

static void a_child_that_is_killed_costs_an_attempt (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    const char *file = command_file ("nap.yaml", NAP ("800"));
    f->run.prepare = s_use_own_folder;
    START (&f->run, "run", file, "--isolation", "process", "--max-concurrency", "1", "--format",
           "json");
    s_await_children (f->run.pid, pids, 1);
    sleep_ms (300);
    kill (pids[0], SIGKILL);
    command_end (&f->run);
    command_expect (&f->run, 0);
    command_expect_output (&f->run, "\"attempts\": 2");
    command_expect_error (&f->run, ", killed by SIGKILL, in node \"nap\"");
    s_expect_gone (pids, 1);
    assert_int_equal (s_folders_count (), 0);
}

static void three_that_are_killed_are_all_named (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    const char *file = command_file ("long.yaml", NAP ("20000"));
    f->run.prepare = s_use_own_folder;
    START (&f->run, "run", file, "--isolation", "process", "--max-concurrency", "1");
    for (int i = 0; i < 3; i++) {
        s_await_children (f->run.pid, pids, 1);
        sleep_ms (300);
        kill (pids[0], SIGKILL);
        s_expect_gone (pids, 1);
    }
    command_end (&f->run);
    command_expect (&f->run, 1);
    command_expect_output (&f->run,
                           "nap failed after 3 attempts with 503: three workers went down");
    command_expect_output (&f->run, "\n     attempt 1: slot 1 of process ");
    command_expect_output (&f->run, "\n     attempt 3: slot 1 of process ");
    command_expect_output (&f->run, ", killed by SIGKILL\n");
    assert_int_equal (s_folders_count (), 0);
}

static void an_interrupted_run_ends_its_children (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    const char *file = command_file ("long.yaml", NAP ("20000"));
    f->run.prepare = s_use_own_folder;
    START (&f->run, "run", file, "--isolation", "process", "--max-concurrency", "1");
    s_await_children (f->run.pid, pids, 1);
    sleep_ms (300);
    command_signal (&f->run, SIGINT);
    command_end (&f->run);
    command_expect (&f->run, 130);
    s_expect_gone (pids, 1);
    assert_int_equal (s_folders_count (), 0);
}

static void no_child_outlives_a_parent_that_is_killed (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    const char *file = command_file ("long.yaml", NAP ("20000"));
    f->run.prepare = s_use_own_folder;
    START (&f->run, "run", file, "--isolation", "process", "--repeat", "2");
    s_await_children (f->run.pid, pids, 2);
    sleep_ms (300); /* one is in its processor */
    command_signal (&f->run, SIGKILL);
    command_end (&f->run);
    s_expect_gone (pids, 2);
    char remove[256]; /* what it could not */
    snprintf (remove, sizeof remove, "rm -r %s/dagwood-*", command_path ("."));
    assert_int_equal (system (remove), 0);
}

static void words_that_do_not_go_with_isolation_are_refused (void **state) {
    (void) state;
    command_t c = {0};
    const char *file = command_file ("nap.yaml", NAP ("800"));
    COMMAND (&c, "run", file, "--isolation", "process", "--listen", LOOPBACK);
    command_expect (&c, 64);
    command_expect_error (&c, "say --isolation process to the workers");
    command_free (&c);
    COMMAND (&c, "run", file, "--isolation", "proces");
    command_expect (&c, 64);
    command_expect_error (&c, "did you mean process?");
    command_free (&c);
    COMMAND (&c, "slot");
    command_expect (&c, 64);
    command_expect_error (&c, "such a process is started by an agent");
    command_free (&c);
    COMMAND (&c, "--help");
    assert_null (strstr (c.out, "  slot"));
    command_free (&c);
}

/* ---- Workers ---------------------------------------------------------------------------------- */

static void s_coordinate_at (fixture_t *f, const char *file, const char *endpoint) {
    START (&f->coordinator, "coordinator", file, "--listen", endpoint, "--stalled-seconds", "0.3");
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}

static void s_coordinate (fixture_t *f, const char *file) {
    s_coordinate_at (f, file, LOOPBACK);
}

static void s_work (fixture_t *f) {
    START (&f->worker, "worker", "--connect", f->endpoint, "--slots", "2", "--isolation",
           "process");
    command_await_error (&f->worker, "working for ");
}

static void a_worker_whose_children_are_killed_goes_on (void **state) {
    fixture_t *f = *state;
    pid_t pids[4], after[4];
    command_t c = {0};
    s_coordinate (f, command_file ("nap.yaml", NAP ("800")));
    s_work (f);
    s_await_children (f->worker.pid, pids, 2);
    START (&f->run, "submit", "--connect", f->endpoint);
    sleep_ms (300);
    kill (pids[0], SIGKILL);
    kill (pids[1], SIGKILL);
    command_end (&f->run);
    command_expect (&f->run, 0);
    s_await_children (f->worker.pid, after, 2);
    command_await_error (&f->coordinator, ", killed by SIGKILL");
    COMMAND (&c, "submit", "--connect", f->endpoint);
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
    s_expect_gone (after, 2);
}

static void a_worker_whose_slots_are_all_down_says_so_and_nothing_else (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    s_coordinate (f, command_file ("nap.yaml", NAP ("10")));
    START (&f->worker, "worker", "--connect", f->endpoint, "--slots", "1", "--isolation",
           "process");
    command_await_error (&f->worker, "working for ");
    for (int i = 0; i < 6; i++) { /* once more than it is started again */
        s_await_children (f->worker.pid, pids, 1);
        kill (pids[0], SIGKILL);
        s_expect_gone (pids, 1);
    }
    command_end (&f->worker);
    command_expect (&f->worker, 78);
    command_expect_error (&f->worker, "every slot is down: this worker ends\n");
    assert_null (strstr (f->worker.err, "cannot start"));
}

static void a_worker_that_is_killed_leaves_no_children (void **state) {
    fixture_t *f = *state;
    pid_t pids[4];
    s_coordinate (f, command_file ("nap.yaml", NAP ("20000")));
    s_work (f);
    s_await_children (f->worker.pid, pids, 2);
    START (&f->run, "submit", "--connect", f->endpoint);
    sleep_ms (300);
    command_signal (&f->worker, SIGKILL);
    command_end (&f->worker);
    s_expect_gone (pids, 2);
    command_signal (&f->run, SIGTERM);
    command_end (&f->run);
}

static void a_coordinator_that_was_killed_finds_other_children_of_its_worker (void **state) {
    fixture_t *f = *state;
    pid_t before[4], after[4];
    char endpoint[COMMAND_ENDPOINT_SIZE];
    command_t c = {0};
    const char *file = command_file ("nap.yaml", NAP ("10"));
    snprintf (endpoint, sizeof endpoint, "ipc://%s", command_path ("coordinator.sock"));
    s_coordinate_at (f, file, endpoint);
    s_work (f);
    s_await_children (f->worker.pid, before, 2);
    command_signal (&f->coordinator, SIGKILL);
    command_end (&f->coordinator);
    command_free (&f->coordinator);
    s_expect_gone (before, 2);
    s_coordinate_at (f, file, endpoint);
    command_await_error (&f->worker, "the coordinator is there again");
    s_await_children (f->worker.pid, after, 2);
    COMMAND (&c, "submit", "--connect", endpoint);
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    command_end (&f->coordinator);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
    s_expect_gone (after, 2);
}

static void who_waits_for_a_worker_is_told (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f, command_file ("nap.yaml", NAP ("10")));
    START (&f->run, "submit", "--connect", f->endpoint);
    command_await_error (&f->run, "run 1 is stalled: no worker serves node \"nap\" for 0 s");
    command_await_error (&f->coordinator, "stalled: no worker serves node \"nap\"");
    COMMAND (&c, "status", "--connect", f->endpoint);
    command_expect_output (&c, "trouble: a run is stalled: no worker serves node \"nap\" for ");
    command_free (&c);
    COMMAND (&c, "status", "--connect", f->endpoint, "--format", "json");
    command_expect_output (&c, "\"runs_stalled\": 1");
    command_expect_output (&c, "\"troubles\": [\"a run is stalled");
    command_free (&c);
    s_work (f);
    command_end (&f->run);
    command_expect (&f->run, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (an_isolated_run_gives_what_any_run_gives),
        TEST (a_child_that_is_killed_costs_an_attempt),
        TEST (three_that_are_killed_are_all_named),
        TEST (an_interrupted_run_ends_its_children),
        TEST (no_child_outlives_a_parent_that_is_killed),
        TEST (words_that_do_not_go_with_isolation_are_refused),
        TEST (a_worker_whose_children_are_killed_goes_on),
        TEST (a_worker_whose_slots_are_all_down_says_so_and_nothing_else),
        TEST (a_worker_that_is_killed_leaves_no_children),
        TEST (a_coordinator_that_was_killed_finds_other_children_of_its_worker),
        TEST (who_waits_for_a_worker_is_told),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
