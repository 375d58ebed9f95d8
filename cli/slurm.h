/* slurm.h - what Slurm's environment says of a worker that is a task of a job: its name, how often
 * its job was started before, and its CPUs.
 *
 * Reads the environment and nothing else. A job that is requeued keeps its number, so its tasks
 * keep their names, and SLURM_RESTART_COUNT makes them later incarnations of the same workers. */

#ifndef DW_SLURM_H
#define DW_SLURM_H

#include "dagwood.h"

typedef struct dw_slurm_t {
    char name[DW_AGENT_NAME_MAX + 1]; /* CLUSTER/JOB.STEP.TASK; "": it was not asked */
    uint32_t incarnation;
    uint32_t slots; /* CPUs of the task; 0: it was not asked */
} dw_slurm_t;

/* wants_name, wants_slots: a name is made, the number of CPUs is looked at, because nobody has said
 * another. Returns an exit status, and says which variable is missing, or has not what it
 * should. */
int dw_slurm_read (dw_slurm_t *self, bool wants_name, bool wants_slots);

#endif
