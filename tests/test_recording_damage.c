/* test_recording_damage.c - a recording that is not as it was written is never taken for what it was:
 * changed bytes, cuts, zeros, frames that were moved; and files of others. */

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

#define SMALL_BYTES 1500 /* all of whose bytes are changed, one by one, within a second */

/* The least recording of some worlds in which something happens. */
static uint8_t *s_small_world (size_t *size_p) {
    uint8_t *least = NULL;
    size_t size;
    *size_p = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        if (size < SMALL_BYTES || (least && size >= *size_p)) {
            free (bytes);
            continue;
        }
        free (least);
        least = bytes;
        *size_p = size;
    }
    return least;
}

/* ---- Damage ----------------------------------------------------------------------------------- */

/* What may be said of bytes that are not as they were written: damage, or a torn tail that begins
 * no later than what was changed. */
static void s_expect_noticed (const uint8_t *bytes, size_t size, size_t changed_at) {
    replayed_t result = replayed (bytes, size);
    if (result.open_err) {
        assert_int_equal (result.open_err, DW_EPROTOCOL);
        assert_true (strlen (result.message) > 0);
        return;
    }
    assert_int_equal (result.err, DW_ENOENT);
    assert_true (result.torn_size > 0);
    assert_true (result.torn_offset <= changed_at);
}

static void a_flipped_byte_is_damage_or_a_torn_tail_and_never_another_story (void **state) {
    size_t size, told = 0;
    uint8_t *bytes = s_small_world (&size);
    random_t random = random_from (3);
    (void) state;
    for (size_t at = 0; at < size; at++) {
        uint8_t was = bytes[at];
        bytes[at] ^= (uint8_t) (1 + random_below (&random, 255));
        s_expect_noticed (bytes, size, at);
        told += replayed (bytes, size).open_err == DW_EPROTOCOL;
        bytes[at] = was;
    }
    assert_true (told > size / 2); /* all but what is in the last frame is damage */
    free (bytes);
}

/* One byte more, or one less. What was a whole tail before may be one of which less is there. */
static void a_byte_that_is_put_in_or_taken_out_is_noticed (void **state) {
    size_t size;
    uint8_t *bytes = s_small_world (&size);
    uint8_t *other = malloc (size + 1);
    random_t random = random_from (4);
    (void) state;
    assert_non_null (other);
    for (size_t at = 0; at < size; at++) {
        memcpy (other, bytes, at);
        memcpy (other + at, bytes + at + 1, size - at - 1);
        if (memcmp (other, bytes, size - 1) != 0) /* else it is cut, which is tried below */
            s_expect_noticed (other, size - 1, at);
        other[at] = (uint8_t) (bytes[at] ^ (1 + random_below (&random, 255)));
        memcpy (other + at + 1, bytes + at, size - at);
        s_expect_noticed (other, size + 1, at);
    }
    free (other);
    free (bytes);
}

/* Bits, bytes, words, of worlds of every kind. */
static void damage_of_any_kind_is_never_another_story (void **state) {
    random_t random = random_from (random_seed ());
    (void) state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size), *other = malloc (size);
        assert_non_null (other);
        for (int round = 0; round < 8; round++) {
            size_t at = random_below (&random, (uint32_t) size), end = at;
            memcpy (other, bytes, size);
            for (size_t count = 1 + random_below (&random, 12); end < size && count > 0; count--)
                other[end++] = (uint8_t) random_below (&random, 256);
            if (memcmp (other, bytes, size) != 0)
                s_expect_noticed (other, size, end - 1);
        }
        free (other);
        free (bytes);
    }
}

static void a_recording_cut_anywhere_is_replayed_up_to_there (void **state) {
    size_t size, replays = 0;
    uint8_t *bytes = s_small_world (&size);
    uint64_t whole = replayed (bytes, size).records, before = 0;
    (void) state;
    for (size_t cut = 0; cut < size; cut++) {
        replayed_t result = replayed (bytes, cut);
        if (result.open_err) {
            assert_int_equal (result.open_err, DW_EPROTOCOL); /* within preamble and header */
            assert_int_equal (replays, 0);
            continue;
        }
        replays++;
        assert_int_equal (result.err, DW_ENOENT);
        assert_false (result.is_closed);
        assert_true (result.records >= before && result.records < whole);
        before = result.records;
    }
    assert_true (replays > 200 && before > 0);
    free (bytes);
}

