/* test_ledger.c - a coordinator's ledger and a slot's shelf, together: what the one says is there
 * the other has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/ledger.h"
#include "actors/shelf.h"
#include "tests/support/random.h"

#define RUNS    4u
#define SOURCES 300u /* more than there are places */
#define READ    5u   /* payloads that a task reads, at most */

typedef struct s_payload_t {
    uint64_t run;
    uint32_t source;
    size_t size;
    unsigned travelled; /* how often it was sent */
} s_payload_t;

typedef struct s_pair_t {
    dw_ledger_t ledger;
    dw_shelf_t shelf;
    random_t random;
    uint64_t runs_number;
    s_payload_t payloads[RUNS][SOURCES];
} s_pair_t;

static void s_begin_run (s_pair_t *self, uint32_t run, uint32_t size_max) {
    self->runs_number++;
    for (uint32_t source = 0; source < SOURCES; source++)
        self->payloads[run][source] = (s_payload_t){.run = self->runs_number,
                                                    .source = source == 0 ? DW_RUN_INPUT : source,
                                                    .size = 1 +
                                                            random_below (&self->random, size_max)};
}

static void s_drop_stale (s_pair_t *self) {
    for (uint32_t place; (place = dw_ledger_drop (&self->ledger)) != DW_NONE;)
        dw_shelf_drop (&self->shelf, place);
    assert_int_equal (self->ledger.stale_bytes, 0);
    assert_true (self->ledger.bytes >= self->shelf.bytes); /* it knows what is yet to be sent */
}

/* The slot reads a payload of its task: only who it is counts, so a frame has no more bytes than
 * that. */
static void s_read (s_pair_t *self, s_payload_t *payload) {
    uint32_t place = dw_ledger_find (&self->ledger, payload->run, payload->source);
    if (place == DW_NONE) { /* it travels with its task alone */
        payload->travelled++;
        return;
    }
    dw_ledger_item_t *item = &self->ledger.items[place];
    zmq_msg_t *frame;
    if (item->is_sent)
        frame = dw_shelf_get (&self->shelf, place);
    else {
        zmq_msg_t brought;
        zmq_msg_init_data (&brought, payload, payload->size, NULL, NULL);
        frame = dw_shelf_put (&self->shelf, place, &brought);
        zmq_msg_close (&brought);
        item->is_sent = true;
        payload->travelled++;
    }
    assert_non_null (frame);
    assert_ptr_equal (zmq_msg_data (frame), payload);
    assert_int_equal (zmq_msg_size (frame), payload->size);
}

static void s_run_task (s_pair_t *self, s_payload_t **payloads, uint32_t count) {
    dw_ledger_next_task (&self->ledger);
    for (uint32_t i = 0; i < count; i++)
        if (dw_ledger_find (&self->ledger, payloads[i]->run, payloads[i]->source) == DW_NONE)
            dw_ledger_add (&self->ledger, payloads[i]->run, payloads[i]->source, payloads[i]->size);
    if (dw_ledger_is_full (&self->ledger))
        s_drop_stale (self);
    dw_shelf_next_task (&self->shelf);
    for (uint32_t i = 0; i < count; i++)
        s_read (self, payloads[i]);
    assert_true (self->shelf.bytes <= DW_WIRE_KEPT_MAX);
    assert_true (self->ledger.bytes >= self->shelf.bytes);
}

static int s_setup (void **state) {
    s_pair_t *self = calloc (1, sizeof *self);
    self->random = random_from (random_seed ());
    *state = self;
    return 0;
}

static int s_teardown (void **state) {
    s_pair_t *self = *state;
    dw_shelf_free (&self->shelf);
    free (self);
    return 0;
}

static void a_slot_has_what_the_ledger_says_whatever_is_read_and_forgotten (void **state) {
    s_pair_t *self = *state;
    for (int world = 0; world < 6; world++) {
        uint32_t size_max = world % 2 ? 1000 : 20 << 20; /* places run out, or bytes do */
        for (uint32_t run = 0; run < RUNS; run++)
            s_begin_run (self, run, size_max);
        for (int i = 0; i < 4000; i++) {
            s_payload_t *payloads[READ];
            uint32_t run = random_below (&self->random, RUNS);
            uint32_t count = 1 + random_below (&self->random, READ);
            for (uint32_t k = 0; k < count; k++)
                payloads[k] = &self->payloads[run][random_below (
                    &self->random, random_one_in (&self->random, 3) ? SOURCES : 4)];
            s_run_task (self, payloads, count);
            if (random_one_in (&self->random, 50)) {
                dw_ledger_forget (&self->ledger, self->payloads[run][0].run, DW_NONE);
                s_begin_run (self, run, size_max);
            }
            if (random_one_in (&self->random, 20))
                dw_ledger_forget (&self->ledger, self->payloads[run][2].run, 2);
            if (random_one_in (&self->random, 10))
                s_drop_stale (self);
        }
        for (uint32_t run = 0; run < RUNS; run++)
            dw_ledger_forget (&self->ledger, self->payloads[run][0].run, DW_NONE);
        s_drop_stale (self);
        assert_int_equal (self->shelf.bytes, 0);
    }
}

