#!/bin/bash
# A run for every line of a file, by all nodes of one allocation: the coordinator and the client are in the batch script, on its first
# node, and srun starts a worker on each. A line of JSON for each line of LINES is added to RESULTS, in their order.
#
#     sbatch --nodes=8 --cpus-per-task=16 allocation.sh GRAPH LINES RESULTS
#
# The folder that it is submitted from has to be one that all nodes share. DAGWOOD says where the command is [dagwood, of PATH].
#
# A node that goes down takes its worker along, and the others go on. Before its time is over, or when all workers are gone, the
# job is requeued, and goes on behind the results that it has. A signal that is no time limit (scancel) does not requeue it.
#SBATCH --job-name=dagwood
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=2
#SBATCH --no-kill
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@120
set -u
dagwood=${DAGWOOD:-dagwood}
grace=100    # seconds that a worker may take for what it has begun; --signal says 120
restarts_max=5
in_flight=8  # runs, for each CPU: when the job is requeued these are made again, and more of them are of use for brief tasks alone

say () {
    echo "allocation.sh: $*" >&2
}

[ $# = 3 ] || { say "usage: sbatch allocation.sh GRAPH LINES RESULTS"; exit 64; }
graph=$1 lines=$2 results=$3
for variable in SLURM_JOB_ID SLURM_SUBMIT_DIR SLURM_NTASKS SLURM_CPUS_PER_TASK SLURMD_NODENAME; do
    [ -n "${!variable:-}" ] || { say "$variable is not set: is this a job that sbatch has started?"; exit 64; }
done

# -- Where, and with which keys ----------------------------------------------------------------------------------------

# What only this job may read, on all of its nodes.
folder=$(umask 077 && mktemp -d "$SLURM_SUBMIT_DIR/.dagwood-$SLURM_JOB_ID.XXXXXX") || exit 74
trap 'rm -rf "$folder"' EXIT

# The address by which the other nodes reach this one.
node=$(scontrol -o show node "$SLURMD_NODENAME" | sed -n 's/.* NodeAddr=\([^ ]*\).*/\1/p')
address=$(getent ahostsv4 "$node" | awk '{ print $1; exit }')
[ -n "$address" ] || { say "no address is known of the node $SLURMD_NODENAME"; exit 69; }

"$dagwood" keygen "$folder/coordinator.key" >/dev/null &&
    "$dagwood" keygen "$folder/job.key" |
    sed -n 's/^ *worker \(.*\) NAME$/worker \1 job\nclient \1 job/p' >"$folder/allowed" || exit
peer=(--rendezvous "$folder/at" --key "$folder/job.key" --server-key "$folder/coordinator.key.pub")

# -- What was done before ----------------------------------------------------------------------------------------------

# The results of this job before it was requeued, up to the first that was cancelled, or was not written whole.
touch "$results" && head -n "$(wc -l <"$results")" "$results" |
    sed '/^{"run":[0-9]*,"status":"cancelled",/,$d' >"$folder/before" && cat "$folder/before" >"$results" || exit 74
before=$(wc -l <"$results")
[ "$before" = 0 ] || say "$before results are there, and it goes on behind them"

# -- At work -----------------------------------------------------------------------------------------------------------

cpus=$((SLURM_NTASKS * SLURM_CPUS_PER_TASK))
"$dagwood" coordinator "$graph" --listen "tcp://$address:*" --keys "$folder" --rendezvous "$folder/at" \
    --slots-max $cpus --runs-max $((in_flight * cpus)) &
coordinator=$!
# -K0: a task that ends badly does not end the others. --overlap: more steps may come, such as dagwood status.
srun -K0 --no-kill --overlap --ntasks="$SLURM_NTASKS" --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    "$dagwood" worker --slurm "${peer[@]}" --grace-seconds $grace &
workers=$!
"$dagwood" submit "${peer[@]}" --lines - < <(tail -n "+$((before + 1))" "$lines") >>"$results" &
client=$!

# Who ends first, also when that was before: nothing in the foreground has been waited for since they were started.
wait -n -p first "$coordinator" "$workers" "$client"
status=$?
if [ "${first:-}" = "$coordinator" ]; then
    say "the coordinator has ended (status $status): nothing goes on without it"
    kill -TERM "$client" 2>/dev/null # Slurm ends the workers with this script
    [ $status = 0 ] || wrong=$status # the graph, the address: it would be the same again
elif kill -TERM "$client" 2>/dev/null; then
    say "every worker has left (status $status): what is in flight is cancelled"
    case $status in
        0 | 71 | 75 | 1[2-9][0-9]) again=yes ;;
        *) wrong=$status ;; # words, keys, the graph: it would be the same again
    esac
fi
wait "$client"
status=$?
kill "$coordinator" 2>/dev/null && wait

# -- Its end -----------------------------------------------------------------------------------------------------------

case ${wrong:-$status} in
    69 | 71 | 75) again=yes ;; # nobody there, resources refused, lost: another try may do better
esac

# Whether Slurm still takes this to be the job: it was not cancelled, nor started again elsewhere.
is_current () {
    scontrol -o show job "$SLURM_JOB_ID" | grep -q "JobState=RUNNING .* Restarts=${SLURM_RESTART_COUNT:-0} "
}

if [ "${again:-no}" = yes ] && [ "${SLURM_RESTART_COUNT:-0}" -lt $restarts_max ] && is_current; then
    say "requeued (status ${wrong:-$status})"
    rm -rf "$folder"
    scontrol requeue "$SLURM_JOB_ID" && sleep 60 # until Slurm ends it
fi
exit "${wrong:-$status}"
