/* test_recording_kept.c - recordings of every version of the format, which are kept with the
 * sources, are still replayed.
 *
 * tests/data/recordings/make writes those of the present one. */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dagwood.h"
#include "runtime/recording_format.h"
#include "tests/support/recorded.h"

#define KEPT_FOLDER DAGWOOD_SOURCE_DIR "/tests/data/recordings"

typedef struct s_seen_t {
    uint64_t events[DW_EVENT_TYPES], own;
} s_seen_t;

static void s_see_event (void *arg, const dw_moment_t *moment, const dw_event_t *event,
                         uint64_t run, const dw_sent_t *sent) {
    s_seen_t *seen = arg;
    (void) moment;
    (void) run;
    (void) sent;
    seen->events[event->type]++;
}

static void s_see_own (void *arg, const dw_moment_t *moment, const dw_own_task_t *task,
                       uint64_t run, int64_t end_ns) {
    s_seen_t *seen = arg;
    (void) moment;
    (void) task;
    (void) run;
    (void) end_ns;
    seen->own++;
}

/* Of each version of the format; tests/data/recordings/make writes those of the present one. Every
 * event there is is in one of them. */
static void recordings_of_every_version_are_still_replayed (void **state) {
    unsigned kept = 0;
    s_seen_t seen = {0};
    dw_watch_t watch = {.event = s_see_event, .own = s_see_own, .arg = &seen};
    DIR *folder = opendir (KEPT_FOLDER);
    (void) state;
    assert_non_null (folder);
    for (const struct dirent *entry; (entry = readdir (folder));) {
        char path[1024];
        size_t size;
        if (!strstr (entry->d_name, ".rec"))
            continue;
        snprintf (path, sizeof path, KEPT_FOLDER "/%s", entry->d_name);
        uint8_t *bytes = recorded_file (path, &size);
        assert_non_null (bytes);
        replayed_t result = replayed_with (bytes, size, NULL, &watch, NULL, NULL);
        if (result.open_err || result.err != DW_ENOENT)
            fail_msg (
                "%s: %s: where the scheduler was meant to decide otherwise, make the recordings anew",
                path, result.message);
        assert_true (result.is_closed && result.runs > 0);
        free (bytes);
        kept++;
    }
    closedir (folder);
    assert_true (kept >= 5 && seen.own > 0);
    for (int type = 0; type < DW_EVENT_TYPES; type++)
        if (seen.events[type] == 0)
            fail_msg ("no recording that is kept has an event of type %d: make one", type);
}

/* What was added came first in its run then, and now comes at the place of the node that added
 * it. */
static void a_recording_of_version_1_is_replayed_in_the_order_of_its_time (void **state) {
    size_t size;
    uint8_t *bytes = recorded_file (KEPT_FOLDER "/v1-order-pool.rec", &size);
    (void) state;
    assert_non_null (bytes);
    assert_int_equal (replayed (bytes, size).err, DW_ENOENT);
    recorded_set_version (bytes, 2);
    replayed_t result = replayed (bytes, size);
    assert_int_equal (result.err, DW_EREFUSED);
    assert_non_null (strstr (result.message, "decides otherwise"));
    free (bytes);
}

/* Small worlds of the simulator, until every event there is has been in one. */
static int s_write_kept (const char *folder) {
    int failed = 0;
    s_seen_t seen = {0};
    for (uint64_t seed = 1; seed <= 400; seed++) {
        char path[1024];
        size_t size;
        s_seen_t here = {0};
        dw_watch_t watch = {.event = s_see_event, .arg = &here};
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        bool has_more = false;
        if (size < 4000)
            replayed_with (bytes, size, NULL, &watch, NULL, NULL);
        for (int type = 0; type < DW_EVENT_TYPES; type++) {
            has_more |= here.events[type] > 0 && seen.events[type] == 0;
            seen.events[type] += here.events[type];
        }
        snprintf (path, sizeof path, "%s/v%u-world-%llu.rec", folder, DW_RECORDING_VERSION,
                  (unsigned long long) seed);
        failed |= has_more && !recorded_write (path, bytes, size);
        free (bytes);
    }
    return failed;
}

int main (int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (recordings_of_every_version_are_still_replayed),
        cmocka_unit_test (a_recording_of_version_1_is_replayed_in_the_order_of_its_time),
    };
    if (argc == 3 && strcmp (argv[1], "--write") == 0) /* of tests/data/recordings/make */
        return s_write_kept (argv[2]);
    return !!cmocka_run_group_tests_name ("recordings that are kept", tests, NULL, NULL);
}