/* The first frame of a record that has several is whole, and the others are not there. */
static void a_record_of_several_frames_that_is_cut_between_them_is_a_torn_tail (void **state) {
    static const uint8_t graph[] = {0};
    enum { EVENTS = 30000 };
    dw_recording_header_t header = {
        .dagwood = "0", .name = "any", .graph = graph, .graph_size = sizeof graph};
    dw_event_t *events = calloc (EVENTS, sizeof *events);
    dw_commands_t commands = {0};
    dw_recorder_t recorder;
    dw_writer_t out = {0};
    dw_recording_t *recording = NULL;
    dw_record_t *record;
    dw_error_t *error = dw_error_new ();
    random_t random = random_from (5);
    uint64_t torn_offset;
    (void) state;
    assert_non_null (events);
    dw_recorder_begin (&recorder, &header, 7, &out);
    size_t begin = out.count;
    for (int i = 0; i < EVENTS; i++)
        events[i] = (dw_event_t){.type = DW_EVENT_RUN_CANCELLED,
                                 .run = random_below (&random, 1000000)};
    dw_recorder_step (&recorder, 1, events, 1, &commands, 0);
    size_t first_size = dw_recorder_waiting (&recorder);
    dw_recorder_step (&recorder, 2, events, EVENTS, &commands, 0);
    dw_recorder_take (&recorder, &out);
    size_t cut = begin + DW_FRAME_HEAD_SIZE + DW_FRAME_BYTES_MAX;
    assert_true (out.count > cut);
    if (dw_recording_open (&recording, out.bytes, cut, "cut", error))
        fail_msg ("%s", dw_error_text (error));
    assert_int_equal (dw_recording_torn (recording, &torn_offset), DW_FRAME_BYTES_MAX - first_size);
    assert_int_equal (torn_offset, begin + DW_FRAME_HEAD_SIZE + first_size);
    assert_int_equal (dw_recording_next (recording, &record), DW_OK);
    assert_int_equal (record->events_count, 1);
    assert_int_equal (dw_recording_next (recording, &record), DW_ENOENT);
    dw_recording_close (&recording);
    dw_recorder_free (&recorder);
    dw_writer_free (&out);
    dw_error_destroy (&error);
    free (events);
}

typedef struct open_t {
    int err;
    uint64_t torn_size;
} open_t;

/* A recording of no runs whose stream, in frames that are whole, ends with tail. */
static open_t s_open_with (const dw_recording_header_t *header, const void *tail,
                           size_t tail_size) {
    dw_recorder_t recorder;
    dw_writer_t out = {0};
    dw_recording_t *recording = NULL;
    uint64_t offset;
    dw_recorder_begin (&recorder, header, 7, &out);
    uint8_t *room = dw_writer_room (&recorder.stream, tail_size);
    assert_non_null (room);
    memcpy (room, tail, tail_size);
    recorder.stream.count += tail_size;
    dw_recorder_take (&recorder, &out);
    open_t is = {dw_recording_open (&recording, out.bytes, out.count, "any", NULL), 0};
    if (!is.err)
        is.torn_size = dw_recording_torn (recording, &offset);
    dw_recording_close (&recording);
    dw_recorder_free (&recorder);
    dw_writer_free (&out);
    return is;
}

static void nonsense_that_is_whole_is_no_torn_tail (void **state) {
    enum { PLACE = DW_TAG_PLACE, ADDED = DW_TAG_ADDED };
    static const struct {
        uint8_t bytes[12];
        size_t size;
        int err; /* DW_OK: the tail is torn */
    } rows[] = {
        {{PLACE, 0, 0xc0}, 3, DW_EPROTOCOL},
        {{PLACE, 0, 0xc4, 1, 'x'}, 5, DW_EPROTOCOL},
        {{PLACE, 0, 0xda, 0x02, 0x01, 'x'}, 6, DW_EPROTOCOL}, /* 513 bytes are too many */
        {{ADDED, 0xa1, 'x'}, 3, DW_EPROTOCOL},
        {{PLACE}, 1, DW_OK},
        {{PLACE, 0}, 2, DW_OK},
        {{PLACE, 0, 0xa3, 'x'}, 4, DW_OK},
        {{PLACE, 0, 0xda, 0x02}, 4, DW_OK},
        {{ADDED, 0xc4}, 2, DW_OK},
        {{ADDED, 0xc5, 0, 9, 'x'}, 5, DW_OK},
    };
    static const uint8_t graph[] = {0};
    dw_recording_header_t header = {
        .dagwood = "0", .name = "any", .graph = graph, .graph_size = sizeof graph};
    (void) state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        open_t is = s_open_with (&header, rows[row].bytes, rows[row].size);
        if (is.err != rows[row].err || is.torn_size != (is.err ? 0 : rows[row].size))
            fail_msg ("row %zu: %d, %zu bytes are torn", row, is.err, (size_t) is.torn_size);
    }
}

