#!/bin/bash
# Our workers, client and coordinator and the examples in other languages pass `dagwood conformance`, and each of the
# broken peers (broken/defects.txt) fails at the right case: that one is played here, by command (--all) every case, of
# which no other may fail. (The one in JavaScript has a test of its own, test_foreign_node.sh.)
# usage: test_conformance.sh BUILD [--all]
set -u
build=$1
all=${2:-}
limit=$([ "$all" ] && echo 400 || echo 250) # s, for a play
# How many plays there are at one time. They wait more than they work, but for those that are sanitized.
at_once=$([ "$all" ] && echo 12 || echo 50)
grep -q '^DAGWOOD_SANITIZE:STRING=.' "$build/CMakeCache.txt" && at_once=4
# By libfaketime clocks jump. It comes before the library of a sanitizer, which wants to be the first if it is not told.
faketime=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1)
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
may_skip=none
if [ ! "$faketime" ]; then
    echo "skipped: clocks that jump, without libfaketime"
    may_skip=clock-
fi
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
cat >"$folder/graph.yaml" <<'END'
processors:
  - {id: first, processor: identity, type: remote}
  - {id: second, processor: reverse_text, type: remote, depends_on: [first]}
END

fail () {
    echo "$*" | tee -a "$folder/failures"
}

expect_status () { # STATUS COMMAND...
    local expected=$1 status=0
    shift
    "$@" >"$folder/said" 2>&1 || status=$?
    [ $status = "$expected" ] || fail "$*: exit status $status, not $expected: $(tail -n 3 "$folder/said")"
}

await () { # FILE: until it is there
    for _ in {1..500}; do
        [ -e "$1" ] && return
        sleep 0.02
    done
    fail "$1 did not come"
}

defects () { # the lines of those whose case is not skipped
    grep -v -e '^#' -e ": $may_skip" tests/broken/defects.txt
}

# ---- A peer and its play: what was said is in the file ----

played () { # NAME COMMAND...: plays the cases of $cases, all of them when there are none
    local name=$1 words=()
    shift
    for each in ${cases:-}; do
        words+=(--case "$each")
    done
    timeout -s KILL $limit "$@" --format tap "${words[@]}" "${behind[@]}" >"$folder/$name" 2>&1
    echo "exit $?" >>"$folder/$name"
}

play_worker () { # NAME COMMAND...
    behind=(-- "${@:2}")
    played "$1" "$build/dagwood" conformance worker --listen "ipc://$folder/$1.hub" ${keys:+--keys "$keys"}
}

play_client () {
    behind=(-- "${@:2}")
    played "$1" "$build/dagwood" conformance client --listen "ipc://$folder/$1.hub" ${keys:+--keys "$keys"}
}

jump () { # FILE: the clock of who reads it goes an hour forward and two back, until the file is gone
    while [ -e "$1" ]; do
        for offset in +3600 -3600; do
            echo $offset >"$1.next" && mv "$1.next" "$1" # who reads it finds it whole
            sleep 0.7
        done
    done
}

play_coordinator () { # NAME [RELAY]
    local pid at=ipc://$folder/$1.hub clock=()
    behind=()
    if [ "${jumps:-}" ]; then
        echo +0 >"$folder/$1.clock"
        clock=(env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$folder/$1.clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
            FAKETIME_FORCE_MONOTONIC_FIX=0)
        jump "$folder/$1.clock" &
    fi
    "${clock[@]}" "$build/dagwood" coordinator "$folder/graph.yaml" --listen "$at" --rendezvous "$folder/$1.at" ${keys:+--keys "$keys"} >"$folder/$1.log" 2>&1 &
    pid=$!
    await "$folder/$1.at"
    if [ $# -gt 1 ]; then
        sleep $limit | "$build/tests/broken_coordinator" "$2" "ipc://$folder/$1.relay" "$at" &
        await "$folder/$1.relay"
        at=ipc://$folder/$1.relay
    fi
    played "$1" "$build/dagwood" conformance coordinator --connect "$at" ${keys:+$own}
    kill $pid $(jobs -p)
    if [ "${jumps:-}" ]; then # libfaketime leaves something behind of who ends by a signal
        wait $pid
        rm -f "/dev/shm/faketime_shm_$pid" "/dev/shm/sem.faketime_sem_$pid"
    fi
}

play_defect () { # ROLE DEFECT [CASE...]
    case $1 in
        solo) play_worker "$1.$2" "$build/tests/broken_solo" "$2" "{}" ;;
        worker | client) "play_$1" "$1.$2" "$build/tests/broken_$1" "$2" "{}" ;;
        coordinator) play_coordinator "$1.$2" "$2" ;;
    esac
}

begin () { # PLAY NAME...: when there is room for it
    while [ "$(jobs -rp | wc -l)" -ge $at_once ]; do sleep 0.1; done
    "$@" &
    pids+=($!)
}

