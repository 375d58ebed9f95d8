/* processors.h - the processors of random_graph.h in a simulated world: they take their time, fail, hang, and take their
 * process down, as the plot says. */

#ifndef TESTS_PROCESSORS_H
#define TESTS_PROCESSORS_H

#include "tests/simulated/plot.h"

/* crash ends the current process, and does not return; can_crash says whether it may. */
void processors_begin (const plot_t *plot, bool (*can_crash) (void), void (*crash) (void));
/* The caller's; NULL: no memory. */
dw_processors_t *processors_new (void);

#endif
