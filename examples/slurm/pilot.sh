#!/bin/bash
# Workers as jobs of their own, for a coordinator that is somewhere else: as many as you like, more or fewer at any time.
#
#     sbatch --array=1-20 --cpus-per-task=16 --time=4:00:00 pilot.sh --rendezvous FILE --key FILE --server-key FILE
#     scancel JOB_7                                    one fewer: what it was at is done by the others
#
# Its words are those of dagwood worker, without its name and slots, which Slurm says. DAGWOOD says where the command is [dagwood].
#
# Two minutes before its time is over a pilot finishes what it has begun, gives the rest back and ends. One whose coordinator was lost
# for as long as --reconnect, or that went down, is requeued; so is one whose node went down, by Slurm.
#SBATCH --job-name=dagwood-pilot
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@120
set -u
dagwood=${DAGWOOD:-dagwood}
grace=100    # seconds that a worker may take for what it has begun; --signal says 120
restarts_max=5

for variable in SLURM_JOB_ID SLURM_CPUS_PER_TASK; do
    [ -n "${!variable:-}" ] || { echo "pilot.sh: $variable is not set: is this a job that sbatch has started?" >&2; exit 64; }
done

srun -K0 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$dagwood" worker --slurm --grace-seconds $grace "$@"
status=$?

case $status in
    71 | 75) again=yes ;;         # resources refused, coordinator lost: another try may do better
    13[0-9] | 14[0-9]) again=yes ;; # it went down by a signal
    *) again=no ;;                # 0: it has drained, or the coordinator has ended; 64 and so on: it would be the same again
esac

# A job of an array: the number of its last one is that of the array, too, which is not to be requeued as a whole.
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}

# Whether Slurm still takes this to be the job: it was not cancelled, nor started again elsewhere.
is_current () {
    scontrol -o show job "$job" | grep -q "JobState=RUNNING .* Restarts=${SLURM_RESTART_COUNT:-0} "
}

if [ $again = yes ] && [ "${SLURM_RESTART_COUNT:-0}" -lt $restarts_max ] && is_current; then
    echo "pilot.sh: requeued (status $status)" >&2
    scontrol requeue "$job" && sleep 60 # until Slurm ends it
fi
exit $status
