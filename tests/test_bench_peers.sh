#!/bin/bash
# Every peer that was built gives the hash that a loop gives, and dagwood's own, for every shape, kernel and payload.
# usage: test_bench_peers.sh BUILD
set -u
build=$1
peers=$build/bench/peers
if [ ! -x "$peers/sequential" ]; then
    echo "no peer was built"
    exit 77
fi
if nm "$peers/sequential" | grep -qE ' __tsan_'; then
    echo "built with ThreadSanitizer, under which measuring how long work takes lasts for minutes"
    exit 77
fi
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder # StarPU writes down there what it found out about the machine.

fail () {
    echo "$*"
    status=1
}

hash_of () { # COMMAND...: the hash that it prints, or what went wrong
    local text code
    text=$(timeout -s KILL 60 "$@" --repeat 2 --format json 2>&1) || { code=$?; echo "exit status $code: $text"; return; }
    sed -nE 's/.*"hash": "([0-9a-f]{16})".*/\1/p' <<<"$text"
}

agree () { # OPTIONS...: everybody's hash of the same work is the same
    local hash peer theirs
    hash=$(hash_of "$build/dagwood" bench overhead --threads 2 "$@")
    [[ $hash =~ ^[0-9a-f]{16}$ ]] || { fail "dagwood bench overhead $*: no hash: $hash"; return; }
    for peer in "$peers"/*; do
        [ -f "$peer" ] && [ -x "$peer" ] || continue
        theirs=$(hash_of "$peer" --threads 2 "$@")
        [ "$theirs" = "$hash" ] || fail "${peer##*/} $*: ${theirs:-no hash} instead of $hash"
    done
}

refuse () { # STATUS OPTIONS...: what makes no sense is said
    local wanted=$1 code=0 text
    shift
    text=$("$peers/sequential" "$@" 2>&1 >"$folder/figures") || code=$?
    [ $code = "$wanted" ] && [ -n "$text" ] && [ ! -s "$folder/figures" ] ||
        fail "sequential $*: exit status $code instead of $wanted, said: $text"
}

for shape in chain fan tree wave random fft stencil all_to_all none spread nearest; do
    agree --shape $shape --nodes 500
done
for kernel in compute uneven memory block; do
    agree --shape stencil --nodes 40 --width 4 --kernel $kernel --task-ns 1000
done
agree --shape random --nodes 200 --seed 7 --payload 1000
agree --shape chain --nodes 1
agree --graph examples/text_pipeline.yaml

refuse 64 --shape ring
refuse 64 --nodes 0
refuse 64 --shape wave --width 10
refuse 66 --graph "$folder/nothing.yaml"

[ $status = 0 ] && echo "agree: dagwood, $(cd "$peers" && find . -maxdepth 1 -type f -executable -printf '%f ')"
exit $status
