#!/bin/bash
# The examples for Slurm on a real one: slurmctld, munge and three slurmd, which it starts and ends. What a job gives is compared byte
# by byte with what one process gives, but for durations and the numbers of runs. As root, with Debian's slurm-wlm, slurm-client and munge.
# usage: tests/slurm/run.sh [BUILD] [SCENARIO...]
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
build=$(realpath "${1:-build}")
shift
source tests/slurm/cluster.sh

for tool in slurmctld slurmd munged sbatch srun; do
    command -v $tool >/dev/null || { echo "$tool is missing (packages slurm-wlm, slurm-client, munge): not tried"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "a cluster of its own needs root: not tried"; exit 77; }

folder=$(mktemp -d /tmp/dagwood-slurm.XXXXXX)
chmod 755 "$folder"
allocation=$PWD/examples/slurm/allocation.sh
pilot=$PWD/examples/slurm/pilot.sh
export DAGWOOD=$build/dagwood
unset "${!SLURM_@}" "${!SBATCH_@}" "${!SRUN_@}"
started=() # pids

finish () {
    local status=$? pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null
    done
    cluster_down "$folder"
    [ $status = 0 ] && rm -rf "$folder" || echo "its files are in $folder"
}
trap finish EXIT

# -- What scenarios are made of ----------------------------------------------------------------------------------------

fail () {
    echo "  FAILED: $*"
    exit 1
}

# Waits for a command to hold.
await () { # SECONDS WHAT COMMAND...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "$what did not come in time: $*"
        sleep 0.1
    done
}

field () { # JOB NAME
    scontrol -o show job "$1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"
}

is_in_state () { # JOB STATE
    [ "$(field "$1" JobState)" = "$2" ]
}

await_state () { # JOB STATE SECONDS
    await "$3" "job $1 in state $2" is_in_state "$1" "$2"
}

expect () { # WHAT SEEN EXPECTED
    [ "$2" = "$3" ] || fail "$1 is \"$2\", not \"$3\""
}

# The worker of a job, a rank and an incarnation; nothing if it does not run.
worker_pid () { # JOB RANK RESTARTS
    local pid
    for pid in $(cluster_pids); do
        if [ "$(readlink "/proc/$pid/exe")" = "$build/dagwood" ] && grep -qzx "SLURM_JOB_ID=$1" "/proc/$pid/environ" &&
            grep -qzx "SLURM_PROCID=$2" "/proc/$pid/environ" && grep -qzx worker "/proc/$pid/cmdline" &&
            { [ "$3" = 0 ] && ! grep -qz '^SLURM_RESTART_COUNT=' "/proc/$pid/environ" ||
                grep -qzx "SLURM_RESTART_COUNT=$3" "/proc/$pid/environ"; }; then
            echo "$pid"
        fi
    done 2>/dev/null
}

job_pids () { # JOB
    local pid
    for pid in $(cluster_pids); do
        ! grep -qzxs "SLURM_JOB_ID=$1" "/proc/$pid/environ" || echo "$pid"
    done
}

has_worker () { # JOB RANK RESTARTS
    [ -n "$(worker_pid "$@")" ]
}

is_gone () { # PID
    ! kill -0 "$1" 2>/dev/null
}

has_no_processes () {
    [ -z "$(cluster_pids)" ]
}

