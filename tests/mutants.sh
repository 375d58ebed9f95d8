#!/bin/bash
# A checker is trusted after it has caught bugs planted on purpose: each patch in tests/mutants plants one in a copy of the
# file that it names, and those who look after that file must see it: of the core the simulator, and a test of what its
# worlds hardly ever come to; of recordings the tests that write and replay those of the simulator's worlds; of programs as
# processors the test that the patch's first line names. CC, SEEDS and MUTANTS (a pattern of names) may be set.
set -u
cd "$(dirname "$0")/.." || exit 1
seeds=${SEEDS:-1..12000}
work=$(mktemp -d) || exit 1
compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -w "-I$work" -I. -Iinclude) # A patched header comes first.
trap 'rm -rf "$work"' EXIT

build () { # FILE...: into objects named after them; those of threads and sockets, and what they alone need, apart
    local file name
    for file in "$@"; do
        name=${file#"$work/"}
        case $name in actors/*) name=actors/${name//\//_} ;; *) name=${name//\//_} ;; esac
        "${compile[@]}" -c "$file" -o "$work/objects/${name%.c}.o" || return
    done
}

judge () { # PROGRAM [ARGUMENT...]: its exit status; what it said is in $work/said.
    local program=$1 status=0 parts=("$work"/objects/*.o -lcmocka -lm)
    shift
    case $program in test_toolbox | test_exec_worker)
        parts=("$work"/objects/actors/*.o "${parts[@]}" -pthread -lzmq -lmsgpackc -lyaml -ljansson -lunistring) ;;
    esac
    "${compile[@]}" "$work/objects/main/$program.o" "${parts[@]}" -o "$work/$program" || exit 1
    { timeout -s KILL 300 "$work/$program" "$@" >"$work/said" 2>&1 || status=$?; } 2>/dev/null
    [ $status -le 125 ] || printf '\n%s ended with status %d\n' "$program" $status >>"$work/said"
    return $status
}

look_after () { # FILE [TEST]: whether all who look after it are content.
    case $1 in
        runtime/core/*) judge sim "${seeds%..*}" "${seeds#*..}" && judge test_scheduler_added ;;
        actors/exec_worker.c) judge test_exec_worker ${2:+"$2"} ;;
        actors/*) judge test_toolbox ${2:+"$2"} ;;
        *) judge test_recording && judge test_recording_damage && judge test_recording_kept && judge test_why ;;
    esac
}

mkdir -p "$work"/objects/{main,actors}
build runtime/core/*.c runtime/{pack,payload,recorder,recording*,replay*,why*,wire}.c \
    actors/*.c actors/processors/*.c \
    tests/support/{random_graph,evaluator,model,model_questions,model_time,checker,checker_state,world,crew,simulator,growth,growth_order,growth_things,simulator_level,level,verdict,recorded,scheduler_fixture,cable,process}.c || exit 1
for file in runtime/{briefing,config,document,lines,load,reader,scalar,settings}.c; do
    "${compile[@]}" -c "$file" -o "$work/objects/actors/$(basename "$file" .c).o" || exit 1
done
cat >"$work/sim.c" <<'END'
#include <stdlib.h>
#include "tests/support/simulator_level.h"
#include <string.h>
int main (int argc, char **argv) { /* FROM TO, and how much is told: nothing, of the world as it is, or of what is left of it */
    level_options_t options = {.from = strtoull (argv[1], NULL, 10), .to = strtoull (argv[2], NULL, 10)};
    options.is_short = argc < 4;
    options.verbose = argc == 4 && strcmp (argv[3], "whole") == 0;
    return level_run (&simulator_level, &options);
}
END
for file in "$work/sim.c" tests/test_{recording,recording_damage,recording_kept,scheduler_added,why,toolbox,exec_worker}.c; do
    "${compile[@]}" "-DDAGWOOD_SOURCE_DIR=\"$PWD\"" -c "$file" -o "$work/objects/main/$(basename "$file" .c).o" || exit 1
done
for file in runtime/core/scheduler.c runtime/recorder.c actors/toolbox.c actors/exec_worker.c; do
    if ! look_after $file; then
        tail -n 40 "$work/said"
        echo "without a mutant whoever looks after $file must be content"
        exit 1
    fi
done

told () { # SEED whole|smaller: how many things happen in that world
    timeout -s KILL 300 "$work/sim" "$1" "$1" "$2" 2>&1 | grep -c '^ *[0-9]*[.][0-9][0-9][0-9]  '
}

# What happens in a world that shows a bug, up to there, and in what is left when it is made smaller (tests/support/level.h).
measure () {
    local seed
    seed=$(sed -n 's/^seed \([0-9]*\): .*/\1/p' "$work/said" | head -n 1)
    [ -n "$seed" ] || return
    whole=$((whole + $(told "$seed" whole)))
    smaller=$((smaller + $(told "$seed" smaller)))
}

planted=0
caught=0
whole=0
smaller=0
for patch in tests/mutants/${MUTANTS:-*}.patch; do
    name=$(basename "$patch" .patch)
    file=$(sed -n 's|^+++ b/||p' "$patch")
    mkdir -p "$work/$(dirname "$file")"
    cp "$file" "$work/$file"
    if ! patch -d "$work" -p1 -s --no-backup-if-mismatch <"$patch"; then
        echo "$patch no longer applies: plant that bug again"
        exit 1
    fi
    cp -r "$work/objects" "$work/whole"
    case $file in
        *.h) build runtime/core/*.c runtime/{pack,recorder,recording*,replay*,why*}.c ;;
        *) build "$work/$file" ;;
    esac || { echo "$patch does not compile"; exit 1; }
    planted=$((planted + 1))
    if look_after "$file" "$(head -n 1 "$patch" | grep -v '^---')"; then
        echo "NOT CAUGHT  $name"
    else
        caught=$((caught + 1))
        echo "caught      $name: $(grep -av "^ 1 FAILED TEST\|^$" "$work/said" | tail -n 1 | cut -c 1-110)"
        [[ $file != runtime/core/* ]] || [ $((planted % 8)) != 1 ] || measure
    fi
    rm -r "$work/objects" "${work:?}/$file"
    mv "$work/whole" "$work/objects"
done
echo "$caught of $planted planted bugs caught, seeds $seeds"
echo "in worlds that show some of them $whole things happen up to there, and when they are made smaller $smaller"
[ "$caught" = "$planted" ] && { [ -n "${MUTANTS-}" ] || [ $((2 * smaller)) -le "$whole" ]; }
