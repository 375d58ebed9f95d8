/* test_recording.c - what is recorded of a scheduler replays to the same commands, whatever went
 * on; what is well-formed and not what was is noticed. The worlds are the simulator's: failures,
 * retries, timeouts, lost and stuck workers, forged answers, cancelled runs, own work. */

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
#include "tests/support/random.h"
#include "tests/support/recorded.h"

#define WORLDS 150

/* ---- The same commands ------------------------------------------------------------------------ */

static void worlds_full_of_faults_replay_to_the_same_commands (void **state) {
    uint64_t first = random_seed (), runs = 0, records = 0;
    (void) state;
    for (uint64_t seed = first; seed < first + WORLDS; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        replayed_t result = replayed (bytes, size);
        if (result.open_err || result.err != DW_ENOENT)
            fail_msg ("world %llu: %s", (unsigned long long) seed, result.message);
        assert_true (result.is_closed);
        assert_int_equal (result.torn_size, 0);
        runs += result.runs;
        records += result.records;
        free (bytes);
    }
    assert_true (runs > 2 * WORLDS && records > 20 * WORLDS); /* there was something to replay */
}

static int64_t s_note_time (void *arg, int64_t now_ns) {
    uint64_t *hash = arg;
    *hash = (*hash ^ (uint64_t) now_ns) * UINT64_C (0x100000001b3);
    return now_ns;
}

static void s_hear_time (void *arg, const dw_moment_t *moment, const dw_record_t *record) {
    (void) moment;
    if (record->type == DW_RECORD_STEP || record->type == DW_RECORD_WORK)
        s_note_time (arg, record->time_ns);
}

static void every_step_and_stretch_of_work_is_told_at_its_time (void **state) {
    (void) state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        size_t size;
        uint64_t written = 0, told = 0;
        recorded_change_t change = {.time = s_note_time, .arg = &written};
        dw_watch_t watch = {.over = s_hear_time, .arg = &told};
        uint8_t *bytes = recorded_world (seed, &change, &size);
        replayed_t result = replayed_with (bytes, size, NULL, &watch, NULL, NULL);
        assert_int_equal (result.err, DW_ENOENT);
        assert_true (written == told);
        free (bytes);
    }
}

/* ---- Any events ------------------------------------------------------------------------------- */

#define EVENTS_MAX 40

static const uint8_t s_graph[] = "some graph";
static const dw_added_t s_added = {.bytes = s_graph, .bytes_size = sizeof s_graph};

/* An event with numbers that no scheduler could make sense of. */
static dw_event_t s_random_event (random_t *random) {
    static const uint32_t outputs[] = {3, 0, 70000};
    dw_event_t event = {.type = (uint8_t) random_below (random, DW_EVENT_TYPES)};
    for (int k = 0; k < DW_EVENT_FIELDS_MAX; k++) {
        dw_recording_field_t field = dw_recording_fields[event.type][k];
        uint64_t value = random_one_in (random, 3)
                             ? random_next (random) >> random_below (random, 64)
                             : random_below (random, 4);
        if (field.form == DW_FIELD_LIST)
            event.outputs_count = random_below (random, 4);
        else if (field.form == DW_FIELD_BOOL)
            dw_recording_set (&event, field, value & 1);
        else if (field.form != DW_FIELD_NONE)
            dw_recording_set (&event, field, value); /* cut to its size */
    }
    if (event.outputs_count > 0 && event.type == DW_EVENT_RUN_SUBMITTED)
        event.outputs = outputs;
    if (event.type == DW_EVENT_TASK_ADDED)
        event.added = &s_added;
    return event;
}

/* Events of one step, among them rows of answers each as foretold by the one before. */
static size_t s_random_events (random_t *random, dw_event_t *events) {
    size_t count = 1 + random_below (random, EVENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        const dw_event_t *before = i ? &events[i - 1] : NULL;
        if (before && before->type == DW_EVENT_TASK_DONE && !random_one_in (random, 5)) {
            events[i] = *before;
            events[i].ticket++;
            events[i].handle += before->steps;
        } else
            events[i] = s_random_event (random);
        if (events[i].type == DW_EVENT_TASK_DONE && random_one_in (random, 2)) {
            events[i].last = true;
            events[i].step = 0;
        }
    }
    return count;
}

