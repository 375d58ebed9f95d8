/* customers.c - client processes of a chaos test. */

#include "tests/chaos/customers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dagwood_processor.h"
#include "tests/chaos/fleet.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/random_graph.h"

#define IN_FLIGHT   4u
#define NUMBERS_MAX 65536u /* runs of one process */
#define LONG_MS     30000  /* of a run that is to be cancelled */
#define LONG        32u    /* one in so many is */
#define TEXT_SIZE   48u
#define HASH_DIGITS 16u

static customers_t *s_all;

bool customers_begin (void) {
    s_all = mmap (NULL, sizeof *s_all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return s_all != MAP_FAILED;
}

customers_t *customers_all (void) {
    return s_all;
}

void customers_forget (void) {
    memset (s_all, 0, sizeof *s_all);
}

/* ---- Their graph ------------------------------------------------------------------------------ */

static void s_text (char text[TEXT_SIZE], uint32_t place, uint32_t run, bool is_long) {
    snprintf (text, TEXT_SIZE, "customer %" PRIu32 " run %" PRIu32 "%s", place, run,
              is_long ? " long" : "");
}

static void s_print_hash (char text[HASH_DIGITS + 1], uint64_t hash) {
    snprintf (text, HASH_DIGITS + 1, "%016" PRIx64, hash);
}

static int s_give (dw_call_t *call, uint64_t hash) {
    char text[HASH_DIGITS + 1];
    s_print_hash (text, hash);
    return dw_call_set_text (call, text, HASH_DIGITS);
}

static uint64_t s_hash_of (int node, const char *text, size_t size) {
    return random_hash (random_hash_start ((uint32_t) node), text, size);
}

/* The first node: counts, and takes some time. */
static int s_count (dw_call_t *call, void *arg) {
    (void) arg;
    char fixed[TEXT_SIZE] = "";
    uint32_t place = 0, run = 0;
    size_t size;
    const char *text = dw_call_text (call, &size);
    if (!text || size >= sizeof fixed)
        return dw_call_fail (call, 400, "that is no text of a customer");
    memcpy (fixed, text, size);
    if (sscanf (fixed, "customer %" SCNu32 " run %" SCNu32, &place, &run) != 2 ||
        place >= CUSTOMERS || run >= CUSTOMERS_RUNS_MAX)
        return dw_call_fail (call, 400, "that is no text of a customer");
    if (dw_call_attempt (call) == 1)
        s_all->each[place].runs[run].begun++;
    uint64_t hash = s_hash_of (0, text, size);
    int64_t until_ms = now_ms () + (strstr (fixed, "long") ? LONG_MS : (int64_t) (hash % 40));
    while (now_ms () < until_ms) {
        sleep_ms (1);
        if (dw_call_cancelled (call))
            return dw_call_fail (call, 499, "cancelled");
    }
    return s_give (call, hash);
}

/* The others: a hash of all that they read. */
static int s_fold (dw_call_t *call, void *arg) {
    (void) arg;
    uint64_t hash = random_hash_start ((uint32_t) dw_call_node_number (call));
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        size_t size;
        const char *text = dw_call_dependency_text (call, i, &size);
        hash = random_hash (hash, text, size);
    }
    return s_give (call, hash);
}

void customers_add_processors (dw_processors_t *processors) {
    dw_processors_add_function (processors, "count", s_count, NULL);
    dw_processors_add_function (processors, "fold", s_fold, NULL);
}

dw_graph_t *customers_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "first", "count");
    for (int i = 1; i < 4; i++)
        dw_graph_add (graph, i == 1 ? "left" : i == 2 ? "right" : "last", "fold");
    dw_graph_depend (graph, 1, "first");
    dw_graph_depend (graph, 2, "first");
    dw_graph_depend (graph, 3, "left");
    dw_graph_depend (graph, 3, "right");
    dw_graph_set_input (graph, 3, "left");
    return graph;
}

