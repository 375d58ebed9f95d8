/* test_outputs.c - only what is asked for: what a run does not need does not run, and what nobody
 * reads any more is not kept. What lives is counted in bytes, of the whole process, while a run is
 * under way. */

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/system_fixture.h"

#define MIB   (1u << 20)
#define NODES 48

typedef struct probe_t {
    atomic_uint calls;
    atomic_ulong most_bytes; /* that were allocated when a call looked */
} probe_t;

static unsigned long s_allocated (void) {
    struct mallinfo2 info = mallinfo2 ();
    return info.uordblks + info.hblkhd;
}

/* An output of its own, as large as the payload, and a look at what there is. */
static int s_copy (dw_call_t *call, void *arg) {
    probe_t *probe = arg;
    size_t size;
    const char *text = dw_call_text (call, &size);
    char *output = dw_call_reserve_text (call, size);
    if (!text || !output)
        return dw_call_fail (call, 500, "there is no text, or no memory");
    for (size_t i = 0; i < size; i++)
        output[i] = (char) (text[i] == 'z' ? 'a' : text[i] + 1);
    unsigned long bytes = s_allocated (), most = atomic_load (&probe->most_bytes);
    while (bytes > most && !atomic_compare_exchange_weak (&probe->most_bytes, &most, bytes))
        ;
    atomic_fetch_add (&probe->calls, 1);
    return 0;
}

/* n0, n1 and so on, each behind the one before. */
static void s_add_chain (system_fixture_t *f, probe_t *probe) {
    char id[16], before[16] = "";
    system_fixture_add_function (f, "copy", s_copy, probe);
    for (int node = 0; node < NODES; node++) {
        snprintf (id, sizeof id, "n%d", node);
        system_fixture_add (f, id, "copy", before);
        memcpy (before, id, sizeof before);
    }
}

static char *s_text (void) {
    char *text = malloc (MIB + 1);
    assert_non_null (text);
    memset (text, 'a', MIB);
    text[MIB] = '\0';
    return text;
}

static void s_expect_letter (const dw_result_t *result, const char *id, char expected) {
    size_t size;
    const char *text = dw_result_text (result, dw_result_find (result, id), &size);
    assert_non_null (text);
    assert_int_equal (size, MIB);
    assert_true (text[0] == expected && text[MIB - 1] == expected);
}

/* All of a run is freed when its result is. */
static void s_settle (unsigned long before) {
    for (int64_t end_ms = now_ms () + 10000; s_allocated () > before + MIB && now_ms () < end_ms;)
        usleep (1000);
    assert_in_range (s_allocated (), 0, before + MIB);
}

/* How many MiB more than before a run of the chain has alive at a time. */
static double s_run (system_fixture_t *f, probe_t *probe, unsigned long before,
                     const char *const *outputs, size_t count) {
    char *text = s_text ();
    char last[16];
    atomic_store (&probe->most_bytes, 0);
    dw_result_t *result = system_fixture_run_outputs (f, text, outputs, count);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    snprintf (last, sizeof last, "n%d", NODES - 1);
    s_expect_letter (result, last, (char) ('a' + NODES % 26));
    dw_result_destroy (&result);
    free (text);
    s_settle (before);
    return ((double) atomic_load (&probe->most_bytes) - (double) before) / MIB;
}

/* Level by level nothing is run before the coordinator has heard of what comes before it, as it is
 * where each node has an actor of its own; a chain runs ahead of it. */
static void what_nobody_asked_for_is_dropped_behind_its_last_reader (void **state) {
    system_fixture_t *f = *state;
    probe_t probe = {0};
    char last[16];
    const char *outputs[] = {last};
    if (sizeof DAGWOOD_SANITIZE > 1)
        skip (); /* its allocator does not count */
    snprintf (last, sizeof last, "n%d", NODES - 1);
    system_fixture_options (f)->strategy = DW_LEVEL;
    s_add_chain (f, &probe);
    system_fixture_open (f);
    unsigned long before = s_allocated ();
    for (int round = 0; round < 3; round++) {
        double some = s_run (f, &probe, before, outputs, 1);
        double all = s_run (f, &probe, before, NULL, 0);
        if (round == 2)
            print_message ("           of %d outputs of 1 MiB %.1f MiB are alive at a time, and "
                           "%.1f where all were asked for\n",
                           NODES, some, all);
        assert_true (all > NODES - 4);
        assert_true (some < NODES / 3.0);
    }
}

/* One that is read at the end stays until then. */
static void what_is_read_late_is_kept_until_then (void **state) {
    system_fixture_t *f = *state;
    probe_t probe = {0};
    const char *outputs[] = {"both"};
    char ends[32];
    s_add_chain (f, &probe);
    snprintf (ends, sizeof ends, "n0 n%d", NODES - 1);
    system_fixture_add (f, "both", "concat", ends);
    system_fixture_open (f);
    char *text = s_text ();
    size_t size;
    dw_result_t *result = system_fixture_run_outputs (f, text, outputs, 1);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    const char *both = dw_result_text (result, dw_result_find (result, "both"), &size);
    assert_int_equal (size, 2 * MIB);
    assert_true (both[0] == 'b' && both[MIB] == 'a' + NODES % 26);
    assert_null (dw_result_payload (result, dw_result_find (result, "n0"), &size));
    dw_result_destroy (&result);
    free (text);
}

static void what_is_not_needed_does_not_run (void **state) {
    system_fixture_t *f = *state;
    probe_t probe = {0};
    const char *outputs[] = {"n2", "n5"};
    s_add_chain (f, &probe);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_outputs (f, "a", outputs, 2);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (atomic_load (&probe.calls), 6);
    for (int node = 0; node < NODES; node++) {
        char id[16];
        size_t size;
        snprintf (id, sizeof id, "n%d", node);
        int at = dw_result_find (result, id);
        assert_int_equal (dw_result_node_status (result, at),
                          node <= 5 ? DW_NODE_DONE : DW_NODE_NOT_REQUESTED);
        assert_int_equal (dw_result_attempts (result, at), node <= 5);
        assert_true ((dw_result_payload (result, at, &size) != NULL) == (node == 2 || node == 5));
    }
    expect_text (result, "n5", "g");
    assert_int_equal (dw_result_outputs_count (result), 2);
    dw_result_destroy (&result);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_nobody_asked_for_is_dropped_behind_its_last_reader),
        cmocka_unit_test (what_is_read_late_is_kept_until_then),
        cmocka_unit_test (what_is_not_needed_does_not_run),
    };
    return system_fixture_run_everywhere ("outputs", tests);
}
