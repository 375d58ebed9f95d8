/* customers.h - client processes of a chaos test: what they ask for, and what they got, in memory that outlives them.
 *
 * A customer is a place where one client process follows another: each is killed in the middle of what it is at, and the next
 * one goes on. What the dead one waited for nobody gets any more; what it detached the next one takes up:
 *
 *     (nothing) --> ASKED --- it comes ---------------------> GOT
 *                     |  \--- detached --> PROMISED -- taken up, by this process or the next --> GOT
 *                     \------ its process was killed -------> GIVEN_UP
 *
 * Every run has a text of its own, so that a result of another is seen, and its first node counts how often it was begun, so
 * that one that is made twice is seen, too. */

#ifndef TESTS_CHAOS_CUSTOMERS_H
#define TESTS_CHAOS_CUSTOMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "dagwood.h"

#define CUSTOMERS          4u
#define CUSTOMERS_RUNS_MAX 16384u

typedef enum customers_state_t {
    CUSTOMERS_NOTHING,
    CUSTOMERS_ASKED,
    CUSTOMERS_PROMISED,
    CUSTOMERS_GOT,
    CUSTOMERS_GIVEN_UP
} customers_state_t;

typedef struct customers_run_t {
    _Atomic uint8_t state; /* customers_state_t */
    _Atomic uint8_t begun; /* first attempts at its first node */
    char name[DW_RUN_NAME_SIZE];
} customers_run_t;

typedef struct customer_t {
    _Atomic uint32_t asked;    /* runs, by their number from 0 on */
    _Atomic uint32_t got;      /* results, those that were cancelled too */
    _Atomic uint32_t taken_up; /* runs that a process before had detached */
    _Atomic uint32_t cancelled, quarantined, doubled, wrong;
    _Atomic uint32_t refused; /* when it took up what it had been promised */
    _Atomic uint32_t failed;  /* processes whose client was of no use any more */
    customers_run_t runs[CUSTOMERS_RUNS_MAX];
} customer_t;

typedef struct customers_t {
    _Atomic bool is_over; /* nothing new: whoever has all that it asked for ends */
    _Atomic bool
        is_farewell; /* whoever comes asks for one run that does not end by itself, and waits */
    customer_t each[CUSTOMERS];
} customers_t;

/* Before there is any other process; false: no memory. */
bool customers_begin (void);
customers_t *customers_all (void);
/* While none is there. */
void customers_forget (void);

/* Their graph, of four nodes, and its processors, which are added to a set. */
dw_graph_t *customers_graph (void);
void customers_add_processors (dw_processors_t *processors);

/* What a client process does; an exit status of the fleet. */
int customers_run (uint32_t place, const dw_connect_options_t *options);

#endif