/* What comes of a text: worked out here, by nobody's graph. */
static void s_expect (char expected[HASH_DIGITS + 1], const char *text) {
    char first[HASH_DIGITS + 1], left[HASH_DIGITS + 1], right[HASH_DIGITS + 1];
    s_print_hash (first, s_hash_of (0, text, strlen (text)));
    s_print_hash (left, s_hash_of (1, first, HASH_DIGITS));
    s_print_hash (right, s_hash_of (2, first, HASH_DIGITS));
    s_print_hash (expected, random_hash (s_hash_of (3, left, HASH_DIGITS), right, HASH_DIGITS));
}

/* ---- A process -------------------------------------------------------------------------------- */

typedef struct s_self_t {
    customer_t *customer;
    uint32_t place;
    dw_client_t *client;
    random_t random;
    uint32_t run_of[NUMBERS_MAX];        /* the customer's run, by the client's number */
    bool is_awaited[CUSTOMERS_RUNS_MAX]; /* taken up by this process */
    int64_t cancel_ms; /* when the long run is to be cancelled; 0: there is none */
    uint64_t long_number;
    int err; /* of the client, which is then of no use */
} s_self_t;

static bool s_is_long (uint32_t run) {
    return run % LONG == LONG - 1;
}

static void s_take (s_self_t *self, const dw_result_t *result) {
    customer_t *customer = self->customer;
    char text[TEXT_SIZE], expected[HASH_DIGITS + 1];
    uint64_t number = dw_result_run (result);
    uint32_t run = self->run_of[number % NUMBERS_MAX];
    customers_run_t *record = &customer->runs[run];
    size_t size;
    s_text (text, self->place, run, s_is_long (run));
    s_expect (expected, text);
    const char *last = dw_result_text (result, 3, &size);
    dw_run_status_t status = dw_result_status (result);
    if (record->state == CUSTOMERS_GOT)
        customer->doubled++;
    else if (status == DW_RUN_CANCELLED && s_is_long (run))
        customer->cancelled++;
    else if (status == DW_RUN_FAILED && dw_result_failures_count (result) > 0 &&
             dw_result_error_code (result, dw_result_failure_at (result, 0)) == 503)
        customer->quarantined++; /* three of its workers were killed */
    else if (status != DW_RUN_OK || !last || size != HASH_DIGITS ||
             memcmp (last, expected, HASH_DIGITS) != 0) {
        customer->wrong++;
        fprintf (stderr, "\"%s\" is %s: %.*s, not %s\n", text, dw_run_status_text (status),
                 last ? (int) size : 0, last ? last : "", expected);
    }
    if (number == self->long_number)
        self->cancel_ms = 0;
    record->state = CUSTOMERS_GOT;
    customer->got++;
}

static void s_ask (s_self_t *self) {
    uint32_t run = self->customer->asked;
    customers_run_t *record = &self->customer->runs[run];
    char text[TEXT_SIZE];
    uint64_t number = 0;
    bool is_long = s_is_long (run), is_detached = !is_long && random_one_in (&self->random, 3);
    s_text (text, self->place, run, is_long);
    dw_submission_t submission = {.payload = text, .size = strlen (text), .is_text = true};
    record->state = CUSTOMERS_ASKED;
    self->customer->asked++;
    if (is_detached) {
        self->err = dw_client_detach (self->client, &submission, 20000, record->name, NULL);
        record->state = self->err ? CUSTOMERS_ASKED : CUSTOMERS_PROMISED;
        return;
    }
    self->err = dw_client_submit (self->client, &submission, &number, NULL);
    self->run_of[number % NUMBERS_MAX] = run;
    if (is_long) {
        self->long_number = number;
        self->cancel_ms = now_ms () + 100 + random_below (&self->random, 400);
    }
}

/* Waits for a run that was detached, by itself or by a process before. */
static void s_take_up (s_self_t *self, uint32_t run) {
    uint64_t number = 0;
    int err = dw_client_take_up (self->client, self->customer->runs[run].name, 20000, &number,
                                 NULL);
    self->is_awaited[run] = true;
    if (err == DW_EREFUSED || err == DW_EKEY)
        self->customer->refused++; /* it was promised */
    else if (err)
        self->err = err;
    else
        self->run_of[number % NUMBERS_MAX] = run;
}