# ---- Those that pass every case ----
begin play_worker ours.worker "$build/dagwood" worker --connect "{}" --slots 2
begin play_worker ours.exec "$build/dagwood" worker --connect "{}" --exec identity=cat --slots 1
begin play_client ours.client "$build/dagwood" submit --connect "{}" --input hello
begin play_coordinator ours.coordinator
jumping=()
if [ "$faketime" ]; then
    jumps=yes begin play_coordinator clock.coordinator
    jumping=(clock.coordinator)
fi

foreign=()
python=/usr/bin/python3 # Debian's, which has Debian's modules
if $python -c 'import zmq, msgpack' 2>/dev/null; then
    begin play_worker foreign.py $python tests/foreign/conform.py --connect "{}"
    begin play_client foreign.client sh -c 'echo hello | exec "$0" examples/client.py --connect "$DAGWOOD_CONNECT"' $python
    foreign+=(foreign.py foreign.client)
else
    echo "skipped: examples/worker.py and client.py, without Debian's python3-zmq and python3-msgpack"
fi
if ruby -e 'require "ffi-rzmq"; require "msgpack"' 2>/dev/null; then
    begin play_worker foreign.rb ruby examples/worker.rb --connect "{}"
    foreign+=(foreign.rb)
else
    echo "skipped: examples/worker.rb, without ruby-ffi-rzmq and ruby-msgpack"
fi

# ---- With keys: the same cases ----

keys=$folder/keys own="--key $folder/own.key --server-key $folder/keys/coordinator.key.pub"
mkdir -m 700 "$keys"
for each in keys/coordinator own other; do
    "$build/dagwood" keygen "$folder/$each.key" >/dev/null 2>&1
done
sed -nE 's/^public = (.*)/worker \1 both\nclient \1 both/p' "$folder/own.key.pub" >"$keys/allowed"
begin play_worker keys.worker "$build/dagwood" worker --connect "{}" --slots 2 $own
begin play_client keys.client "$build/dagwood" submit --connect "{}" --input hello $own
begin play_coordinator keys.coordinator
if [[ " ${foreign[*]} " == *" foreign.py "* ]]; then
    begin play_worker keys.foreign $python tests/foreign/conform.py --connect "{}" $own
    foreign+=(keys.foreign)
fi
own="--key $folder/other.key --server-key $folder/keys/coordinator.key.pub"
expect_status 1 "$build/dagwood" conformance worker --listen "ipc://$folder/unlisted" --keys "$keys" --wait 2 --case hello -- \
    "$build/dagwood" worker --connect "{}" $own
grep -q '^hello  *FAILED' "$folder/said" || fail "who is not listed came in: $(cat "$folder/said")"
keys=

while IFS=': ' read -r role defect first others; do
    cases=$([ "$all" ] || echo "$first")
    begin play_defect "$role" "$defect"
done < <(defects)
cases=

# ---- What is no play ----

expect_status 64 "$build/dagwood" conformance
expect_status 64 "$build/dagwood" conformance worker
expect_status 64 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --case helo
grep -q 'did you mean hello?' "$folder/said" || fail "the name that was meant is not said: $(cat "$folder/said")"
expect_status 64 "$build/dagwood" conformance coordinator --listen "ipc://$folder/x"
expect_status 64 "$build/dagwood" conformance coordinator --connect "ipc://$folder/x" -- true
expect_status 69 "$build/dagwood" conformance coordinator --connect "ipc://$folder/nobody"
expect_status 1 timeout 20 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --wait 60 --case hello -- true # which is not waited for
grep -q 'ended with 0 before it said HELLO' "$folder/said" || fail "not said that nobody came: $(cat "$folder/said")"
expect_status 1 timeout 20 "$build/dagwood" conformance client --listen "ipc://$folder/x" --wait 60 --case hello -- true
expect_status 64 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --case hello --case beats -- "$folder/none"
grep -q '^hello .*the command cannot be started' "$folder/said" || fail "not said what cannot be started: $(cat "$folder/said")"
grep -q '^beats .*it was not come to' "$folder/said" || fail "it went on without a command: $(cat "$folder/said")"
expect_status 74 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --log "$folder/none/log" --case hello -- true
grep -q "^dagwood: $folder/none/log cannot be written: No such file" "$folder/said" || fail "the log was not named: $(cat "$folder/said")"
# What a coordinator refuses is not our defect, and told with its words; nor is a result that makes no sense, which may be passed over.
expect_status 0 "$build/dagwood" conformance client --listen "ipc://$folder/x" --case refused-busy --case run-refused --case result-cut \
    --log "$folder/log" -- sh -c "\"$build/dagwood\" submit --timeout 20 --input hello; echo \"ended with \$?\""
