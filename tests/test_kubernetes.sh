#!/bin/bash
# The manifests of examples/kubernetes: every field is one of the API's, they fit each other, and what is wrong would be seen. As root
# their containers' own words are run, as the user that they say and with their secrets as Kubernetes lays them out, in namespaces. No
# cluster is needed, and none was ever asked.
# usage: test_kubernetes.sh BUILD
set -eu
build=$(realpath "$1")
examples=$PWD/examples/kubernetes
check=$PWD/tests/kubernetes/check.py
python3 -c 'import yaml' 2>/dev/null || { echo "python3-yaml is missing: not tried"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export DAGWOOD=$build/dagwood

# -- Looked at ---------------------------------------------------------------------------------------------------------

"$examples/keys.sh" >"$folder/secrets.yaml"
python3 "$check" "$examples"/*.yaml "$folder/secrets.yaml"

# A check that finds nothing has to find what is planted.
plant () { # FILE SED EXPECTED
    mkdir -p "$folder/planted"
    cp "$examples"/*.yaml "$folder/planted/"
    sed -i "$2" "$folder/planted/$1"
    ! cmp -s "$examples/$1" "$folder/planted/$1" || { echo "nothing was planted by $2"; exit 1; }
    if python3 "$check" "$folder"/planted/*.yaml "$folder/secrets.yaml" >"$folder/said"; then
        echo "not found: $2"
        exit 1
    fi
    grep -q "$3" "$folder/said" || { echo "$2 was told as:"; cat "$folder/said"; exit 1; }
}
plant coordinator.yaml 's/serviceName/servicename/' 'has no field servicename'
plant coordinator.yaml 's/replicas: 1/replicas: "1"/' "'1' is no integer"
plant coordinator.yaml 's/port: 5555/port: 5556/' 'where no Service is'
plant coordinator.yaml '/^  name: dagwood-graphs/s/graphs/others/' 'there is no ConfigMap'
plant coordinator.yaml '/^  selector: {app/s/part: coordinator/part: other/' 'it selects nothing'
plant workers-job.yaml 's/66, 77, 78/66, 78/' 'it fails at'
plant workers-job.yaml 's/values: \[76\]/values: [75]/' 'it gives an index up at'
plant workers-job.yaml '/operator: In/s/operator: In, //' 'needs operator'
plant workers-job.yaml 's/PeriodSeconds: 130/PeriodSeconds: 90/' 'before --grace-seconds'
plant workers-deployment.yaml 's/memory: 4Gi/memory: 4 GiB/' 'is no quantity'
plant workers-deployment.yaml '/allowPrivilegeEscalation/d' 'is not confined'
plant workers-network.yaml 's/part: worker/part: workers/' 'it selects nothing'

# The image has the libraries that the command needs, by the packages that they are of.
if command -v dpkg-query >/dev/null && ! nm -D "$build/dagwood" | grep -qE ' __(asan|tsan|ubsan)_'; then
    mapfile -t libraries < <(objdump -p "$build/dagwood" | awk '$1 == "NEEDED" && $2 !~ /^libc[.]/ { print "*/" $2 }')
    for package in $(dpkg-query -S "${libraries[@]}" | sed 's/:.*//' | sort -u); do
        grep -qE "[ \t]$package( |\$)" "$examples/Containerfile" || { echo "the image lacks $package"; exit 1; }
    done
fi

# -- Run ---------------------------------------------------------------------------------------------------------------

not_run () {
    echo "looked at, and not run: $1"
    exit 77
}
[ "$(id -u)" = 0 ] || not_run "that needs root"
for tool in unshare setpriv ip; do
    command -v $tool >/dev/null || not_run "$tool is missing"
done
unshare --mount --net true 2>/dev/null || not_run "no namespaces can be made here"
! nm -D "$build/dagwood" | grep -qE ' __(asan|tsan|ubsan)_' || not_run "a sanitizer changes exit statuses"

cp "$build/dagwood" "$folder/dagwood"
printf '127.0.0.1 localhost dagwood\n' >"$folder/hosts"
chmod 755 "$folder"
unshare --mount --net python3 tests/kubernetes/pods.py "$examples" "$folder"
