/* strangers.c - those who connect and are no use: silent, talking garbage, announcing what they
 * never send, never coming to an end, without a key; and a machine that is busy. The honest are
 * served all the while, and what strangers cost is given back when they are gone.
 *
 * The coordinator is a process of its own here, so that its memory and its descriptors are. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "tests/chaos/crowd.h"
#include "tests/chaos/field.h"
#include "tests/chaos/secrets.h"

#define HEARTBEAT_MS 500
#define SILENCE_MS   2000
#define SERVED_MS    3000 /* the longest that the honest wait for the next result */
#define FILES        256u /* of the coordinator */
#define SILENT       400u
#define BUSY         96u
#define BACK_MS      5000 /* after the strangers have gone: until all is given back */
#define BACK_KIB     (16u << 10)
#define BACK_FILES   8u

/* ---- The honest ------------------------------------------------------------------------------- */

static field_t *s_begin (chaos_t *chaos, bool has_keys) {
    field_t *self = field_new (chaos);
    self->is_apart = true;
    self->workers_count = 3;
    self->options.system.heartbeat_ms = HEARTBEAT_MS;
    self->options.system.silence_ms = SILENCE_MS;
    self->load.runs_max = UINT64_MAX;
    self->load.in_flight_max = 4;
    if (has_keys) {
        chaos_check (chaos, secrets_make (chaos->folder), "there are no keys");
        self->options.system.keys = chaos->folder;
    }
    return self;
}

static bool s_is_ready (field_t *self) {
    if (!field_begin (self) || field_await_workers (self, 5000) < 0)
        return false;
    for (int64_t until_ms = now_ms () + 500; now_ms () < until_ms; sleep_ms (1))
        load_pump (&self->load);
    field_weigh (self); /* with all of its own at work */
    return true;
}

/* The honest go on for so long; false: their coordinator is gone. */
static bool s_go_on (field_t *self, int ms) {
    for (int64_t until_ms = now_ms () + ms; now_ms () < until_ms && !self->load.gone; sleep_ms (1))
        load_pump (&self->load);
    return !self->load.gone;
}

/* Somebody honest who comes now is let in. */
static void s_expect_newcomer (field_t *self) {
    int64_t begin_ms = now_ms ();
    dw_client_t *client = NULL;
    while (!client && now_ms () - begin_ms < 2 * SERVED_MS)
        client = field_connect (self, 500);
    int64_t took_ms = now_ms () - begin_ms;
    printf ("  who comes meanwhile is let in after %lld ms\n", (long long) took_ms);
    chaos_check (self->chaos, client && took_ms <= 2 * SERVED_MS, "nobody else can come in");
    dw_client_destroy (&client);
}

/* All was given back within a stated time, and the honest were served. */
static void s_end (field_t *self) {
    chaos_t *chaos = self->chaos;
    unsigned memory, files;
    int64_t begin_ms = now_ms ();
    do {
        s_go_on (self, 20);
        memory = chaos_memory (self->pid);
        files = chaos_descriptors (self->pid);
    } while (now_ms () - begin_ms < BACK_MS &&
             (memory > self->memory + BACK_KIB || files > self->descriptors + BACK_FILES));
    printf ("  given back after %lld ms\n", (long long) (now_ms () - begin_ms));
    chaos_check (chaos, memory <= self->memory + BACK_KIB, "its memory is not given back");
    chaos_check (chaos, files <= self->descriptors + BACK_FILES,
                 "its descriptors are not given back: %u", files);
    self->load.runs_max = self->load.accepted - self->load.again;
    field_finish (self, 10000);
    printf ("  the honest waited %lld ms at most\n", (long long) self->load.gap_most_ms);
    chaos_check (chaos, self->load.gap_most_ms <= SERVED_MS, "the honest were not served");
    chaos_check (chaos, self->load.committed >= 3, "hardly anything was done");
    field_account (self);
}

/* ---- Silent ----------------------------------------------------------------------------------- */

/* More connections than it has descriptors; who is hung up on connects again. */
static void s_be_silent (field_t *self, bool has_keys) {
    static int fds[SILENT];
    uint64_t connections = 0;
    int64_t until_ms = now_ms () + self->chaos->stretch_ms;
    for (uint32_t i = 0; i < SILENT; i++)
        connections += (fds[i] = crowd_connect (self->port)) >= 0;
    while (now_ms () < until_ms && s_go_on (self, 20))
        for (uint32_t i = 0; i < SILENT; i++) {
            if (fds[i] >= 0 && !crowd_is_over (fds[i]))
                continue;
            if (fds[i] >= 0)
                crowd_close (fds[i]);
            fds[i] = crowd_connect (self->port);
            connections += fds[i] >= 0;
            load_pump (&self->load);
        }
    s_expect_newcomer (self);
    chaos_fault (self->chaos, has_keys ? "silent, keys" : "silent", connections, SILENT);
    for (uint32_t i = 0; i < SILENT; i++)
        if (fds[i] >= 0)
            crowd_close (fds[i]);
}

