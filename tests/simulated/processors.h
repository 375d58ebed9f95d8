/* processors.h - the processors of random_graph.h in a simulated world: they take their time, fail,
 * hang, and take their process down, as the plot says. */

#ifndef TESTS_PROCESSORS_H
#define TESTS_PROCESSORS_H

#include "tests/simulated/plot.h"

/* crash ends the current process, and does not return; can_crash says whether it may. */
void processors_begin (const plot_t *plot, bool (*can_crash) (void), void (*crash) (void));
/* The caller's; NULL: no memory. */
dw_processors_t *processors_new (void);

/* What others need who run them without the product's calls. node is by declaration. */

/* A node of a run that may run but once begins, and fails the world if it has before; what has
 * failed may be tried again: then the caller says so. NULL: it may run as often as it likes. */
bool *processors_begin_once (const char *key, uint32_t node);
/* It may take its process down, and then does not return. */
void processors_crash_perhaps (uint32_t node);
/* Whether an attempt of it that fails hangs first; it is counted. */
bool processors_hangs (uint32_t node, uint32_t attempt);
/* How long it takes. */
int64_t processors_draw_time (uint32_t node, bool hangs);

#endif
