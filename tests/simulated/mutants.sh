#!/bin/bash
# A checker is trusted after it has caught bugs planted on purpose: each patch in tests/simulated/mutants plants one in a copy
# of the actors, and the worlds of the system must see it. usage: mutants.sh [PATCH...]; CC and SEEDS may be set.
set -u
cd "$(dirname "$0")/../.." || exit 1
seeds=${SEEDS:-1..6000}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags=$(pkg-config --cflags libzmq msgpack yaml-0.1 2>/dev/null)
mapfile -t wrapped < <(sed 's/^/-Wl,--wrap=/' tests/simulated/wrapped)
[ $# -gt 0 ] || set -- tests/simulated/mutants/*.patch

compile () { # FILE OBJECT; a patched header comes first
    # shellcheck disable=SC2086
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -w "-I$work" -I. -Iinclude $flags -c "$1" -o "$2"
}

object () { # FILE: its object's name
    echo "${1//\//_}.o"
}

build () { # into the folder $1, as many at a time as there are CPUs
    local file
    mkdir -p "$1"
    for file in runtime/*.c runtime/core/*.c actors/*.c actors/processors/*.c tests/dagwood_sim.c tests/simulated/*.c \
        tests/support/{random_graph,evaluator,model,model_questions,model_time,checker,checker_state,world,crew,simulator,growth,growth_order,growth_things,simulator_level,level,verdict,random_processors}.c; do
        case $file in actors/actor.c | actors/door.c) continue ;; esac
        [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || return
        compile "$file" "$1/$(object "$file")" &
    done
    for file in $(jobs -p); do
        wait "$file" || return
    done
}

link () { # FOLDER
    "${CC:-cc}" "${wrapped[@]}" "$1"/*.o -lmsgpackc -lyaml -ljansson -lunistring -lm -o "$work/dagwood-sim"
}

simulate () { # Its exit status; what it said is in $work/said.
    { timeout -s KILL 100 "$work/dagwood-sim" --level system --seeds "$seeds" --no-transcript >"$work/said" 2>&1; } 2>/dev/null
}

build "$work/whole" && link "$work/whole" || exit 1
simulate || {
    tail -n 40 "$work/said"
    echo "without a mutant the simulator must be content"
    exit 1
}

planted=0
caught=0
for patch in "$@"; do
    name=$(basename "$patch" .patch)
    file=$(sed -n 's|^+++ b/||p' "$patch")
    mkdir -p "$work/$(dirname "$file")"
    cp "$file" "$work/$file"
    if ! patch -d "$work" -p1 -s --no-backup-if-mismatch <"$patch"; then
        echo "$patch no longer applies: plant that bug again"
        exit 1
    fi
    mv "$work/whole/$(object "$file")" "$work/before.o"
    compile "$work/$file" "$work/whole/$(object "$file")" && link "$work/whole" || { echo "$patch does not compile"; exit 1; }
    planted=$((planted + 1))
    if simulate; then
        echo "NOT CAUGHT  $name"
    else
        caught=$((caught + 1))
        echo "caught      $name: $(grep -m 1 '^seed' "$work/said" | cut -c 1-110)"
    fi
    mv "$work/before.o" "$work/whole/$(object "$file")"
    rm "${work:?}/$file"
done
echo "$caught of $planted planted bugs caught, seeds $seeds"
[ "$caught" = "$planted" ]
