/* random_processors.h - the processors of random graphs, as a test runs them: for all that ends in
 * the actors. */

#ifndef TESTS_RANDOM_PROCESSORS_H
#define TESTS_RANDOM_PROCESSORS_H

#include "dagwood_processor.h"

/* Adds all of them. process is called with a `const random_processor_t *`, and finds what
 * random_graph.h says of a node in the settings. False: no memory. */
bool random_processors_add (dw_processors_t *self,
                            int (*process) (dw_call_t *call, void *instance));

#endif
