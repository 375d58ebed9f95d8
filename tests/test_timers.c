/* test_timers.c - the heap of times: against a sorted list, and how large it gets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime/core/timers.h"
#include "tests/support/random.h"

#define TIMERS_MAX 400u

/* ---- Order ------------------------------------------------------------------------------------ */

/* What is in the heap, plainly: node is a timer's index here. */
typedef struct s_book_t {
    int64_t at_ns[TIMERS_MAX];
    bool is_in[TIMERS_MAX], has_reason[TIMERS_MAX];
} s_book_t;

static bool s_has_reason (void *arg, const dw_timer_t *timer) {
    const s_book_t *book = arg;
    return book->has_reason[timer->node];
}

static int64_t s_first_ns (const s_book_t *book, bool with_reason_only) {
    int64_t first_ns = INT64_MAX;
    for (uint32_t i = 0; i < TIMERS_MAX; i++)
        if (book->is_in[i] && (book->has_reason[i] || !with_reason_only) &&
            book->at_ns[i] < first_ns)
            first_ns = book->at_ns[i];
    return first_ns;
}

static void s_add (dw_timers_t *timers, s_book_t *book, random_t *random) {
    uint32_t i = random_below (random, TIMERS_MAX);
    if (book->is_in[i])
        return;
    book->at_ns[i] = random_between (random, 0, 1000);
    book->is_in[i] = book->has_reason[i] = true;
    assert_true (dw_timers_add (timers, (dw_timer_t){.at_ns = book->at_ns[i], .node = i}));
}

static void s_take (dw_timers_t *timers, s_book_t *book) {
    dw_timer_t timer = dw_timers_take (timers);
    assert_true (book->is_in[timer.node]);
    assert_int_equal (timer.at_ns, book->at_ns[timer.node]);
    assert_int_equal (timer.at_ns, s_first_ns (book, false));
    book->is_in[timer.node] = false;
}

/* What has no reason may be gone, nothing else. */
static void s_drop (dw_timers_t *timers, s_book_t *book) {
    size_t before = timers->count;
    dw_timers_drop (timers, s_has_reason, book);
    for (uint32_t i = 0; i < TIMERS_MAX && timers->count < before; i++)
        book->is_in[i] = book->is_in[i] && book->has_reason[i];
}

static void timers_come_in_the_order_of_their_times_and_none_with_a_reason_is_dropped (
    void **state) {
    (void) state;
    uint64_t first_seed = random_seed ();
    for (uint64_t seed = first_seed; seed < first_seed + 200; seed++) {
        random_t random = random_from (seed);
        s_book_t *book = calloc (1, sizeof *book);
        dw_timers_t timers = {0};
        assert_non_null (book);
        for (int i = 0; i < 3000; i++) {
            uint32_t what = random_below (&random, 10);
            if (what < 5)
                s_add (&timers, book, &random);
            else if (what < 7)
                book->has_reason[random_below (&random, TIMERS_MAX)] = false;
            else if (what == 7)
                s_drop (&timers, book);
            else if (timers.count > 0)
                s_take (&timers, book);
            assert_int_equal (dw_timers_next_ns (&timers), s_first_ns (book, false));
        }
        while (timers.count > 0)
            s_take (&timers, book);
        assert_int_equal (s_first_ns (book, true), INT64_MAX);
        free (timers.items);
        free (book);
    }
}

/* ---- Size ------------------------------------------------------------------------------------- */

static bool s_is_last (void *arg, const dw_timer_t *timer) {
    return timer->node + 10 > *(uint32_t *) arg;
}

static void a_million_timers_that_lose_their_reason_take_no_room (void **state) {
    (void) state;
    dw_timers_t timers = {0};
    for (uint32_t last = 0; last < 1000000; last++) {
        dw_timers_drop (&timers, s_is_last, &last);
        assert_true (dw_timers_add (&timers, (dw_timer_t){.at_ns = last, .node = last}));
    }
    assert_in_range (timers.size, 10, 256);
    free (timers.items);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (
            timers_come_in_the_order_of_their_times_and_none_with_a_reason_is_dropped),
        cmocka_unit_test (a_million_timers_that_lose_their_reason_take_no_room),
    };
    return !!cmocka_run_group_tests_name ("timers", tests, NULL, NULL);
}
