#!/bin/bash
# What docs/GUARANTEES.md names is there: each promise has its invariant, code that states it and commands that check it; files
# hold the names that they are said to, programs are built and know the words that they are given, tests are run.
# usage: test_guarantees.sh BUILD
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${1:-build}")
page=docs/GUARANTEES.md
if nm "$build/dagwood" | grep -qE ' __(asan|tsan)_'; then
    echo "built with a sanitizer, with which not all tests are run: not looked at"
    exit 77
fi
status=0

wrong () { # WHAT
    echo "$page: $1"
    status=1
}

# The items of a page, one a line: "place PROGRAM", "promise TITLE", "code FILE NAME", "run COMMAND", "test PROGRAM NAME".
items () {
    awk '
        function items_of (text,    part, kind, last) {
            kind = text ~ /^\* \*\*At every place:/ ? "place" : text ~ /^\* \*\*In code:/ ? "code" : text ~ /^\* \*\*Checked by:/ ? "check" : text ~ /^\* \*\*Invariant:/ ? "invariant" : ""
            if (kind == "invariant") { print "invariant"; return }
            if (kind == "") return
            while (match (text, /`[^`]+`/)) {
                part = substr (text, RSTART + 1, RLENGTH - 2)
                text = substr (text, RSTART + RLENGTH)
                if (kind == "code" && part ~ /[\/]/) last = part
                else if (kind == "code") print "code " last " " part
                else if (kind == "place") print "place " part
                else if (part ~ /^(build|tests|\.ci)\//) { print "run " part; last = part }
                else print "test " last " " part
            }
        }
        /^## [0-9]+\./ { if (held) items_of (held); held = ""; print "promise " substr ($0, 4); next }
        /^\* \*\*/     { if (held) items_of (held); held = $0; next }
        /^ /           { if (held) held = held " " $0; next }
                       { if (held) items_of (held); held = "" }
        END            { if (held) items_of (held) }
    ' "$page"
}

# The sources of a program, as far as they are its own.
sources_of () { # PROGRAM
    case $1 in
        build/dagwood-sim) echo tests/dagwood_sim.c tests/simulated/system_level.c tests/support/simulator_level.c ;;
        build/tests/chaos) echo tests/chaos/*.c ;;
        build/tests/fuzz_*) echo tests/fuzz/driver.c "tests/fuzz/$(basename "$1").c" ;;
        build/tests/*) echo "tests/$(basename "$1").c" ;;
        build/bench/*) echo "bench/$(basename "$1").c" ;;
    esac
}

# Of the command the help must have each option; of a stage the script a function; of another program its sources each word
# that is no value.
check_run () { # PROGRAM WORD...
    local program=$1 word
    shift
    case $program in
        build/dagwood)
            local names=()
            while [ $# -gt 0 ] && [[ $1 != -* ]]; do
                names+=("$1")
                shift
            done
            "$build/dagwood" "${names[@]}" --help >/dev/null 2>&1 || wrong "there is no dagwood ${names[*]}"
            for word in "$@"; do
                [[ $word != --* ]] || "$build/dagwood" "${names[@]}" --help | grep -qE -- "$word\b" ||
                    wrong "dagwood ${names[*]} has no $word"
            done
            ;;
        build/*)
            [ -x "$build/${program#build/}" ] || wrong "$program is not built"
            for word in "$@"; do
                [[ $word =~ ^(--)?[a-z_-]+$ ]] || continue
                # shellcheck disable=SC2046
                grep -q -- "\"${word#--}\"\|\"$word\"" $(sources_of "$program") 2>/dev/null || wrong "$program knows no $word"
            done
            ;;
        .ci/run)
            for word in "$@"; do
                grep -q "^$word () {" .ci/run || wrong ".ci/run has no stage $word"
            done
            ;;
        *) [ -r "$program" ] || wrong "there is no $program" ;;
    esac
}

# A sentence is a test when its program has a function of that name, and a list with it.
check_test () { # PROGRAM NAME
    local source text
    source=tests/$(basename "${1%% *}").c
    text=$(tr -s ' \n' ' ' <"$source")
    [[ $text == *"static void $2 ("*"void **state)"* ]] || { wrong "$source has no test $2"; return; }
    [ "$(grep -cE "\b$2\b" "$source")" -ge 2 ] || wrong "$source never runs $2"
}

# It goes through the places: those of the fixture, or both ways to have actors.
check_place () { # WORD
    [[ $1 == build/tests/* ]] || return
    grep -qE 'system_fixture_run|DW_ACTORS_POOL|"pool:2"' "tests/$(basename "$1").c" 2>/dev/null || wrong "$1 stays at one place"
}

check_code () { # FILE NAME
    grep -qE "\b$2\b" "$1" 2>/dev/null || wrong "$1 has no $2"
}

known=$(ctest --test-dir "$build" -N | sed -nE 's/^ *Test +#[0-9]+: //p')
promises=0 checks=0
declare -A seen=()
close_promise () {
    local kind
    for kind in invariant code run; do
        [ $promises = 0 ] || [ -n "${seen[$kind]-}" ] || wrong "promise $promises has no $kind"
    done
    seen=()
}

while read -r kind first rest; do
    seen[$kind]=1
    case $kind in
        promise)
            unset "seen[promise]"
            close_promise
            promises=$((promises + 1))
            [ "$first" = "$promises." ] || wrong "promise $promises is numbered $first"
            ;;
        place) check_place "$first" ;;
        code) check_code "$first" "$rest" ;;
        run)
            # shellcheck disable=SC2086
            check_run "$first" $rest
            name=$(basename "$first")
            [[ $first != build/tests/* ]] || grep -qx "$name" <<<"$known" || wrong "$name is not run by ctest"
            ;;
        test) check_test "$first" "${rest##* }" ;;
    esac
    checks=$((checks + 1))
done < <(items)
close_promise
[ $promises -ge 15 ] || wrong "only $promises promises were found"

[ $status = 0 ] && echo "$promises promises, and the $checks things that are named for them are there"
exit $status