static void s_silent (chaos_t *chaos, bool has_keys) {
    field_t *self = s_begin (chaos, has_keys);
    self->files_max = FILES;
    self->options.system.slots_max = 16;
    self->options.system.clients_max = 8;
    if (s_is_ready (self)) {
        s_be_silent (self, has_keys);
        s_end (self);
    }
    field_end (self);
}

void chaos_silent (chaos_t *chaos) {
    s_silent (chaos, false);
    chaos_row (chaos, "silent, keys");
    s_silent (chaos, true);
}

/* ---- Garbage ---------------------------------------------------------------------------------- */

/* Each stays until so many others have come, so that it is read. */
static void s_talk_garbage (field_t *self, uint64_t count) {
    enum { AT_ONCE = 128 };
    int fds[AT_ONCE];
    uint64_t connections = 0, refused = 0;
    int64_t begin_ms = now_ms ();
    memset (fds, -1, sizeof fds);
    for (uint64_t i = 0; connections < count && !self->load.gone && now_ms () < begin_ms + 240000;
         i++) {
        int *fd = &fds[i % AT_ONCE];
        if (*fd >= 0)
            crowd_close (*fd);
        *fd = crowd_connect (self->port);
        connections += *fd >= 0;
        refused += *fd < 0;
        if (*fd >= 0)
            crowd_talk_garbage (*fd, &self->chaos->random);
        if (i % 32 == 0)
            load_pump (&self->load);
    }
    int64_t took_ms = now_ms () - begin_ms;
    printf ("  %llu connections in %.1f s, and %llu that were not taken\n",
            (unsigned long long) connections, (double) took_ms / 1e3, (unsigned long long) refused);
    chaos_check (self->chaos, took_ms < 1000 + (int64_t) count * 2, "it takes too long");
    s_expect_newcomer (self);
    for (int i = 0; i < AT_ONCE; i++)
        if (fds[i] >= 0)
            crowd_close (fds[i]);
    chaos_fault (self->chaos, "garbage", connections, count);
}

static void s_garbage (chaos_t *chaos, bool has_keys) {
    field_t *self = s_begin (chaos, has_keys);
    if (s_is_ready (self)) {
        s_talk_garbage (self, chaos->is_short ? 1000 : 100000);
        s_end (self);
    }
    field_end (self);
}

void chaos_garbage (chaos_t *chaos) {
    s_garbage (chaos, false);
    chaos_row (chaos, "garbage, keys");
    s_garbage (chaos, true);
}

/* ---- Bombs, and no end ------------------------------------------------------------------------ */

/* A frame that is announced and never sent, before a handshake or after one. False: nobody wants to
 * hear it. */
static bool s_throw_bomb (int fd, uint32_t i, bool has_keys) {
    static const uint64_t sizes[] = {UINT64_MAX, INT64_MAX, 1ull << 62, 1ull << 40, 1ull << 33,
                                     1ull << 32, 1u << 31,  1u << 30,   16u << 20,  1u << 20};
    uint8_t bytes[CROWD_BYTES_MAX];
    bool is_command = has_keys || i % 2;
    size_t size = is_command ? crowd_greet (bytes, has_keys ? "CURVE" : "NULL") : 0;
    if (!is_command && !crowd_shake_hands (fd))
        return false;
    size += crowd_frame (bytes + size, is_command ? 6 : 2,
                         sizes[i / 2 % (sizeof sizes / sizeof *sizes)]);
    return crowd_send (fd, bytes, size) == size;
}

static void s_bombs (chaos_t *chaos, bool has_keys) {
    enum { BOMBS = 40 };
    field_t *self = s_begin (chaos, has_keys);
    uint64_t bombs = 0;
    unsigned virtual_most = 0;
    if (s_is_ready (self)) {
        unsigned before = chaos_virtual (self->pid);
        for (int round = 0; round < (chaos->is_short ? 1 : 5); round++) {
            int fds[BOMBS];
            for (uint32_t i = 0; i < BOMBS; i++) {
                fds[i] = crowd_connect (self->port);
                bombs += fds[i] >= 0 && s_throw_bomb (fds[i], i, has_keys);
            }
            for (int i = 0; i < 20 && s_go_on (self, 25); i++)
                if (chaos_virtual (self->pid) > virtual_most)
                    virtual_most = chaos_virtual (self->pid);
            for (int i = 0; i < BOMBS; i++)
                if (fds[i] >= 0)
                    crowd_close (fds[i]);
        }
        unsigned growth = virtual_most > before ? virtual_most - before : 0;
        printf ("  address space grew by %u MiB at most\n", growth >> 10);
        chaos_check (chaos, growth < 1u << 20, "address space grew by 1 GiB");
        chaos_fault (chaos, "bombs", bombs, chaos->is_short ? BOMBS : 5 * BOMBS);
        s_expect_newcomer (self);
        s_end (self);
    }
    field_end (self);
}

void chaos_bombs (chaos_t *chaos) {
    s_bombs (chaos, false);
    chaos_row (chaos, "bombs, keys");
    s_bombs (chaos, true);
}