[[ "$(grep 'ended with' "$folder/log" | tr -d '\n')" =~ ^"ended with 76ended with 76ended with "(76|0)$ ]] &&
    grep -q 'the coordinator refused: this is a test of what comes of it (400)' "$folder/log" || fail "submit: $(cat "$folder/log")"
# A worker that asks for more slots than there are places is not let in, and brings nothing down.
expect_status 0 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --case hello --case hello-waits --case slots-come \
    --case welcome-count --case welcome-numbers -- "$build/tests/broken_worker" too-many-slots "{}"
grep -q '^hello  *ok' "$folder/said" || fail "HELLO with many slots is none: $(cat "$folder/said")"
[ "$(grep -c 'skipped  it asks for 100000000 slots: this serves 1 to 64' "$folder/said")" = 4 ] ||
    fail "not said how many slots are too many: $(cat "$folder/said")"
# Whose clock cannot be set is not tried, and that is said: with a library that is none, and who was started by others.
expect_status 64 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --faketime "$folder/graph.yaml"
expect_status 66 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --faketime "$folder/none" -- true
expect_status 0 "$build/dagwood" conformance client --listen "ipc://$folder/x" --faketime "$folder/graph.yaml" --case hello \
    --case clock-jumps --case clock-jumps-silence --case result --format tap -- "$build/tests/broken_client" none "{}"
[ "$(grep -c '^ok . - clock-.* # SKIP libfaketime did not get into it' "$folder/said")" = 2 ] ||
    fail "not said that a clock could not be set: $(cat "$folder/said")"
expect_status 1 "$build/dagwood" conformance worker --listen "ipc://$folder/x" --case clock-jumps --format junit
grep -q '<skipped message="who was not started by this command has a clock that it cannot set"/>' "$folder/said" ||
    fail "not said whose clock cannot be set: $(cat "$folder/said")"
expect_status 1 "$build/dagwood" conformance client --listen "ipc://$folder/x" --format junit --case hello --case bye -- \
    "$build/tests/broken_client" no-bye "{}"
for text in '<testsuite name="dagwood.conformance.client" tests="2" failures="1" skipped="0" errors="0"' \
    '<testcase classname="dagwood.conformance.client" name="bye"' '<failure message="it left without BYE">' '</testsuite>'; do
    grep -qF "$text" "$folder/said" || fail "JUnit without $text: $(cat "$folder/said")"
done

# ---- What came of them ----

wait "${pids[@]}"
pids=()

plays=0
expect_failed () { # NAME [FIRST OTHERS...]: the first has failed, and none that is not named
    local name=$1 first=${2:-} failed count
    local others=" ${*:3} "
    plays=$((plays + 1))
    failed=$(sed -nE 's/^not ok [0-9]+ - (.*)$/\1/p' "$folder/$name")
    count=$(grep -cE '^(not )?ok [0-9]+ - ' "$folder/$name")
    grep -q "^1\.\.$count\$" "$folder/$name" || fail "$name: $count cases of $(grep '^1\.\.' "$folder/$name"): $(tail -n 3 "$folder/$name")"
    grep -q "^exit $([ "$first" ] && echo 1 || echo 0)\$" "$folder/$name" || fail "$name: $(tail -n 1 "$folder/$name")"
    if [ "$first" ] && ! grep -qx "$first" <<<"$failed"; then
        fail "$name: $first did not fail: $(grep -A 2 -e "- $first" "$folder/$name")"
    fi
    for each in $failed; do
        [ "$each" = "$first" ] || [[ $others == *" $each "* ]] || [[ $others == *" * "* ]] ||
            fail "$name: $each failed: $(grep -A 2 -e "- $each\$" "$folder/$name")"
    done
}

expect_failed ours.worker
expect_failed ours.exec
expect_failed ours.client
expect_failed ours.coordinator
expect_failed keys.worker
expect_failed keys.client
expect_failed keys.coordinator
for each in "${jumping[@]}" "${foreign[@]}"; do
    expect_failed "$each"
done
while IFS=': ' read -r role defect first others; do
    set -f
    expect_failed "$role.$defect" $first $others
    set +f
done < <(defects)
for name in ours.{worker,client,coordinator} "${jumping[@]}"; do
    skipped=$(grep '# SKIP' "$folder/$name" | grep -v -e "- $may_skip")
    [ "$skipped" ] && fail "$name: a case was skipped: $skipped"
done
for name in ours.exec keys.worker keys.client "${foreign[@]}"; do # of which some cases are not for everybody
    skipped=$(grep ' - clock-.*# SKIP' "$folder/$name" | grep -v -e "- $may_skip")
    [ "$skipped" ] && fail "$name: its clock was not set: $skipped"
done
echo "$plays plays: $(sed -n "s/^1\\.\\.//p" "$folder"/ours.{worker,client,coordinator} | paste -sd+ | sed 's/+/ + /g') cases of ours"
[ ! -e "$folder/failures" ]