static void names_of_any_length_are_read_again (void **state) {
    static const uint8_t graph[] = {0};
    char name[70001];
    const char *const kinds[] = {name};
    const dw_trait_t traits[] = {{.intent = DW_TRANSFORM}};
    dw_recording_header_t header = {.dagwood = "0",
                                    .name = "any",
                                    .graph = graph,
                                    .graph_size = sizeof graph,
                                    .kinds = kinds,
                                    .traits = traits,
                                    .kinds_count = 1};
    (void) state;
    memset (name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal (s_open_with (&header, "", 0).err, DW_OK);
}

static void zeros_behind_a_cut_are_a_torn_tail (void **state) {
    size_t size;
    uint8_t *bytes = s_small_world (&size);
    (void) state;
    memset (bytes + size - 40, 0, 40); /* as after a loss of power */
    replayed_t result = replayed (bytes, size);
    assert_int_equal (result.open_err, DW_OK);
    assert_int_equal (result.err, DW_ENOENT);
    assert_true (result.torn_size >= 40);
    free (bytes);
}

/* The frames of a recording: where each begins, and behind the last its size. */
typedef struct frames_t {
    size_t at[4096], count;
} frames_t;

static frames_t s_frames_of (const uint8_t *bytes, size_t size) {
    frames_t frames = {0};
    uint32_t frame_size;
    for (size_t at = DW_RECORDING_PREAMBLE_SIZE; at < size; frames.count++) {
        assert_true (frames.count + 1 < sizeof frames.at / sizeof *frames.at);
        frames.at[frames.count] = at;
        memcpy (&frame_size, bytes + at + 4, sizeof frame_size);
        at += DW_FRAME_HEAD_SIZE + frame_size;
        frames.at[frames.count + 1] = at;
    }
    return frames;
}

typedef struct edit_t {
    size_t at, size;          /* of what is taken out there, */
    const uint8_t *put;       /* and what is put in its place */
    size_t put_size, back_at; /* from where on all is as it was written, but moved */
} edit_t;

static edit_t s_random_edit (random_t *random, const uint8_t *bytes, size_t size,
                             const frames_t *frames, uint8_t *room) {
    uint32_t frame = random_below (random, (uint32_t) frames->count);
    const size_t *at = &frames->at[frame];
    edit_t edit = {.at = random_below (random, (uint32_t) size), .put = room};
    switch (random_below (random, 5)) {
        case 0: /* bytes are put in */
            edit.put_size = 1 + random_below (random, random_one_in (random, 2) ? 4 : 3000);
            for (size_t i = 0; i < edit.put_size; i++)
                room[i] = (uint8_t) random_below (random, 256);
            break;
        case 1: /* or taken out, */
            edit.size = 1 + random_below (random, random_one_in (random, 2) ? 4 : 1000);
            edit.size = edit.size < size - edit.at ? edit.size : size - edit.at;
            break;
        case 2: /* a frame left out, */
            edit.at = at[0];
            edit.size = at[1] - at[0];
            break;
        case 3: /* or doubled, */
            edit.at = at[1];
            edit.put = bytes + at[0];
            edit.put_size = at[1] - at[0];
            edit.back_at = at[0]; /* the second is the first, moved */
            return edit;
        default: /* or put behind the next one */
            if (frame + 1 == frames->count)
                break;
            edit.at = at[0];
            edit.size = edit.put_size = at[2] - at[0];
            memcpy (room, bytes + at[1], at[2] - at[1]);
            memcpy (room + (at[2] - at[1]), bytes + at[0], at[1] - at[0]);
            edit.back_at = at[0];
            return edit;
    }
    edit.back_at = edit.at + edit.size;
    return edit;
}

/* What follows is moved, and each frame of it is known for one of this recording all the same. */
static void what_moves_whole_frames_is_damage_and_no_torn_tail (void **state) {
    random_t random = random_from (random_seed ());
    uint32_t damaged = 0, changed = 0;
    (void) state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        size_t size;
        uint8_t *bytes = recorded_world (seed, NULL, &size);
        uint8_t *other = malloc (3 * size + 4000), *room = malloc (size + 4000);
        frames_t frames = s_frames_of (bytes, size);
        assert_non_null (other);
        assert_non_null (room);
        for (int round = 0; round < 20; round++) {
            edit_t edit = s_random_edit (&random, bytes, size, &frames, room);
            size_t behind = edit.at + edit.size, other_size = size - edit.size + edit.put_size;
            memcpy (other, bytes, edit.at);
            memcpy (other + edit.at, edit.put, edit.put_size);
            memcpy (other + edit.at + edit.put_size, bytes + behind, size - behind);
            if (other_size == size && memcmp (other, bytes, size) == 0)
                continue;
            changed++;
            if (edit.back_at > frames.at[frames.count - 1]) {
                replayed_t cut = replayed (other,
                                           other_size); /* within the last one, or behind it */
                assert_true (cut.open_err == DW_EPROTOCOL || !cut.is_closed || cut.torn_size > 0);
                continue;
            }
            replayed_t result = replayed (other, other_size);
            if (result.open_err != DW_EPROTOCOL)
                fail_msg ("world %llu, %zu bytes taken out at %zu and %zu put in: not refused",
                          (unsigned long long) seed, edit.size, edit.at, edit.put_size);
            damaged++;
        }
        free (room);
        free (other);
        free (bytes);
    }
    assert_true (damaged > 500 && damaged < changed);
}

