#!/bin/bash
# Every planted bug still applies: what they are planted in has not been written anew without them; and each has a number of its
# own. Whether each is caught takes minutes: tests/mutants.sh, tests/simulated/mutants.sh and tests/chaos/mutants.sh.
cd "$(dirname "$0")/.." || exit 1
command -v patch >/dev/null || { echo "skipped: no patch (Debian: patch)"; exit 77; }
status=0
shopt -s nullglob globstar
for bug in tests/**/*.patch; do
    patch -p1 --dry-run -s <"$bug" || { echo "$bug no longer applies: plant that bug again"; status=1; }
done
for folder in tests/**/mutants; do
    twice=$(find "$folder" -name '*.patch' -printf '%f\n' | sed 's/-.*//' | sort | uniq -d)
    [ -z "$twice" ] || { echo "$folder has two of" $twice; status=1; }
done
exit $status
