/* recorded.h - recordings made for tests: of the simulator's worlds, and what a replay of bytes
 * comes to. */

#ifndef TESTS_RECORDED_H
#define TESTS_RECORDED_H

#include "runtime/recorder.h"
#include "runtime/replay.h"

/* The recording of a world; the caller frees it. What goes into the recorder may be changed on its
 * way: change is called for every event before it is recorded (NULL: as it is), and its answer
 * false leaves the event out. */
typedef struct recorded_change_t {
    bool (*event) (void *arg, dw_event_t *event);
    int64_t (*time) (void *arg, int64_t now_ns);
    void *arg;
} recorded_change_t;
uint8_t *recorded_world (uint64_t seed, const recorded_change_t *change, size_t *size_p);
/* False: it was not written as a whole. */
bool recorded_write (const char *path, const uint8_t *bytes, size_t size);

/* What became of a replay of bytes. */
typedef struct replayed_t {
    int open_err; /* of dw_recording_open or dw_replay_new, else */
    int err;      /* DW_ENOENT: it came to its end */
    uint64_t records, runs;
    uint64_t torn_size, torn_offset;
    bool is_closed;
    uint64_t hash; /* of all that was told */
    char message[256];
} replayed_t;

/* Replays a copy of bytes whole, with watch besides (NULL: nobody). */
replayed_t replayed (const uint8_t *bytes, size_t size);
/* The same, and lets somebody look at the replay before it is over. */
replayed_t replayed_with (const uint8_t *bytes, size_t size,
                          void (*begin) (void *arg, dw_replay_t *replay), const dw_watch_t *watch,
                          void (*end) (void *arg, dw_replay_t *replay), void *arg);

/* Says another version of the format. */
void recorded_set_version (uint8_t *bytes, uint8_t version);

/* Reads a file of at most 1 MiB; the caller frees it. NULL: it cannot be read. */
uint8_t *recorded_file (const char *path, size_t *size_p);

#endif
