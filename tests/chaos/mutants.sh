#!/bin/bash
# A checker is trusted after it has caught bugs planted on purpose: each patch in tests/chaos/mutants plants one in a copy of
# the product, and one of the scenarios that its first line names must see it. usage: mutants.sh [PATCH...]
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags=$(pkg-config --cflags libzmq msgpack yaml-0.1 2>/dev/null)
[ $# -gt 0 ] || set -- tests/chaos/mutants/*.patch

compile () { # FILE OBJECT; a patched header comes first
    # shellcheck disable=SC2086
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE "-DDAGWOOD_SOURCE_DIR=\"$PWD\"" -O1 -w -pthread "-I$work" -I. -Iinclude $flags -c "$1" -o "$2"
}

object () { # FILE: its object's name
    echo "$(basename "$(dirname "$1")")_$(basename "$1" .c).o"
}

build () { # into the folder $1, all that chaos is made of, as many at a time as there are CPUs
    local file
    mkdir -p "$1"
    for file in runtime/*.c runtime/core/*.c actors/*.c actors/processors/*.c tests/chaos/*.c tests/support/{agent_hello,endpoints,process,random_graph}.c; do
        [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || return
        compile "$file" "$1/$(object "$file")" &
    done
    for file in $(jobs -p); do
        wait "$file" || return
    done
}

link () { # FOLDER
    "${CC:-cc}" -pthread "$1"/*.o -lzmq -lmsgpackc -lyaml -ljansson -lunistring -lm -o "$work/chaos"
}

build "$work/whole" && link "$work/whole" || exit 1
mapfile -t named < <(head -qn 1 "$@" | tr ' ' '\n' | grep -v '^--' | sort -u)
timeout -s KILL 100 "$work/chaos" --short "${named[@]}" >"$work/said" || {
    cat "$work/said"
    echo "without a mutant chaos must be content"
    exit 1
}

planted=0
caught=0
for patch in "$@"; do
    file=$(sed -n 's|^+++ b/||p' "$patch")
    mkdir -p "$work/$(dirname "$file")"
    cp "$file" "$work/$file"
    if ! patch -d "$work" -p1 -s --no-backup-if-mismatch <"$patch"; then
        echo "$patch no longer applies: plant that bug again"
        exit 1
    fi
    cp -r "$work/whole" "$work/mutant"
    compile "$work/$file" "$work/mutant/$(object "$file")" && link "$work/mutant" || exit 1
    read -ra scenarios <<<"$(head -n 1 "$patch")"
    # shellcheck disable=SC2086
    planted=$((planted + 1))
    if { timeout -s KILL 100 "$work/chaos" "${scenarios[@]}" >"$work/said" 2>&1; } 2>/dev/null; then
        if grep -q SKIPPED: "$work/said"; then
            planted=$((planted - 1))
            echo "skipped     $(basename "$patch" .patch): $(sed -n 's/.*SKIPPED: //p' "$work/said")"
        else
            echo "NOT CAUGHT  $(basename "$patch" .patch)"
        fi
    else
        caught=$((caught + 1))
        why=$(grep -m 1 FAILED: "$work/said" || grep -m 1 Assertion "$work/said" || echo "it did not end")
        echo "caught      $(basename "$patch" .patch): ${why:0:100}"
    fi
    rm -r "$work/mutant" "${work:?}/$file"
done
echo "$caught of $planted planted bugs caught"
[ "$caught" = "$planted" ]
