/* fibers.c - the threads of a simulated world. */

#include "tests/simulated/fibers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/support/verdict.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (1u << 20)
#else
#define STACK_BYTES (256u << 10)
#endif

#define FIBERS_MAX 512u
#define LOOK_NS    120     /* what a look at the clock takes at most */
#define PAUSE_NS   2000000 /* how long others may have their turn */
#define WAKE_NS    30000   /* until whoever is woken goes on */

struct fiber_t {
    ucontext_t context;
    void *stack;
#if defined(__SANITIZE_ADDRESS__)
    void *fake_stack;
#endif
#if defined(__SANITIZE_THREAD__)
    void *tsan;
#endif
    process_t *process; /* NULL: it is free */
    const char *name;
    void *(*body) (void *args);
    void *args;
    uint64_t turn; /* grows with each: what was due before is not any more */
    bool is_due;   /* its turn came while its process was stopped */
    bool has_begun, has_ended, is_left;
    fiber_t *joiner;
};

typedef struct s_due_t {
    int64_t at_ns;
    uint64_t order, turn;
    fiber_t *fiber; /* NULL: a call */
    void (*call) (void *arg);
    void *arg;
} s_due_t;

static struct {
    bool is_on, is_preempted;
    random_t random;
    int64_t now_ns;
    uint64_t order, hash;
    fiber_t fibers[FIBERS_MAX];
    uint32_t used;
    fiber_t *current;
    ucontext_t world;
#if defined(__SANITIZE_ADDRESS__)
    void *fake_stack;
    const void *bottom;
    size_t size;
#endif
#if defined(__SANITIZE_THREAD__)
    void *tsan,
        *ended; /* ended: that of the current fiber, which goes when it is not current any more */
#endif
    s_due_t *due; /* a heap, the next one first */
    size_t due_count, due_size;
} s;

/* ---- What is due ------------------------------------------------------------------------------ */

