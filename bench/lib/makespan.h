/* makespan.h - how long a graph takes on paper.
 *
 * No schedule is shorter than the longest path of task times, nor than all task times divided by
 * the workers. List scheduling (Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl.
 * Math. 17(2), 1969) starts, whenever a worker is free, the first ready task of a list, at no cost;
 * here the list is by the longest path from the task to an end, itself included: highest level
 * first (HLFET; Adam, Chandy, Dickson, CACM 17(12), 1974), as dagwood's priority critical_path
 * orders it. */

#ifndef DW_MAKESPAN_H
#define DW_MAKESPAN_H

#include "bench/lib/work.h"

/* The longest path of task times; false: no memory. */
bool dw_makespan_critical_path (const dw_work_t *work, uint64_t *ns_p);
/* When the last task ends, on so many workers. What is equally urgent starts in the order of nodes.
 * Takes O((nodes + edges) log nodes); false: no memory. */
bool dw_makespan_list (const dw_work_t *work, uint32_t workers_count, uint64_t *ns_p);

#endif
