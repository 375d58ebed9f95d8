/* fuzz_recording.c - any bytes as a recording: what is read is replayed as far as it makes sense,
 * and explained.
 *
 * Checks would keep nearly every mutation out, so the same bytes are tried again with all checks
 * made right. */

#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "runtime/recording_format.h"
#include "runtime/why.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void s_expect (bool is_so) {
    if (!is_so)
        abort ();
}

static void s_explain (const dw_why_t *why) {
    int64_t parts[DW_WHY_PARTS] = {0}, sum = 0;
    if (!why->was_submitted || why->no_memory)
        return;
    dw_why_path_parts (why, parts);
    for (int part = 0; part < DW_WHY_PARTS; part++)
        sum += parts[part];
    s_expect (sum == why->ended_ns - why->submitted_ns);
}

static void s_replay (dw_replay_t *replay, uint64_t run, dw_error_t *error) {
    dw_why_t why;
    int err;
    if (dw_why_begin (&why, replay, run))
        return;
    dw_watch_t watch = dw_why_watch (&why);
    while ((err = dw_replay_next (replay, &watch, error)) == DW_OK)
        continue;
    s_expect (err == DW_ENOENT || err == DW_EREFUSED || err == DW_ENOMEM);
    s_expect ((err == DW_ENOENT) == (dw_error_count (error) == 0));
    dw_why_end (&why, dw_replay_moment (replay).time_ns);
    s_explain (&why);
    dw_why_free (&why);
}

static void s_open (const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc (size + 1);
    dw_recording_t *recording = NULL;
    dw_replay_t *replay = NULL;
    dw_error_t *error = dw_error_new ();
    if (!bytes || !error)
        abort ();
    memcpy (bytes, data, size);
    int err = dw_recording_open (&recording, bytes, size, "r", error);
    s_expect ((recording != NULL) == (err == DW_OK));
    if (!err)
        err = dw_replay_new (&replay, recording, error);
    s_expect (err == DW_OK || err == DW_EPROTOCOL || err == DW_ENOMEM);
    s_expect ((dw_error_count (error) > 0) == (err != DW_OK));
    if (!err)
        s_replay (replay, 1 + size % 3, error); /* which run is followed is as good as any */
    dw_replay_destroy (&replay);
    dw_recording_close (&recording);
    dw_error_destroy (&error);
    free (bytes);
}

/* Makes every check right, from the first frame on as far as there are any. */
static void s_repair (uint8_t *bytes, size_t size) {
    uint32_t version = DW_RECORDING_VERSION, marker = DW_FRAME_MARKER, frame_size;
    uint64_t salt, check;
    if (size < DW_RECORDING_PREAMBLE_SIZE)
        return;
    memcpy (bytes, DW_RECORDING_MAGIC, DW_RECORDING_MAGIC_SIZE);
    memcpy (bytes + 8, &version, sizeof version);
    memcpy (&salt, bytes + 16, sizeof salt);
    check = dw_recording_check (0, bytes, 24);
    memcpy (bytes + 24, &check, sizeof check);
    for (size_t at = DW_RECORDING_PREAMBLE_SIZE; size - at > DW_FRAME_HEAD_SIZE;) {
        size_t left = size - at - DW_FRAME_HEAD_SIZE;
        memcpy (&frame_size, bytes + at + 4, sizeof frame_size);
        if (frame_size > left || frame_size > DW_FRAME_BYTES_MAX)
            frame_size = (uint32_t) (left < DW_FRAME_BYTES_MAX ? left : DW_FRAME_BYTES_MAX);
        check = dw_recording_check (dw_recording_seed (salt, at, frame_size),
                                    bytes + at + DW_FRAME_HEAD_SIZE, frame_size);
        memcpy (bytes + at, &marker, sizeof marker);
        memcpy (bytes + at + 4, &frame_size, sizeof frame_size);
        memcpy (bytes + at + 8, &check, sizeof check);
        at += DW_FRAME_HEAD_SIZE + frame_size;
    }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    s_open (data, size);
    uint8_t *bytes = malloc (size + 1);
    if (!bytes)
        return 0;
    memcpy (bytes, data, size);
    s_repair (bytes, size);
    s_open (bytes, size);
    free (bytes);
    return 0;
}
