#!/bin/bash
# bench/scale-curves: small tables of every kind, and their curves where there is gnuplot; what is not there is told. And
# what bench/crowd says of too many short tasks.
# usage: test_bench_scale.sh BUILD
set -u
build=$(realpath "$1")
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
if nm "$build/bench/scale" | grep -qE ' __(asan|tsan)_'; then
    echo "built with a sanitizer, whose times and memory say nothing"
    exit 77
fi
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PYTHONDONTWRITEBYTECODE=1

fail () {
    echo "$*"
    status=1
}

bench/scale-curves --quick --build "$build" --plots "$folder/plots" >"$folder/printed" 2>"$folder/said" ||
    fail "it ended with $?, said: $(cat "$folder/said")"
python3 - "$folder" <<'CHECK' || fail "the tables are not as they should be: $(cat "$folder/printed")"
import sys
folder = sys.argv[1]
rows = [[cell.strip() for cell in line.strip("|\n").split("|")]
        for line in open(folder + "/printed", encoding="utf-8") if line.startswith("| ")]
by_name = {}
for row in rows:
    by_name.setdefault(row[0], []).append(row[1:])
assert {"workers", "10", "100", "10 in all", "100 of 16 slots", "slots", "160", "480", "20 slots", "40 slots"} <= set(by_name), by_name.keys()
for name in ("10", "100"):
    decisions, memory = by_name[name]
    assert all(float(cell.split()[0]) > 0 for cell in decisions), decisions
    assert all(200 < float(cell) < 1000000 for cell in memory), memory
for name in ("160", "480"):
    assert all(1 <= float(cell) <= 100 for cell in by_name[name][0]), by_name[name]
for name in ("10 in all", "100 in all"):
    assert all(float(cell.split()[0]) > 0 for cell in by_name[name][0]), by_name[name]
for name in ("10 of 16 slots", "100 of 16 slots"):
    assert len(by_name[name][0]) == 8 and all(float(cell) >= 0 for cell in by_name[name][0]), by_name[name]
for name in ("decisions", "crowd", "busy", "fleet"):
    lines = open(f"{folder}/plots/{name}.dat", encoding="utf-8").read().splitlines()
    assert len(lines) >= 3 and lines[0].startswith("# "), lines
CHECK
for name in decisions crowd busy fleet; do
    if command -v gnuplot >/dev/null; then
        grep -q '<svg' "$folder/plots/$name.svg" || fail "$name is not drawn"
    else
        grep -q "$name is not drawn" "$folder/said" || fail "that there is no gnuplot is not said"
    fi
done

# A coordinator that is asked for a hundred times what it can do takes nobody whose answers wait for late.
times=$("$build/bench/crowd" --workers 200 --task-us 10 --tasks 20000 --idle-ms 1 | sed -n 's/^times_done_per_task *//p')
awk -v times="$times" 'BEGIN { exit !(times >= 1 && times < 1.05) }' || fail "a task is done $times times in the mean"

code=0
bench/scale-curves --build "$folder" --plots "$folder/plots" >/dev/null 2>"$folder/said" || code=$?
[ $code = 69 ] || fail "without programs the status is $code"
grep -q "there is no $folder/bench/scale" "$folder/said" || fail "what is missing is not said"
exit $status
