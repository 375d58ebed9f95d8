/* slurm.c */

#include "cli/slurm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

/* A variable that is a whole number. False: it is missing, or is none, which is said. */
static bool s_number (const char *variable, uint32_t *number_p) {
    const char *text = getenv (variable);
    if (!text || !text[0]) {
        dw_command_say ("--slurm: %s is not set: a worker is started by srun, in a job", variable);
        return false;
    }
    char *end;
    errno = 0;
    unsigned long number = strtoul (text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > UINT32_MAX) {
        dw_command_say ("--slurm: %s is \"%.64s\", which is no number", variable, text);
        return false;
    }
    *number_p = (uint32_t) number;
    return true;
}

/* Slurm tells the CPUs of a task only where it was asked for some. All those of the job on this
 * node are right for a task that is alone there: "1" or "1(x3)". */
static bool s_is_alone (void) {
    const char *tasks = getenv ("SLURM_STEP_TASKS_PER_NODE");
    return tasks && tasks[0] == '1' && (!tasks[1] || tasks[1] == '(') && !strchr (tasks, ',');
}

static bool s_slots (uint32_t *slots_p) {
    if (!getenv ("SLURM_CPUS_PER_TASK") && !s_is_alone ()) {
        dw_command_say ("--slurm: SLURM_CPUS_PER_TASK is not set, and there are several tasks on a "
                        "node: ask for CPUs by --cpus-per-task, or say --slots");
        return false;
    }
    return s_number (getenv ("SLURM_CPUS_PER_TASK") ? "SLURM_CPUS_PER_TASK" : "SLURM_CPUS_ON_NODE",
                     slots_p);
}

/* Of several clusters jobs may have the same number. */
static bool s_name (dw_slurm_t *self, uint32_t job, uint32_t step, uint32_t task) {
    const char *cluster = getenv ("SLURM_CLUSTER_NAME");
    int size = snprintf (self->name, sizeof self->name, "%s%s%u.%u.%u", cluster ? cluster : "",
                         cluster ? "/" : "", (unsigned) job, (unsigned) step, (unsigned) task);
    if (size >= (int) sizeof self->name)
        dw_command_say ("--slurm: SLURM_CLUSTER_NAME is too long for a worker's name: say --name");
    return size < (int) sizeof self->name;
}

int dw_slurm_read (dw_slurm_t *self, bool wants_name, bool wants_slots) {
    uint32_t job = 0, step = 0, task = 0;
    *self = (dw_slurm_t){0};
    bool is_told = s_number ("SLURM_JOB_ID", &job);
    is_told &= s_number ("SLURM_STEP_ID", &step);
    is_told &= s_number ("SLURM_PROCID", &task);
    if (getenv ("SLURM_RESTART_COUNT")) /* which a job that was never requeued has not */
        is_told &= s_number ("SLURM_RESTART_COUNT", &self->incarnation);
    if (wants_slots)
        is_told &= s_slots (&self->slots);
    if (is_told && wants_name)
        is_told = s_name (self, job, step, task);
    return is_told ? DW_EXIT_OK : DW_EXIT_USAGE;
}
