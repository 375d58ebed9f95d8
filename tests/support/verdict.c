/* verdict.c - what becomes of worlds. */

#include "tests/support/verdict.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static verdict_t s_own; /* until it is shared */
verdict_t *verdict = &s_own;

void *verdict_memory (size_t size) {
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert (memory != MAP_FAILED);
    return memory;
}

void verdict_share (void) {
    if (verdict == &s_own)
        verdict = verdict_memory (sizeof *verdict);
    memset (verdict, 0, sizeof *verdict);
}

void verdict_fail (const char *format, ...) {
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (verdict->wrong, sizeof verdict->wrong, format, arguments);
    va_end (arguments);
    for (char *c = verdict->wrong; *c; c++) /* one line */
        if (*c == '\n')
            *c = ' ';
    fflush (stdout);
    _exit (1);
}

/* The linker has assertions come here (-Wl,--wrap). */
_Noreturn void __wrap___assert_fail (const char *what, const char *file, unsigned line,
                                     const char *function);
_Noreturn void __wrap___assert_fail (const char *what, const char *file, unsigned line,
                                     const char *function) {
    verdict_fail ("%s:%u: %s: %s", file, line, function, what);
}
