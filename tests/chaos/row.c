/* row.c - a line of the table that chaos prints. */

#include "tests/chaos/row.h"

#include <inttypes.h>
#include <stdio.h>

static const char *s_outcome (const row_t *self) {
    return self->is_skipped ? "skipped" : self->has_failed ? "FAILED" : "held";
}

void row_print_head (void) {
    printf ("%-18s %8s %9s %4s %7s %5s %11s %15s %9s %7s %-7s %s\n", "scenario", "accepted",
            "committed", "lost", "doubled", "wrong", "noticed ms", "memory KiB", "files", "seconds",
            "", "faults that happened (at least)");
}

/* Two numbers as one text, or a dash. */
static const char *s_pair (char *text, size_t size, const char *format, uint64_t a, uint64_t b) {
    snprintf (text, size, a || b ? format : "-", a, b);
    return text;
}

void row_print (const row_t *self) {
    char noticed[32], memory[32], files[32];
    printf ("%-18s ", self->name);
    if (self->has_load)
        printf ("%8" PRIu64 " %9" PRIu64 " %4" PRIu64 " %7" PRIu64 " %5" PRIu64, self->accepted,
                self->committed, self->lost, self->doubled, self->wrong);
    else
        printf ("%8s %9s %4s %7s %5s", "-", "-", "-", "-", "-");
    printf (
        " %11s %15s %9s %7.1f %-7s",
        s_pair (noticed, sizeof noticed, "%" PRIu64 "/%" PRIu64, (uint64_t) self->noticed_ms,
                (uint64_t) self->noticed_most_ms),
        s_pair (memory, sizeof memory, "%" PRIu64 ">%" PRIu64, self->memory[0], self->memory[1]),
        s_pair (files, sizeof files, "%" PRIu64 ">%" PRIu64, self->descriptors[0],
                self->descriptors[1]),
        (double) self->took_ms / 1e3, s_outcome (self));
    if (self->expected[0])
        printf (" expected: %s, seen: %s%s", self->expected, self->seen,
                self->faults_count ? ";" : "");
    for (uint32_t i = 0; i < self->faults_count; i++)
        printf ("%s%s %" PRIu64 " (%" PRIu64 ")", i ? ", " : " ", self->faults[i].what,
                self->faults[i].count, self->faults[i].least);
    printf ("\n");
}

void row_print_json (const row_t *self) {
    printf ("{\"scenario\": \"%s\", \"seed\": %" PRIu64 ", \"outcome\": \"%s\", \"seconds\": %.1f",
            self->name, self->seed, s_outcome (self), (double) self->took_ms / 1e3);
    if (self->has_load)
        printf (", \"accepted\": %" PRIu64 ", \"committed\": %" PRIu64 ", \"lost\": %" PRIu64
                ", \"doubled\": %" PRIu64 ", \"wrong\": %" PRIu64,
                self->accepted, self->committed, self->lost, self->doubled, self->wrong);
    if (self->expected[0])
        printf (", \"expected\": \"%s\", \"seen\": \"%s\"", self->expected, self->seen);
    printf (", \"noticed_ms\": [%" PRId64 ", %" PRId64
            "], \"memory_kib\": [%u, %u], \"files\": [%u, %u], \"faults\": {",
            self->noticed_ms, self->noticed_most_ms, self->memory[0], self->memory[1],
            self->descriptors[0], self->descriptors[1]);
    for (uint32_t i = 0; i < self->faults_count; i++)
        printf ("%s\"%s\": [%" PRIu64 ", %" PRIu64 "]", i ? ", " : "", self->faults[i].what,
                self->faults[i].count, self->faults[i].least);
    printf ("}}\n");
}
