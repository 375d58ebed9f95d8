/* crew.h - the workers of a simulated world: they obey in their own time, as its script says.
 *
 * A worker does its tasks in order and says what came of them, now or later, step by step or many
 * at once. What it says arrives after all that it said before, some of it twice or too early as
 * well; what is on its way to one that goes down is lost. worker is an index. */

#ifndef TESTS_CREW_H
#define TESTS_CREW_H

#include "tests/support/world.h"

/* How long a message to or from a worker takes. */
int64_t crew_delay (world_t *world);
/* What becomes of the next attempt at node number at of run. */
outcome_t crew_outcome (const world_t *world, uint32_t run, uint32_t at);
/* A worker says something. */
void crew_say (world_t *world, uint32_t worker, dw_event_t event);
/* It goes on with its first task, if it has one and does nothing. */
void crew_begin (world_t *world, uint32_t worker);
/* It is through with a step of the task with that ticket. */
void crew_work (world_t *world, uint32_t worker, uint64_t ticket);
/* It hears that nobody waits any more for what is behind so many steps of ticket. */
void crew_cancel (world_t *world, uint32_t worker, uint64_t ticket, uint32_t steps);
/* It will join, for the first time or again. */
void crew_come (world_t *world, uint32_t worker, int64_t delay_ns);
/* It is gone, with all that it holds. */
void crew_clear (member_t *worker);

#endif
