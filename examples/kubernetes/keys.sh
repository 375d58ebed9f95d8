#!/bin/bash
# Makes keys for a coordinator, its workers and its clients, and prints them as Secrets; nothing is left on disk.
#
#     ./keys.sh | kubectl apply -f -
#
# DAGWOOD says where the command is [dagwood, of PATH].
set -euo pipefail
dagwood=${DAGWOOD:-dagwood}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for who in coordinator worker client; do
    "$dagwood" keygen "$folder/$who.key" >"$folder/$who.said"
done
key_of () { # WHO
    sed -n 's/^ *worker \(.*\) NAME$/\1/p' "$folder/$1.said"
}
printf 'worker %s workers\nclient %s clients\nmonitor %s coordinator\n' \
    "$(key_of worker)" "$(key_of client)" "$(key_of coordinator)" >"$folder/allowed"

secret () { # NAME FILE...
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\ndata:\n' "$1"
    shift
    for file in "$@"; do
        printf '  %s: %s\n' "$file" "$(base64 -w 0 "$folder/$file")"
    done
}
secret dagwood-coordinator coordinator.key coordinator.key.pub allowed
secret dagwood-worker worker.key coordinator.key.pub
secret dagwood-client client.key coordinator.key.pub