static void s_expect_same_event (const dw_event_t *is, const dw_event_t *was) {
    assert_int_equal (is->type, was->type);
    for (int k = 0; k < DW_EVENT_FIELDS_MAX; k++) {
        dw_recording_field_t field = dw_recording_fields[was->type][k];
        if (field.form == DW_FIELD_LIST) {
            assert_int_equal (is->outputs_count, was->outputs_count);
            for (uint32_t i = 0; i < was->outputs_count; i++)
                assert_int_equal (is->outputs[i], was->outputs[i]);
        } else
            assert_true (dw_recording_get (is, field) == dw_recording_get (was, field));
    }
}

static void whatever_events_are_written_the_same_are_read (void **state) {
    random_t random = random_from (random_seed ());
    (void) state;
    for (int round = 0; round < 300; round++) {
        static const uint8_t graph[] = {0};
        dw_recording_header_t header = {
            .dagwood = "0", .name = "any", .graph = graph, .graph_size = sizeof graph};
        dw_event_t events[4][EVENTS_MAX];
        size_t counts[4];
        dw_commands_t commands = {0};
        dw_recorder_t recorder;
        dw_writer_t out = {0};
        dw_recording_t *recording = NULL;
        dw_record_t *record;
        dw_error_t *error = dw_error_new ();
        dw_recorder_begin (&recorder, &header, 7, &out);
        for (int step = 0; step < 4; step++) {
            counts[step] = s_random_events (&random, events[step]);
            dw_recorder_step (&recorder, step, events[step], counts[step], &commands, 0);
        }
        dw_recorder_take (&recorder, &out);
        if (dw_recording_open (&recording, out.bytes, out.count, "any", error))
            fail_msg ("%s", dw_error_text (error));
        for (int step = 0; step < 4; step++) {
            size_t added = 0;
            for (size_t i = 0; i < counts[step]; i++)
                added += events[step][i].type == DW_EVENT_TASK_ADDED;
            for (; added > 0; added--) { /* what a step adds comes before it */
                assert_int_equal (dw_recording_next (recording, &record), DW_OK);
                assert_int_equal (record->type, DW_RECORD_ADDED);
                assert_int_equal (record->bytes_size, sizeof s_graph);
                assert_memory_equal (record->bytes, s_graph, sizeof s_graph);
            }
            assert_int_equal (dw_recording_next (recording, &record), DW_OK);
            assert_int_equal (record->events_count, counts[step]);
            for (size_t i = 0; i < counts[step]; i++)
                s_expect_same_event (&record->events[i], &events[step][i]);
        }
        assert_int_equal (dw_recording_next (recording, &record), DW_ENOENT);
        dw_recording_close (&recording);
        dw_recorder_free (&recorder);
        dw_writer_free (&out);
        dw_error_destroy (&error);
    }
}

static void a_replay_is_the_same_each_time (void **state) {
    size_t size;
    uint8_t *bytes = recorded_world (5, NULL, &size);
    (void) state;
    assert_int_equal (replayed (bytes, size).hash, replayed (bytes, size).hash);
    free (bytes);
}

static void an_event_takes_few_bytes (void **state) {
    (void) state;
    uint64_t all = 0, records = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        records += replayed (bytes, size).records;
        all += size;
        free (bytes);
    }
    assert_true (all < 60 * records); /* headers, frames and all */
}

/* ---- Lies: well-formed, and not what was ------------------------------------------------------- */

typedef struct lie_t {
    uint64_t left; /* events until the one that is meant */
    dw_event_type_t type;
    bool was_told;
} lie_t;

static bool s_leave_out (void *arg, dw_event_t *event) {
    lie_t *lie = arg;
    if (lie->was_told || event->type != lie->type || lie->left-- > 0)
        return true;
    lie->was_told = true;
    return false;
}