static void what_has_room_travels_once (void **state) {
    s_pair_t *self = *state;
    for (int times = 0; times < 5; times++) {
        s_begin_run (self, 0, 1 << 20);
        for (int i = 0; i < 1000; i++) {
            s_payload_t *payloads[] = {&self->payloads[0][0],
                                       &self->payloads[0][1 + random_below (&self->random, 50)]};
            s_run_task (self, payloads, 2);
        }
        for (uint32_t source = 0; source <= 50; source++)
            assert_int_equal (self->payloads[0][source].travelled, 1);
        dw_ledger_forget (&self->ledger, self->payloads[0][0].run, DW_NONE);
    }
}

static void what_was_read_least_recently_makes_room (void **state) {
    s_pair_t *self = *state;
    s_begin_run (self, 0, 1);
    s_payload_t *it = self->payloads[0];
    for (uint32_t i = 1; i <= 4; i++)
        it[i].size = 20 << 20;
    for (uint32_t i = 1; i <= 3; i++)
        s_run_task (self, (s_payload_t *[]){&it[i]}, 1);
    s_run_task (self, (s_payload_t *[]){&it[1]}, 1);
    s_run_task (self, (s_payload_t *[]){&it[4]}, 1); /* the second goes */
    s_run_task (self, (s_payload_t *[]){&it[1], &it[3], &it[4]}, 3);
    assert_int_equal (it[1].travelled + it[3].travelled + it[4].travelled, 3);
    s_run_task (self, (s_payload_t *[]){&it[2]}, 1);
    assert_int_equal (it[2].travelled, 2);
}

static void a_task_that_reads_more_than_a_slot_keeps_has_the_rest_with_it (void **state) {
    s_pair_t *self = *state;
    s_payload_t *payloads[READ];
    s_begin_run (self, 0, 1);
    for (uint32_t i = 0; i < READ; i++) {
        payloads[i] = &self->payloads[0][i];
        payloads[i]->size = 20 << 20;
    }
    for (unsigned times = 1; times <= 3; times++) {
        s_run_task (self, payloads, READ);
        assert_int_equal (payloads[0]->travelled, 1);
        assert_int_equal (payloads[READ - 1]->travelled, times);
    }
}

static void a_slot_keeps_nothing_that_makes_no_sense (void **state) {
    s_pair_t *self = *state;
    static char bytes[1];
    zmq_msg_t frame;
    assert_null (dw_shelf_get (&self->shelf, 3));
    dw_shelf_drop (&self->shelf, 3);
    dw_shelf_next_task (&self->shelf);
    zmq_msg_init_data (&frame, bytes, DW_WIRE_KEPT_MAX, NULL, NULL);
    assert_non_null (dw_shelf_put (&self->shelf, 3, &frame));
    assert_null (dw_shelf_put (&self->shelf, 3, &frame)); /* the task reads it */
    assert_null (dw_shelf_put (&self->shelf, 4, &frame)); /* too much */
    assert_null (dw_shelf_get (&self->shelf, 4));
    dw_shelf_next_task (&self->shelf);
    assert_non_null (dw_shelf_put (&self->shelf, 3, &frame));
    assert_int_equal (self->shelf.bytes, DW_WIRE_KEPT_MAX);
    zmq_msg_close (&frame);
}

#define TEST(function) cmocka_unit_test_setup_teardown (function, s_setup, s_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_slot_has_what_the_ledger_says_whatever_is_read_and_forgotten),
        TEST (what_has_room_travels_once),
        TEST (what_was_read_least_recently_makes_room),
        TEST (a_task_that_reads_more_than_a_slot_keeps_has_the_rest_with_it),
        TEST (a_slot_keeps_nothing_that_makes_no_sense),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