/* The seed comes back of any bytes, of whichever length. */
static void a_check_goes_backwards_too (void **state) {
    random_t random = random_from (random_seed ());
    uint8_t bytes[80];
    (void) state;
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint64_t seed = random_next (&random);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t) random_below (&random, 256);
        uint64_t check = dw_recording_check (seed, bytes, size);
        assert_true (dw_recording_uncheck (check, bytes, size) == seed);
    }
}

static void a_foreign_file_and_a_later_version_are_named (void **state) {
    size_t size;
    uint8_t *bytes = recorded_world (1, NULL, &size);
    (void) state;
    replayed_t foreign = replayed ((const uint8_t *) "processors: []\n", 15);
    assert_int_equal (foreign.open_err, DW_EPROTOCOL);
    assert_non_null (strstr (foreign.message, "no recording of dagwood"));
    assert_int_equal (replayed (bytes, 0).open_err, DW_EPROTOCOL);
    recorded_set_version (bytes, DW_RECORDING_VERSION + 1);
    replayed_t later = replayed (bytes, size);
    assert_int_equal (later.open_err, DW_EPROTOCOL);
    assert_non_null (strstr (later.message, "version 3 (byte 8)"));
    free (bytes);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_flipped_byte_is_damage_or_a_torn_tail_and_never_another_story),
        cmocka_unit_test (a_byte_that_is_put_in_or_taken_out_is_noticed),
        cmocka_unit_test (damage_of_any_kind_is_never_another_story),
        cmocka_unit_test (a_recording_cut_anywhere_is_replayed_up_to_there),
        cmocka_unit_test (a_record_of_several_frames_that_is_cut_between_them_is_a_torn_tail),
        cmocka_unit_test (nonsense_that_is_whole_is_no_torn_tail),
        cmocka_unit_test (names_of_any_length_are_read_again),
        cmocka_unit_test (zeros_behind_a_cut_are_a_torn_tail),
        cmocka_unit_test (what_moves_whole_frames_is_damage_and_no_torn_tail),
        cmocka_unit_test (a_check_goes_backwards_too),
        cmocka_unit_test (a_foreign_file_and_a_later_version_are_named),
    };
    return !!cmocka_run_group_tests_name ("damaged recordings", tests, NULL, NULL);
}
