#!/bin/bash
# A checker is trusted after it has caught bugs planted on purpose: each patch in tests/mutants plants one in a copy of the
# core, and the simulator must see it. CC and SEEDS may be set.
set -u
cd "$(dirname "$0")/.." || exit 1
seeds=${SEEDS:-1..4000}
work=$(mktemp -d) || exit 1
compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -w "-I$work" -I. -Iinclude) # A patched header comes first.
trap 'rm -rf "$work"' EXIT

build () { # FILE...: into objects named after them
    local file
    for file in "$@"; do
        "${compile[@]}" -c "$file" -o "$work/objects/$(basename "$file" .c).o" || return
    done
}

simulate () { # Its exit status; what it said is in $work/said.
    local status=0
    "${compile[@]}" "$work"/objects/*.o -lm -o "$work/sim" || exit 1
    { timeout -s KILL 60 "$work/sim" --seeds "$seeds" >"$work/said" 2>&1 || status=$?; } 2>/dev/null
    [ $status -le 1 ] || printf '\nthe simulator ended with status %d\n' $status >>"$work/said"
    return $status
}

mkdir "$work/objects"
build runtime/core/*.c runtime/payload.c tests/sim.c \
    tests/support/{random_graph,evaluator,model,model_questions,checker,checker_state,world,crew,simulator,growth}.c || exit 1
if ! simulate; then
    tail -n 40 "$work/said"
    echo "without a mutant the simulator must be content"
    exit 1
fi

planted=0
caught=0
for patch in tests/mutants/*.patch; do
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
        *.h) build runtime/core/*.c ;;
        *) build "$work/$file" ;;
    esac || { echo "$patch does not compile"; exit 1; }
    planted=$((planted + 1))
    if simulate; then
        echo "NOT CAUGHT  $name"
    else
        caught=$((caught + 1))
        echo "caught      $name: $(tail -n 1 "$work/said" | cut -c 1-110)"
    fi
    rm -r "$work/objects" "${work:?}/$file"
    mv "$work/whole" "$work/objects"
done
echo "$caught of $planted planted bugs caught, seeds $seeds"
[ "$caught" = "$planted" ]
