/* pack_seeds.h - the seeds of the packed graphs' fuzz target. */

#ifndef TESTS_PACK_SEEDS_H
#define TESTS_PACK_SEEDS_H

#include "runtime/core/graph.h"

/* A name and a graph, which the caller owns, for each index; NULL and no graph behind the last. */
const char *pack_seed (size_t index, dw_graph_t **graph_p);

#endif
