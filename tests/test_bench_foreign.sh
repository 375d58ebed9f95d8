#!/bin/bash
# bench/foreign: a small run of every kind, whose hashes are those of one process; a program that alters a record is found out.
# usage: test_bench_foreign.sh BUILD
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

bench/foreign "$1" 500 2 >"$folder/printed"
for name in 'cat msgpack' 'cat ndjson' 'cat text' worker.py; do
    grep -qE "^$name +([1-9][0-9]* +){3}[0-9a-f]{16}$|^$name +skipped" "$folder/printed" || {
        echo "no figure of $name in: $(<"$folder/printed")"
        exit 1
    }
done

printf '#!/bin/sh\nexec stdbuf -o0 tr 7 8\n' >"$folder/cat"
chmod +x "$folder/cat"
code=0
PATH=$folder:$PATH bench/foreign "$1" 20 1 >"$folder/printed" 2>"$folder/said" || code=$?
if [ $code != 70 ] || ! grep -q 'cat msgpack gives other results than one process' "$folder/said"; then
    echo "a program that alters records: status $code, said: $(<"$folder/said")"
    exit 1
fi