has_lines () { # FILE COUNT
    [ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

plain () {
    sed -E 's/"run":[0-9]+/"run":N/; s/"duration_us":[0-9]+/"duration_us":N/g; s/"attempts":[0-9]+/"attempts":N/g' "$@"
}

# Whether results are those of one process, all of them or the first so many.
compare () { # RESULTS EXPECTED
    plain "$1" | cmp - <(plain "$2") || fail "$1 is not what one process gives"
}

# A pipeline whose every run takes a while, and so many lines for it; what one process makes of them.
make_work () { # NAME MS LINES
    sed "s/MS/$2/" >"$folder/$1.yaml" <<'END'
executor_options: {max_concurrency: 64}
processors:
  - {id: nap, processor: sleep, options: {ms: MS}}
  - {id: upper, processor: change_text_case_upper, depends_on: [nap]}
  - {id: reverse, processor: reverse_text, depends_on: [upper]}
  - {id: words, processor: word_frequency_analyzer, depends_on: [nap]}
END
    seq -f "line %g of a text that is cut into lines" "$3" >"$folder/$1.txt"
    sed 's/ms: [0-9]*/ms: 0/' "$folder/$1.yaml" >"$folder/fast.yaml"
    "$build/dagwood" run "$folder/fast.yaml" --lines "$folder/$1.txt" >"$folder/$1.expected" 2>"$folder/$1.said" ||
        fail "one process"
}

submit_allocation () { # NAME OPTION...
    local name=$1
    shift
    (cd "$folder" && sbatch --parsable --nodes=3 --output="$folder/$name.log" "$@" "$allocation" \
        "$name.yaml" "$name.txt" "$name.results")
}

# What an allocation that has ended leaves behind: all results, and nothing else.
expect_whole () { # NAME
    compare "$folder/$1.results" "$folder/$1.expected"
    [ -z "$(find "$folder" -maxdepth 1 -name '.dagwood-*')" ] || fail "a folder with keys was left behind"
}

# A coordinator that is no job, and pilots of it.
coordinate () { # NAME
    "$build/dagwood" coordinator "$folder/$1.yaml" --listen 'tcp://127.0.0.1:*' --rendezvous "$folder/$1.at" \
        --silence-ms 60000 >"$folder/$1.coordinator" 2>&1 &
    coordinator=$!
    started+=($coordinator)
    await 10 "the coordinator" test -f "$folder/$1.at"
}

submit_pilots () { # NAME ARRAY
    sbatch --parsable --array="$2" --output="$folder/$1.%A_%a.log" "$pilot" --rendezvous "$folder/$1.at"
}

job_of () { # ARRAY TASK
    squeue -h -j "$1_$2" -o %A
}

ask () { # NAME KEY
    "$build/dagwood" status --rendezvous "$folder/$1.at" --format json | python3 -c "import json, sys; print (json.load (sys.stdin)['$2'])"
}

is_number_of_workers () { # NAME COUNT
    [ "$(ask "$1" workers | grep -o "'pid'" | wc -l)" = "$2" ]
}

# Whether every slot of two pilots is at a task.
is_at_work () { # NAME
    [ "$(ask "$1" workers | grep -o "'busy': 2" | wc -l)" = 2 ]
}

is_said () { # TEXT FILE
    grep -qsF "$1" "$2"
}

is_said_twice () { # TEXT FILE
    [ "$(grep -csF "$1" "$2")" = 2 ]
}

# A job that was requeued waits for two minutes by itself. Its new credential counts as revoked when it is of the old one's second.
start_again () { # JOB [WHAT...]
    await_state "$1" PENDING 20
    sleep 2
    scontrol update JobId="$1" StartTime=now "${@:2}"
}

# -- Scenarios ---------------------------------------------------------------------------------------------------------

start_is_one_allocation () {
    make_work start 20 300
    job=$(submit_allocation start)
    await_state "$job" COMPLETED 30
    expect "its exit status" "$(field "$job" ExitCode)" 0:0
    expect_whole start
}

a_rank_that_is_killed_takes_nothing_along () {
    make_work rank 20 2500
    job=$(submit_allocation rank)
    await 20 "the second worker" has_worker "$job" 1 0
    await 20 "results" has_lines "$folder/rank.results" 50
    kill -KILL "$(worker_pid "$job" 1 0)" || fail "it was not there any more"
    await_state "$job" COMPLETED 40
    expect_whole rank
}

a_node_that_goes_down_takes_nothing_along () {
    make_work node 20 2500
    job=$(submit_allocation node)
    await 20 "the third worker" has_worker "$job" 2 0
    await 20 "results" has_lines "$folder/node.results" 50
    kill -KILL "$(cat "$folder/slurmd.n3.pid")" "$(worker_pid "$job" 2 0)" || fail "it was not there any more"
    scontrol update NodeName=n3 State=DOWN Reason=test
    await_state "$job" COMPLETED 40
    expect_whole node
    scontrol update NodeName=n3 State=RESUME
    cluster_start_node n3
    cluster_await_idle $nodes || fail "n3 did not come back"
}

a_time_limit_requeues_and_nothing_is_done_twice_or_lost () {
    make_work limit 100 3000
    job=$(submit_allocation limit --time=1 --signal=TERM@45)
    await 70 "the requeue" is_said "allocation.sh: requeued" "$folder/limit.log"
    has_lines "$folder/limit.results" 3000 && fail "it was through before its time was over"
    start_again "$job" TimeLimit=10
    await_state "$job" COMPLETED 90
    expect "restarts" "$(field "$job" Restarts)" 1
    grep -q "goes on behind them" "$folder/limit.log" || fail "it began anew"
    expect_whole limit
}

scancel_ends_all_and_requeues_nothing () {
    make_work scancel 20 5000
    job=$(submit_allocation scancel)
    await 20 "results" has_lines "$folder/scancel.results" 50
    scancel "$job"
    await_state "$job" CANCELLED 20
    await 20 "the end of its processes" has_no_processes
    expect "restarts" "$(field "$job" Restarts)" 0
    sed '/^{"run":[0-9]*,"status":"cancelled"/,$d' "$folder/scancel.results" >"$folder/scancel.whole"
    has_lines "$folder/scancel.whole" 50 || fail "what was done before it is not there"
    compare "$folder/scancel.whole" <(head -n "$(wc -l <"$folder/scancel.whole")" "$folder/scancel.expected")
}

a_wrong_graph_ends_the_job_at_once () {
    make_work wrong 20 10
    sed -i 's/processor: sleep/processor: slep/' "$folder/wrong.yaml"
    job=$(submit_allocation wrong)
    await_state "$job" FAILED 15
    expect "its exit status" "$(field "$job" ExitCode)" 78:0
    expect "restarts" "$(field "$job" Restarts)" 0
    is_said "did you mean \"sleep\"?" "$folder/wrong.log" || fail "what is wrong is not said"
    await 20 "the end of its processes" has_no_processes
    [ -z "$(find "$folder" -maxdepth 1 -name '.dagwood-*')" ] || fail "a folder with keys was left behind"
}

pilots_come_and_go () {
    make_work pilots 20 3000
    coordinate pilots
    array=$(submit_pilots pilots 1-2)
    "$build/dagwood" submit --rendezvous "$folder/pilots.at" --lines "$folder/pilots.txt" >"$folder/pilots.results" &
    client=$!
    await 20 "results" has_lines "$folder/pilots.results" 100
    more=$(submit_pilots pilots 3)
    await 20 "one more" is_said "working for" "$folder/pilots.${more}_3.log"
    scancel "${array}_1"
    await 20 "one fewer" is_said "what is begun is finished" "$folder/pilots.${array}_1.log"
    wait $client || fail "submit"
    compare "$folder/pilots.results" "$folder/pilots.expected"
    kill $coordinator
    await_state "${array}_2" COMPLETED 20 # the others ended with their coordinator
    await_state "${more}_3" COMPLETED 20
}

a_pilot_that_goes_down_is_requeued_and_no_other () {
    make_work pilot 20 10
    coordinate pilot
    array=$(submit_pilots pilot 1-2)
    await 20 "the pilots" is_number_of_workers pilot 2
    kill -KILL "$(worker_pid "$(job_of "$array" 2)" 0 0)" || fail "it was not there any more"
    await 20 "the requeue" is_said "pilot.sh: requeued (status 137)" "$folder/pilot.${array}_2.log"
    start_again "${array}_2"
    await 20 "the pilot again" is_said_twice "working for" "$folder/pilot.${array}_2.log"
    is_number_of_workers pilot 2 || fail "the one that was killed is still there"
    expect "restarts of the one" "$(field "${array}_2" Restarts)" 1
    expect "restarts of the other" "$(field "${array}_1" Restarts)" 0
    kill $coordinator
    await_state "${array}_1" COMPLETED 20
    await_state "${array}_2" COMPLETED 20
}

a_late_answer_from_a_node_declared_down_is_nobodys () {
    make_work late 400 30
    # It looks at the clock before it looks for a cancellation, so what was cut off answers before it hears that it is out.
    sed -i 's/processor: sleep, options: {ms: 400}/processor: spin, options: {us: 400000}/' "$folder/late.yaml"
    coordinate late
    array=$(submit_pilots late 1-2)
    job=$(job_of "$array" 2)
    await 20 "two workers" is_number_of_workers late 2
    old=$(worker_pid "$job" 0 0)
    node=$(field "${array}_2" BatchHost)
    "$build/dagwood" submit --rendezvous "$folder/late.at" --lines "$folder/late.txt" >"$folder/late.results" &
    client=$!
    await 20 "tasks" is_at_work late
    mapfile -t cut < <(job_pids "$job") # the node is cut off: nothing of it hears Slurm, or is heard
    kill -STOP "${cut[@]}"
    kill -KILL "$(cat "$folder/slurmd.$node.pid")"
    scontrol update NodeName="$node" State=DOWN Reason=test
    start_again "${array}_2"
    await 30 "the next incarnation" has_worker "$job" 0 1
    await 20 "its tasks" is_at_work late
    ignored=$(ask late messages_ignored)
    kill -CONT "${cut[@]}"
    await 10 "the end of the earlier one" is_gone "$old"
    [ "$(ask late messages_ignored)" -gt "$ignored" ] || fail "no late answer came"
    wait $client || fail "submit"
    compare "$folder/late.results" "$folder/late.expected"
    expect "restarts" "$(field "${array}_2" Restarts)" 1
    expect "workers" "$(ask late workers | grep -o "'pid'" | wc -l)" 2
    kill $coordinator
    await_state "${array}_2" COMPLETED 20
    scontrol update NodeName="$node" State=RESUME
    cluster_start_node "$node"
    cluster_await_idle $nodes || fail "$node did not come back"
}

what_is_missing_is_named () {
    for variable in SLURM_JOB_ID SLURM_STEP_ID SLURM_PROCID; do
        srun -n1 env -u $variable "$build/dagwood" worker --slurm --connect tcp://127.0.0.1:1 >"$folder/said" 2>&1
        expect "the status without $variable" $? 64
        grep -q -- "--slurm: $variable is not set" "$folder/said" || fail "$variable was not named: $(cat "$folder/said")"
    done
    srun -n2 -N1 "$build/dagwood" worker --slurm --connect tcp://127.0.0.1:1 >"$folder/said" 2>&1
    expect "the status without CPUs" $? 64
    grep -q "SLURM_CPUS_PER_TASK is not set" "$folder/said" || fail "SLURM_CPUS_PER_TASK was not named"
    bash "$allocation" a b c 2>"$folder/said"
    expect "the status of allocation.sh without Slurm" $? 64
    grep -q "SLURM_JOB_ID is not set" "$folder/said" || fail "SLURM_JOB_ID was not named"
    bash "$pilot" --connect tcp://127.0.0.1:1 2>"$folder/said"
    expect "the status of pilot.sh without Slurm" $? 64
}

# -- All of them -------------------------------------------------------------------------------------------------------

scenarios=(what_is_missing_is_named start_is_one_allocation a_rank_that_is_killed_takes_nothing_along
    a_node_that_goes_down_takes_nothing_along scancel_ends_all_and_requeues_nothing a_wrong_graph_ends_the_job_at_once pilots_come_and_go
    a_pilot_that_goes_down_is_requeued_and_no_other
    a_late_answer_from_a_node_declared_down_is_nobodys a_time_limit_requeues_and_nothing_is_done_twice_or_lost)
[ $# = 0 ] || scenarios=("$@")
cluster_up "$folder" || fail "the cluster did not come up: $(tail -n 5 "$folder/slurmctld.log")"
echo "a cluster of $nodes nodes is up"
for scenario in "${scenarios[@]}"; do
    begin=$SECONDS
    "$scenario"
    printf '  %-62s ok %4d s\n' "${scenario//_/ }" $((SECONDS - begin))
done
