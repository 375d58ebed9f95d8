#!/bin/bash
# bench/compare: small tables of every kind, every hash checked; what is not there is told, and a wrong hash is a failure.
# usage: test_bench_compare.sh BUILD
set -u
build=$(realpath "$1")
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
[ -x "$build/bench/peers/sequential" ] || { echo "no peer was built"; exit 77; }
if nm "$build/bench/peers/sequential" | grep -qE ' __tsan_'; then
    echo "built with ThreadSanitizer, under which a quick comparison has no time for what is looked for here"
    exit 77
fi
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=bench

fail () {
    echo "$*"
    status=1
}

# A folder of programs in which the test can plant its own.
peers=$folder/build/bench/peers
mkdir -p "$peers" "$folder/workflows"
ln -s "$build/dagwood" "$folder/build/dagwood"
ln -s "$build/bench/peers/sequential" "$build/bench/peers/four_mutexes" "$peers"

compare () { # STATUS OPTIONS...: what it prints is in $folder/printed, what it says in $folder/said
    local wanted=$1 code=0
    shift
    bench/compare --build "$folder/build" --quick --rounds 1 "$@" >"$folder/printed" 2>"$folder/said" || code=$?
    [ $code = "$wanted" ] || fail "compare $*: exit status $code instead of $wanted, said: $(cat "$folder/said")"
}

says () { # PATTERN
    grep -qE "$1" "$folder/said" || fail "not said: $1; but: $(cat "$folder/said")"
}

plant () { # PEER LINE: a peer that is a script; $real is a program that measures in earnest
    printf '#!/bin/bash\nreal=%q\n%s\n' "$peers/sequential" "$2" >"$peers/$1"
    chmod +x "$peers/$1"
}

# -- The quick comparison as JSON --

plant onetbb_graph 'exec "$real" "$@"' # so that there is a ratio, and a bar
compare 0 --nodes 500 --rounds 2 --format json
says 'skipped starpu: .* was not built'
python3 - "$folder/printed" <<'CHECK' || fail "the JSON is not as it should be"
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    found = json.load(file)
shapes = ["chain", "fan", "tree", "wave", "random"]
assert list(found["overhead"]) == shapes, found["overhead"]
for shape in shapes:
    assert set(found["overhead"][shape]) == {"dagwood", "sequential", "four_mutexes", "onetbb"}, shape
    assert all(ns > 0 for ns in found["overhead"][shape].values()), shape
    assert found["overhead_spread"][shape]["dagwood"]["rounds"] == 2, shape
assert {"onetbb_tasks", "starpu", "caf", "openmp"} <= set(found["skipped"])
assert len(found["hashes"]) == 5 and all(len(text) == 16 for text in found["hashes"].values())
assert len(found["bars"]) == 5 and all(bar["met"] == (bar["median"] <= bar["limit"]) for bar in found["bars"])
assert len(found["load"]["start"]) == len(found["load"]["end"]) == 3
assert found["machine"]["cpu"] and found["versions"]["dagwood"]
CHECK
rm "$peers/onetbb_graph"

# -- The other tables --

cat >"$folder/workflows/small.json" <<'WORKFLOW'
{"name": "small", "schemaVersion": "1.5", "workflow": {
 "specification": {"tasks": [{"id": "a", "parents": []}, {"id": "b", "parents": ["a"]}, {"id": "c", "parents": ["a"]}]},
 "execution": {"tasks": [{"id": "a", "runtimeInSeconds": 1}, {"id": "b", "runtimeInSeconds": 2},
                         {"id": "c", "runtimeInSeconds": 3}]}}}
WORKFLOW
compare 0 --nodes 50 --only efficiency,metg,thread,scaling,workflow --workflows "$folder/workflows" --plots "$folder/plots"
for pattern in '^even 10 us wave' '^METG.50%. width 16 ' '^hops_per_second' '^random 50 ' '^small.json' '^Bars: [0-9]+ of [0-9]+ met$' \
    '^scaling, chain: planning.* (met .* <= 200|MISSED .* > 200)$' '^thread, stream: .* (met .* >= |MISSED .* < )4M$'; do
    grep -qE "$pattern" "$folder/printed" || fail "not printed: $pattern"
done
[ -s "$folder/plots/latency.dat" ] && [ -s "$folder/plots/scaling_fan.gp" ] || fail "no data or scripts of plots"
if command -v gnuplot >/dev/null; then
    for plot in latency metg_2 scaling_fan; do
        [ -s "$folder/plots/$plot.svg" ] && [ -s "$folder/plots/$plot.png" ] || fail "not drawn: $plot"
    done
else
    says 'gnuplot is not here'
fi

# -- A worker process, and Dask where it is installed --

ln -s "$build/bench/elsewhere" "$folder/build/bench/elsewhere"
compare 0 --only elsewhere
for pattern in '^plain ' '^curve ' '^beside ' '^elsewhere, plain: tasks a second  ' '^elsewhere, with CURVE: large payloads'; do
    grep -qE "$pattern" "$folder/printed" || fail "not printed: $pattern"
done
if /usr/bin/python3 -c 'import distributed' 2>/dev/null; then
    grep -qE '^to_dask ' "$folder/printed" || fail "Dask is installed and was not measured"
else
    says 'skipped dask .*install python3-distributed'
fi

# METG by hand: at 0.6 between the points of 0.667 and 0.5, at a fifth of it never left, at 0.9 never reached.
python3 - <<'CHECK' || fail "METG is not as it is defined"
from comparison.tables import metg_find
points = [(8, 10, 0.8), (4, 6, 4 / 6), (2, 4, 0.5), (1, 3, 1 / 3)]
assert abs(metg_find(points, 0.6) - 5.2) < 1e-9
assert abs(metg_find(points, 0.5) - 4) < 1e-9
assert metg_find(points, 0.2) is None and metg_find(points, 0.9) == float("inf")
CHECK

# -- What goes wrong --

plant caf '"$real" "$@" | sed "s/\"hash\": \"./\"hash\": \"x/"'
compare 70 --nodes 100
says 'wrong hash: caf \(shape .*\) gives x'
[ ! -s "$folder/printed" ] || fail "figures in spite of a wrong hash"
plant caf 'echo "the hash of a run is not that of a loop" >&2; exit 70'
compare 70 --nodes 100
says 'not that of a loop'
plant caf 'echo "too large for me" >&2; exit 71'
compare 0 --nodes 100
says 'skipped caf .*too large for me'
plant caf 'echo "this is no figure"'
compare 0 --nodes 100
says 'skipped caf .*cannot be used'

for options in '--nodes 0' '--nodes many' '--only speed' '--only workflow' '--format xml' '--rounds' 'more'; do
    # shellcheck disable=SC2086
    compare 64 $options
    says '^compare: '
done
compare 69 --build "$folder/workflows"
says '\./bootstrap build'

[ $status = 0 ] && echo "every table is measured and checked; what is missing, wrong or senseless is told"
exit $status