static bool s_is_before (const s_due_t *a, const s_due_t *b) {
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void s_push (s_due_t due) {
    heap_t *before = heap_enter (NULL);
    if (s.due_count == s.due_size) {
        s.due_size = s.due_size ? 2 * s.due_size : 256;
        s.due = realloc (s.due, s.due_size * sizeof *s.due);
        assert (s.due);
    }
    heap_enter (before);
    due.order = s.order++;
    size_t at = s.due_count++;
    for (; at > 0 && s_is_before (&due, &s.due[(at - 1) / 2]); at = (at - 1) / 2)
        s.due[at] = s.due[(at - 1) / 2];
    s.due[at] = due;
}

static s_due_t s_pop (void) {
    s_due_t first = s.due[0], last = s.due[--s.due_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s.due_count; at = child) {
        child += child + 1 < s.due_count && s_is_before (&s.due[child + 1], &s.due[child]);
        if (!s_is_before (&s.due[child], &last))
            break;
        s.due[at] = s.due[child];
    }
    s.due[at] = last;
    return first;
}

void fibers_at (int64_t at_ns, void (*call) (void *arg), void *arg) {
    s_push ((s_due_t){.at_ns = at_ns, .call = call, .arg = arg});
}

static void s_expect (fiber_t *fiber, int64_t at_ns) {
    s_push ((s_due_t){.at_ns = at_ns, .fiber = fiber, .turn = fiber->turn});
}

/* ---- The world -------------------------------------------------------------------------------- */

void fibers_begin (uint64_t seed) {
    s.is_on = s.is_preempted = true;
    s.random = random_from (seed);
    s.now_ns = 0;
    s.order = 0;
    s.hash = UINT64_C (0xcbf29ce484222325);
    s.used = 0;
}

void fibers_end (void) {
    s.is_on = false;
    s.due_count = 0;
}

bool fibers_are_on (void) {
    return s.is_on;
}

int64_t fibers_now_ns (void) {
    return s.now_ns;
}

random_t *fibers_random (void) {
    return &s.random;
}

void fibers_set_preempted (bool is_preempted) {
    s.is_preempted = is_preempted;
}

/* Eight bytes at a time: payloads are noted too. */
void fibers_note (const void *bytes, size_t size) {
    const uint8_t *byte = bytes;
    uint64_t hash = s.hash, word;
    for (; size >= sizeof word; size -= sizeof word, byte += sizeof word) {
        memcpy (&word, byte, sizeof word);
        hash = (hash ^ word) * UINT64_C (0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; size > 0; size--)
        hash = (hash ^ *byte++) * UINT64_C (0x100000001b3);
    s.hash = hash;
}

uint64_t fibers_hash (void) {
    return s.hash;
}

/* ---- Turns ------------------------------------------------------------------------------------ */

/* The sanitizers have to know which stack is in use. */
static void s_leave_for (fiber_t *to, bool is_final) {
#if defined(__SANITIZE_ADDRESS__)
    fiber_t *from = s.current;
    void **save = is_final ? NULL : from ? &from->fake_stack : &s.fake_stack;
    __sanitizer_start_switch_fiber (save, to ? to->stack : s.bottom, to ? STACK_BYTES : s.size);
#endif
#if defined(__SANITIZE_THREAD__)
    if (!s.tsan)
        s.tsan = __tsan_get_current_fiber ();
    __tsan_switch_to_fiber (to ? to->tsan : s.tsan, 0);
#endif
    (void) to;
    (void) is_final;
}

static void s_arrive (fiber_t *at) {
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber (at ? at->fake_stack : s.fake_stack, &bottom, &size);
    if (at && !at->has_begun) { /* its first turn: it came from the world, whose stack that is */
        s.bottom = bottom;
        s.size = size;
    }
#endif
    if (at)
        at->has_begun = true;
}

/* Back to the world; is_final: for ever. */
static void s_yield (bool is_final) {
    fiber_t *self = s.current;
    s_leave_for (NULL, is_final);
    swapcontext (&self->context, &s.world);
    s_arrive (self);
}

static void s_give_turn (fiber_t *fiber) {
    fiber->turn++;
    fibers_note (&s.now_ns, sizeof s.now_ns);
    heap_t *before = heap_enter (&fiber->process->heap);
    s_leave_for (fiber, false);
    s.current = fiber;
    swapcontext (&s.world, &fiber->context);
    s.current = NULL;
    s_arrive (NULL);
#if defined(__SANITIZE_THREAD__)
    if (s.ended)
        __tsan_destroy_fiber (s.ended);
    s.ended = NULL;
#endif
    heap_enter (before);
}

static void s_free (fiber_t *fiber) {
#if defined(__SANITIZE_THREAD__)
    if (fiber->tsan && fiber == s.current)
        s.ended = fiber->tsan;
    else if (fiber->tsan)
        __tsan_destroy_fiber (fiber->tsan);
    fiber->tsan = NULL;
#endif
    fiber->process = NULL;
}

static void s_main (void) {
    fiber_t *self = s.current;
    s_arrive (self);
    self->body (self->args);
    self->has_ended = true;
    if (self->joiner)
        fibers_wake (self->joiner);
    s_yield (true);
}

static void s_on_end (fiber_t *fiber) {
    process_t *process = fiber->process;
    if (fiber->is_left)
        s_free (fiber);
    if (--process->fibers_count == 0 && process->ended)
        process->ended (process);
}

void fibers_run (int64_t until_ns) {
    while (s.due_count > 0) {
        s_due_t due = s_pop ();
        fiber_t *fiber = due.fiber;
        if (fiber && (!fiber->process || fiber->turn != due.turn || fiber->has_ended))
            continue;
        if (due.at_ns > until_ns)
            return;
        if (due.at_ns > s.now_ns)
            s.now_ns = due.at_ns;
        verdict->events++;
        if (!fiber)
            due.call (due.arg);
        else if (fiber->process->is_stopped)
            fiber->is_due = true;
        else {
            s_give_turn (fiber);
            if (fiber->process && fiber->has_ended)
                s_on_end (fiber);
        }
    }
}

/* ---- Fibers ----------------------------------------------------------------------------------- */

/* The kernel's memory: it is not the program's, and kept for the next world. */
static void *s_stack_new (void) {
    void *stack = mmap (NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    assert (stack != MAP_FAILED);
    mprotect (stack, 4096, PROT_NONE); /* what runs over is seen */
    return stack;
}

static fiber_t *s_place (void) {
    for (uint32_t i = 0; i < s.used; i++)
        if (!s.fibers[i].process)
            return &s.fibers[i];
    assert (s.used < FIBERS_MAX);
    return &s.fibers[s.used++];
}

fiber_t *fibers_start (process_t *process, const char *name, void *(*body) (void *args),
                       void *args) {
    fiber_t *self = s_place ();
    uint64_t turn = self->turn + 1;
    void *stack = self->stack ? self->stack : s_stack_new ();
    memset (self, 0, sizeof *self);
    self->stack = stack;
    self->turn = turn;
    self->process = process;
    self->name = name;
    self->body = body;
    self->args = args;
    process->fibers_count++;
    getcontext (&self->context);
    self->context.uc_stack.ss_sp = stack;
    self->context.uc_stack.ss_size = STACK_BYTES;
    makecontext (&self->context, s_main, 0);
#if defined(__SANITIZE_THREAD__)
    self->tsan = __tsan_create_fiber (0);
#endif
    s_expect (self, s.now_ns + random_between (&s.random, 0, WAKE_NS));
    return self;
}

fiber_t *fibers_current (void) {
    return s.current;
}

process_t *fibers_process (void) {
    return s.current ? s.current->process : NULL;
}

void fibers_wait_until (int64_t at_ns) {
    fiber_t *self = s.current;
    assert (self);
    if (at_ns != INT64_MAX)
        s_expect (self, at_ns > s.now_ns ? at_ns : s.now_ns);
    s_yield (false);
}

void fibers_sleep (int64_t ns) {
    int64_t until_ns = s.now_ns + ns;
    while (s.now_ns < until_ns)
        fibers_wait_until (until_ns);
}

void fibers_pass (int64_t ns) {
    s.now_ns += ns;
}

void fibers_wake (fiber_t *fiber) {
    if (fiber->process)
        s_expect (fiber, s.now_ns + random_between (&s.random, 0, WAKE_NS));
}

bool fibers_join (fiber_t *fiber, int64_t deadline_ns) {
    fiber->joiner = s.current;
    while (!fiber->has_ended && s.now_ns < deadline_ns)
        fibers_wait_until (deadline_ns);
    fiber->joiner = NULL;
    if (!fiber->has_ended)
        return false;
    s_free (fiber);
    return true;
}

void fibers_leave (fiber_t *fiber) {
    fiber->is_left = true;
    if (fiber->has_ended)
        s_free (fiber);
}

void fibers_may_pause (void) {
    if (s.current && s.is_preempted && random_one_in (&s.random, 64))
        fibers_sleep (random_one_in (&s.random, 16) ? random_between (&s.random, 0, PAUSE_NS)
                                                    : random_between (&s.random, 0, WAKE_NS));
}

int64_t fibers_look_at_clock (void) {
    s.now_ns += 1 + random_below (&s.random, LOOK_NS);
    fibers_may_pause ();
    return s.now_ns;
}

/* ---- Processes -------------------------------------------------------------------------------- */

void process_kill (process_t *self) {
    bool is_own = s.current && s.current->process == self;
    self->is_over = true;
    for (uint32_t i = 0; i < s.used; i++)
        if (s.fibers[i].process == self)
            s_free (&s.fibers[i]);
    self->fibers_count = 0;
    heap_clear (&self->heap);
    if (is_own)
        s_yield (true);
}

void process_stop (process_t *self) {
    self->is_stopped = true;
}

void process_continue (process_t *self) {
    self->is_stopped = false;
    for (uint32_t i = 0; i < s.used; i++)
        if (s.fibers[i].process == self && s.fibers[i].is_due) {
            s.fibers[i].is_due = false;
            s_expect (&s.fibers[i], s.now_ns);
        }
}
