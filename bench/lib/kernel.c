/* kernel.c - what takes time in a task, beside the mixing. */

#include "bench/lib/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "actors/clock.h"
#include "bench/lib/mix.h"
#include "dagwood.h"

#define LINE_WORDS       8u
#define LINE_BYTES       (LINE_WORDS * sizeof (uint64_t))
#define MEMORY_BYTES_MIN ((size_t) 64 << 20)
#define MEMORY_BYTES_MAX ((size_t) 1 << 30)
#define TRIES            7

const char *const dw_kernel_names[] = {"empty", "compute", "uneven", "memory", "block", NULL};

/* ---- Memory ------------------------------------------------------------------------------- */

size_t dw_kernel_memory_bytes (void) {
    long cache_bytes = sysconf (_SC_LEVEL3_CACHE_SIZE); /* 0 or -1: unknown */
    size_t bytes = cache_bytes > 0 ? 4 * (size_t) cache_bytes : 0;
    bytes = bytes > MEMORY_BYTES_MIN ? bytes : MEMORY_BYTES_MIN;
    return bytes < MEMORY_BYTES_MAX ? bytes : MEMORY_BYTES_MAX;
}

/* Every page is written: pages that never were are all one page of zeros. */
int dw_kernel_memory_init (dw_kernel_memory_t *self) {
    size_t lines_count = dw_kernel_memory_bytes () / LINE_BYTES;
    uint64_t *words = aligned_alloc (LINE_BYTES, lines_count * LINE_BYTES);
    if (!words)
        return DW_ENOMEM;
    for (size_t i = 0; i < lines_count * LINE_WORDS; i++)
        words[i] = i;
    self->words = words;
    self->lines_count = lines_count;
    return DW_OK;
}

void dw_kernel_memory_free (dw_kernel_memory_t *self) {
    free (self->words);
    *self = (dw_kernel_memory_t){0};
}

/* ---- Rounds ------------------------------------------------------------------------------- */

/* Makes the compiler believe that somebody looks at the value. */
static inline void s_use (uint64_t value) {
    __asm__ volatile("" : : "r"(value));
}

/* A step of Knuth's generator (MMIX): no step can begin before the last one has ended. */
static void s_compute (uint64_t rounds) {
    uint64_t value = rounds;
    while (rounds-- > 0)
        value = value * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
    s_use (value);
}

/* A round reads a line. */
static void s_stream (const dw_kernel_memory_t *memory, uint64_t rounds, uint64_t place) {
    size_t line = (size_t) (place % memory->lines_count);
    uint64_t sum = 0;
    while (rounds-- > 0) {
        const uint64_t *words = memory->words + line * LINE_WORDS;
        for (size_t i = 0; i < LINE_WORDS; i++)
            sum += words[i];
        line = line + 1 < memory->lines_count ? line + 1 : 0;
    }
    s_use (sum);
}

static void s_block (uint64_t ns) {
    struct timespec left = {.tv_sec = (time_t) (ns / 1000000000),
                            .tv_nsec = (long) (ns % 1000000000)};
    while (nanosleep (&left, &left) && errno == EINTR)
        ;
}

void dw_kernel_run (dw_kernel_t kernel, uint64_t rounds, const dw_kernel_memory_t *memory,
                    uint64_t place) {
    switch (kernel) {
        case DW_KERNEL_COMPUTE:
        case DW_KERNEL_UNEVEN: s_compute (rounds); break;
        case DW_KERNEL_MEMORY: s_stream (memory, rounds, place); break;
        case DW_KERNEL_BLOCK: s_block (rounds); break;
        case DW_KERNEL_EMPTY:
        case DW_KERNELS: break;
    }
}

double dw_kernel_ns_per_round (dw_kernel_t kernel, const dw_kernel_memory_t *memory) {
    if (kernel == DW_KERNEL_BLOCK || kernel == DW_KERNEL_EMPTY)
        return 1;
    uint64_t rounds = kernel == DW_KERNEL_MEMORY ? memory->lines_count / TRIES : 1000000;
    int64_t best_ns = INT64_MAX;
    for (uint64_t try = 0; try < TRIES; try++) {
        int64_t begin_ns = dw_clock_ns ();
        dw_kernel_run (kernel, rounds, memory, try * rounds);
        int64_t took_ns = dw_clock_ns () - begin_ns;
        if (took_ns < best_ns)
            best_ns = took_ns;
    }
    return best_ns > 0 ? (double) best_ns / (double) rounds : 1;
}

/* ---- What is drawn ------------------------------------------------------------------------ */

/* Uniform in [0, 1), from 53 of the bits. */
static double s_uniform (uint64_t *state) {
    *state += 1;
    return (double) (dw_mix_two (*state, 0) >> 11) * 0x1p-53;
}

/* The fraction is the first number of a falling sequence of odd length; each sequence of even
 * length that was drawn before it adds 1. */
double dw_kernel_draw (uint64_t seed, uint64_t task) {
    uint64_t state = dw_mix_two (seed, task);
    for (double whole = 0;; whole += 1) {
        double first = s_uniform (&state), last = first, next = s_uniform (&state);
        uint32_t length = 1;
        for (; next < last; length++) {
            last = next;
            next = s_uniform (&state);
        }
        if (length % 2)
            return whole + first;
    }
}