static void an_event_that_is_left_out_is_noticed (void **state) {
    static const dw_event_type_t types[] = {DW_EVENT_RUN_SUBMITTED, DW_EVENT_WORKER_JOINED,
                                            DW_EVENT_TASK_DONE};
    uint64_t told[3] = {0}, noticed[3] = {0};
    (void) state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        size_t size;
        lie_t lie = {.type = types[seed % 3]};
        recorded_change_t change = {.event = s_leave_out, .arg = &lie};
        uint8_t *bytes = recorded_world (seed, &change, &size);
        replayed_t result = replayed (bytes, size);
        told[seed % 3] += lie.was_told;
        noticed[seed % 3] += lie.was_told && result.err == DW_EREFUSED;
        assert_true (lie.was_told || result.err == DW_ENOENT);
        free (bytes);
    }
    assert_true (told[0] > 40 && noticed[0] == told[0]);
    /* A worker that is left out where others do all there is to do, or an answer that was forged or
     * came too late, decides nothing. */
    for (int type = 1; type < 3; type++)
        assert_true (told[type] > 40 && noticed[type] * 10 > told[type] * 6);
}

static int64_t s_hurry (void *arg, int64_t now_ns) {
    (void) arg;
    return now_ns / 2;
}

static void times_that_are_changed_are_noticed_where_they_decide (void **state) {
    uint64_t noticed = 0, worlds = 150;
    recorded_change_t change = {.time = s_hurry};
    (void) state;
    for (uint64_t seed = 1; seed <= worlds; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, &change, &size);
        replayed_t result = replayed (bytes, size);
        assert_true (result.err == DW_EREFUSED || result.err == DW_ENOENT);
        if (result.err == DW_EREFUSED) {
            noticed++;
            assert_non_null (strstr (result.message, "at byte"));
        }
        free (bytes);
    }
    /* A third at least, how many depends on which worlds are drawn: the others have no timeouts,
     * retries or late workers. */
    assert_true (noticed * 3 > worlds);
}

static bool s_nonsense (void *arg, dw_event_t *event) {
    random_t *random = arg;
    bool is_answer = event->type == DW_EVENT_TASK_DONE,
         joins = event->type == DW_EVENT_WORKER_JOINED;
    switch (random_below (random, 40)) {
        case 0: event->worker = random_below (random, 1u << 18); break;
        case 1: event->run = random_below (random, random_one_in (random, 4) ? 1u << 21 : 4); break;
        case 2: event->steps = is_answer ? (uint32_t) random_integer (random) : event->steps; break;
        case 3: event->ticket = random_integer (random); break;
        case 4: event->step = random_below (random, 3); break;
        case 5: event->lane = joins ? random_below (random, 30) : event->lane; break;
        case 6: event->local = !event->local; break;
        case 7: event->last = !event->last; break;
        default: break;
    }
    return true;
}

static void nonsense_is_refused_and_never_reaches_an_assertion (void **state) {
    random_t random = random_from (random_seed ());
    recorded_change_t change = {.event = s_nonsense, .arg = &random};
    uint64_t refused = 0;
    (void) state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, &change, &size);
        replayed_t result = replayed (bytes, size);
        assert_int_equal (result.open_err, DW_OK);
        assert_true (result.err == DW_EREFUSED || result.err == DW_ENOENT ||
                     result.err == DW_ENOMEM);
        refused += result.err == DW_EREFUSED;
        free (bytes);
    }
    assert_true (refused > 100);
}

static int s_write_seeds (const char *folder) {
    int failed = 0;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        char path[1024];
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        snprintf (path, sizeof path, "%s/world-%llu", folder, (unsigned long long) seed);
        failed |= size < 6000 && !recorded_write (path, bytes, size);
        free (bytes);
    }
    return failed;
}

int main (int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (worlds_full_of_faults_replay_to_the_same_commands),
        cmocka_unit_test (every_step_and_stretch_of_work_is_told_at_its_time),
        cmocka_unit_test (whatever_events_are_written_the_same_are_read),
        cmocka_unit_test (a_replay_is_the_same_each_time),
        cmocka_unit_test (an_event_takes_few_bytes),
        cmocka_unit_test (an_event_that_is_left_out_is_noticed),
        cmocka_unit_test (times_that_are_changed_are_noticed_where_they_decide),
        cmocka_unit_test (nonsense_is_refused_and_never_reaches_an_assertion),
    };
    if (argc == 3 && strcmp (argv[1], "--seeds") == 0) /* of the fuzz target, into a folder */
        return s_write_seeds (argv[2]);
    return !!cmocka_run_group_tests_name ("recording", tests, NULL, NULL);
}