/* Sends frames of one message, of which none is the last; how many bytes were taken before it was
 * hung up on, and what memory there was then. */
static uint64_t s_send_without_end (field_t *self, uint64_t most, unsigned *memory_p) {
    enum { FRAME = 8192 };
    static uint8_t frame[9 + FRAME];
    int fd = crowd_connect (self->port);
    uint64_t sent = 0;
    size_t at = 0;
    chaos_check (self->chaos, fd >= 0 && crowd_shake_hands (fd), "it cannot begin");
    crowd_frame (frame, 3, FRAME); /* more, long */
    for (int64_t until_ms = now_ms () + 20000;
         sent < most && now_ms () < until_ms && !self->load.gone && !crowd_is_over (fd);
         load_pump (&self->load)) {
        size_t some = crowd_send (fd, frame + at, sizeof frame - at);
        at = (at + some) % sizeof frame;
        sent += some;
        if (some == 0)
            sleep_ms (1);
    }
    *memory_p = chaos_memory (self->pid);
    printf ("  %llu MiB of one message, memory %u KiB then%s\n", (unsigned long long) (sent >> 20),
            *memory_p, crowd_is_over (fd) ? "; it was hung up on" : "");
    chaos_check (self->chaos, *memory_p < self->memory + 2 * (most >> 10),
                 "it takes twice what is sent");
    crowd_close (fd);
    return sent;
}

/* The allocator keeps some of what it took the first time, and uses that the second time: nothing
 * else grows. */
void chaos_endless (chaos_t *chaos) {
    field_t *self = s_begin (chaos, false);
    uint64_t most = chaos->is_short ? 16 << 20 : 256 << 20;
    if (s_is_ready (self)) {
        unsigned first, second, before = self->memory;
        uint64_t sent = s_send_without_end (self, most, &first);
        s_go_on (self, 500);
        printf ("  memory %u KiB before, %u KiB after it\n", before, chaos_memory (self->pid));
        self->memory = first;
        sent += s_send_without_end (self, most, &second);
        chaos_fault (chaos, "MiB without an end", sent >> 20, 1);
        s_expect_newcomer (self);
        s_end (self);
    }
    field_end (self);
}

/* ---- Without a key ---------------------------------------------------------------------------- */

/* Who has a listed key is answered whatever is said; who has none, or another, never is. */
void chaos_keys (chaos_t *chaos) {
    enum { KNOCKS = 24 };
    static const char *const whose[] = {"stranger", NULL, "worker"};
    void *context = zmq_ctx_new (), *sockets[KNOCKS];
    uint64_t answered[3] = {0}, knocks[3] = {0};
    field_t *self = s_begin (chaos, true);
    if (s_is_ready (self)) {
        for (int i = 0; i < KNOCKS; i++)
            sockets[i] = secrets_knock (context, self->job.endpoint, chaos->folder, whose[i % 3]);
        s_go_on (self, 1500);
        for (int i = 0; i < KNOCKS; i++) {
            char text[256];
            if (!sockets[i])
                continue;
            knocks[i % 3]++;
            answered[i % 3] += zmq_recv (sockets[i], text, sizeof text, ZMQ_DONTWAIT) >= 0;
            zmq_close (sockets[i]);
        }
        chaos_check (chaos, answered[0] == 0, "unlisted keys were let in: %llu",
                     (unsigned long long) answered[0]);
        chaos_check (chaos, answered[1] == 0, "who has no key was let in");
        chaos_fault (chaos, "unlisted keys", knocks[0], KNOCKS / 3);
        chaos_fault (chaos, "without a key", knocks[1], KNOCKS / 3);
        chaos_fault (chaos, "listed ones let in", answered[2], KNOCKS / 3);
        s_end (self);
    }
    zmq_ctx_term (context);
    field_end (self);
}

/* ---- Busy ------------------------------------------------------------------------------------- */

/* Nobody is taken for lost on a machine that has far more to do than it can. */
void chaos_busy (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    self->options.system.heartbeat_ms = 1000; /* as it is by default */
    self->options.system.silence_ms = 3000;
    self->load.runs_max = UINT64_MAX;
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        for (uint32_t i = 0; i < BUSY; i++)
            fleet_start (CHAOS_WORKERS + i, &(fleet_job_t){.role = FLEET_SPINNER});
        s_go_on (self, chaos->stretch_ms);
        field_take_notices (self);
        self->load.runs_max = self->load.accepted - self->load.again;
        chaos_check (chaos, load_finish (&self->load, 60000), "runs do not end");
        chaos_check (chaos, self->lost_count == 0, "%llu workers were taken for lost",
                     (unsigned long long) self->lost_count);
        printf ("  the longest wait for a result %lld ms\n", (long long) self->load.gap_most_ms);
        for (uint32_t i = 0; i < BUSY; i++)
            fleet_signal (CHAOS_WORKERS + i, SIGKILL);
        field_account (self);
        chaos_fault (chaos, "busy processes", BUSY, BUSY);
    }
    field_end (self);
}