/* What a process before was at. */
static void s_inherit (s_self_t *self) {
    customer_t *customer = self->customer;
    for (uint32_t run = 0; run < customer->asked && !self->err; run++)
        if (customer->runs[run].state == CUSTOMERS_ASKED)
            customer->runs[run].state = CUSTOMERS_GIVEN_UP;
        else if (customer->runs[run].state == CUSTOMERS_PROMISED) {
            s_take_up (self, run);
            customer->taken_up++;
        }
}

/* Of those that it detached itself half are left for later, which may be the next process. */
static void s_take_up_own (s_self_t *self, uint32_t from, uint32_t one_in) {
    for (uint32_t run = from; run < self->customer->asked && !self->err; run++)
        if (self->customer->runs[run].state == CUSTOMERS_PROMISED && !self->is_awaited[run] &&
            random_one_in (&self->random, one_in))
            s_take_up (self, run);
}

static void s_wait (s_self_t *self) {
    dw_result_t *result = NULL;
    if (self->cancel_ms && now_ms () >= self->cancel_ms) {
        dw_client_cancel (self->client, self->long_number);
        self->cancel_ms = 0;
    }
    int err = dw_client_wait_any (self->client, NULL, 0, 5, &result);
    if (err == DW_OK)
        s_take (self, result);
    else if (err == DW_ENOENT)
        sleep_ms (1);
    else if (err != DW_ETIMEDOUT)
        self->err = err;
    dw_result_destroy (&result);
}

static void s_go_on (s_self_t *self) {
    uint32_t first = self->customer->asked;
    s_inherit (self);
    while (!s_all->is_over && !self->err && self->customer->asked < CUSTOMERS_RUNS_MAX) {
        if (dw_client_in_flight (self->client) < IN_FLIGHT &&
            (self->cancel_ms == 0 || !s_is_long (self->customer->asked)))
            s_ask (self);
        s_take_up_own (self, self->customer->asked - 1, 2);
        s_wait (self);
    }
    s_take_up_own (self, first, 1);
    while (!self->err && dw_client_in_flight (self->client) > 0)
        s_wait (self);
    for (dw_result_t *result; (result = dw_client_next (self->client));
         dw_result_destroy (&result)) /* that had come already */
        s_take (self, result);
}

/* Asks for a run that does not end by itself, and waits until it is killed. */
static void s_bid_farewell (s_self_t *self) {
    while (!s_is_long (self->customer->asked))
        self->customer->asked++;
    s_ask (self);
    self->cancel_ms = 0;
    while (!self->err)
        s_wait (self);
}

int customers_run (uint32_t place, const dw_connect_options_t *options) {
    static s_self_t self;
    self.customer = &s_all->each[place];
    self.place = place;
    self.random = random_from ((uint64_t) now_ms () + place);
    for (int64_t until_ms = now_ms () + 10000; !self.client && now_ms () < until_ms;) {
        dw_error_t *error = dw_error_new ();
        if (dw_client_connect (&self.client, options, error) && getenv ("CHAOS_VERBOSE"))
            fprintf (stderr, "%s", dw_error_text (error));
        dw_error_destroy (&error);
    }
    if (!self.client)
        return FLEET_NOT_BEGUN;
    if (s_all->is_farewell)
        s_bid_farewell (&self);
    else
        s_go_on (&self);
    self.customer->failed += self.err != DW_OK;
    if (self.err)
        fprintf (stderr, "customer %u: %s\n", (unsigned) place, dw_err_text (self.err));
    dw_client_destroy (&self.client);
    return self.err == DW_OK      ? FLEET_ENDED_OK
           : self.err == DW_ELOST ? FLEET_ENDED_LOST
                                  : FLEET_ENDED_ELSE;
}
