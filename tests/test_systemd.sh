#!/bin/bash
# The units of examples/systemd: systemd finds nothing wrong with them and little that they are exposed to, and started by a systemd of
# their own, in namespaces, they do what they say. The latter needs root; without it they are looked at alone.
# usage: test_systemd.sh BUILD
set -eu
build=$(realpath "$1")
units=$PWD/examples/systemd
exposure_max=1.5

for tool in systemd-analyze systemd-sysusers unshare; do
    command -v $tool >/dev/null || { echo "$tool is missing (packages systemd, util-linux): not tried"; exit 77; }
done
folder=$(mktemp -d)
groups=() # control groups of its own, in each hierarchy
finish () {
    sleep 0.2
    [ ${#groups[@]} = 0 ] || find "${groups[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

# -- Looked at ---------------------------------------------------------------------------------------------------------

# Where the units find things while they are tried: the places that they name are not this test's to write to.
mkdir "$folder/units" "$folder/etc"
for unit in "$units"/*.service; do
    sed 's|/usr/bin/dagwood|/run/dagwood/dagwood|; s|/etc/dagwood|/run/dagwood|g' "$unit" >"$folder/units/$(basename "$unit")"
done
mkdir "$folder/looked"
for unit in "$units"/*.service; do
    sed "s|/usr/bin/dagwood|$build/dagwood|" "$unit" >"$folder/looked/$(basename "$unit")"
done
cd "$folder/looked"
said=$(systemd-analyze verify --man=no dagwood-coordinator.service dagwood-worker@one.service 2>&1) &&
    [ -z "$said" ] || { echo "systemd-analyze verify: $said"; exit 1; }
for unit in *.service; do
    level=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    echo "exposure of $unit: $level"
    awk -v level="$level" -v most=$exposure_max 'BEGIN { exit !(level != "" && level <= most) }' ||
        { echo "which is more than $exposure_max"; exit 1; }
done

# What docs/DEPLOYING.md says is not to be started again is not.
hopeless=$(sed -n 's/^| \([0-9, ]*\) |.*| no.*/\1/p' "$units/../../docs/DEPLOYING.md" | tr -d ',' | tr ' ' '\n' |
    grep -vx 0 | sort -n | xargs)
for unit in *.service; do
    prevented=$(sed -n 's/^RestartPreventExitStatus=//p' "$unit")
    [ "$prevented" = "$hopeless" ] || { echo "$unit: is not started again at $prevented, and should not be at $hopeless"; exit 1; }
done

# -- Started -----------------------------------------------------------------------------------------------------------

not_started () {
    echo "looked at, and not started: $1"
    exit 77
}

[ "$(id -u)" = 0 ] || not_started "that needs root"
[ -x /lib/systemd/systemd ] || not_started "there is no systemd"
! nm -D "$build/dagwood" | grep -qE ' __(asan|tsan|ubsan)_' || not_started "a sanitizer needs more than the units allow"
if [ -d /sys/fs/cgroup/systemd ]; then
    mount="-t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd"
    hierarchies=(/sys/fs/cgroup/*/)
else
    mount="-t cgroup2 cgroup2 /sys/fs/cgroup"
    hierarchies=(/sys/fs/cgroup/)
fi
for hierarchy in "${hierarchies[@]}"; do
    ! mkdir "${hierarchy}dagwood-$$" 2>/dev/null || groups+=("${hierarchy}dagwood-$$")
done
[ ${#groups[@]} -gt 0 ] || not_started "no control group can be made here"

# The user of the units, in files of users that only those namespaces see.
cp /etc/passwd /etc/group /etc/shadow "$folder/etc/"
systemd-sysusers --root="$folder" "$units/dagwood.conf" 2>/dev/null || { echo "dagwood.conf makes no user"; exit 1; }
grep -q '^dagwood:' "$folder/etc/passwd" || { echo "dagwood.conf makes no user"; exit 1; }

cat >"$folder/units/tried.service" <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash $folder/tried.sh
StandardOutput=file:$folder/told
StandardError=file:$folder/told
END

for target in sysinit basic shutdown network-online; do # which would start a whole machine
    printf '[Unit]\nDefaultDependencies=no\n' >"$folder/units/$target.target"
done

# What is run by that systemd, as root: the units are started, used, killed and stopped.
cat >"$folder/tried.sh" <<'END'
set -eu
dagwood=/run/dagwood/dagwood
fail () {
    echo "FAILED: $*"
    systemctl --no-pager status dagwood-coordinator 'dagwood-worker@*' || true
    exit 1
}
shows () { # UNIT PROPERTY
    systemctl show -P "$2" "$1"
}
await () { # WHAT COMMAND...
    local looks what=$1
    shift
    for ((looks = 0; looks < 200; looks++)); do
        "$@" && return
        sleep 0.1
    done
    fail "$what did not come in time"
}
peer=(--connect tcp://127.0.0.1:25555 --key /run/dagwood/client.key --server-key /run/dagwood/server.pub)
has_workers () {
    $dagwood status "${peer[@]}" --format json >/run/dagwood/status 2>&1 && [ "$(grep -o '"pid"' /run/dagwood/status | wc -l)" = "$1" ]
}
is_restarted () {
    [ "$(shows dagwood-worker@one NRestarts)" = 1 ] && [ "$(shows dagwood-worker@one ActiveState)" = active ]
}
is_failed () {
    [ "$(shows dagwood-worker@stranger ActiveState)" = failed ]
}

umask 077
cd /run/dagwood
mkdir keys graphs
$dagwood keygen keys/coordinator.key >/dev/null
$dagwood keygen worker.key | sed -n 's/^ *worker \(.*\) NAME$/worker \1 node/p' >keys/allowed
$dagwood keygen client.key | sed -n 's/^ *worker \(.*\) NAME$/client \1 desk\nmonitor \1 desk/p' >>keys/allowed
$dagwood keygen stranger.key >/dev/null
cp keys/coordinator.key.pub .
printf 'processors:\n  - {id: upper, processor: change_text_case_upper}\n' >graphs/words.yaml
printf 'GRAPHS=/run/dagwood/graphs/words.yaml\nLISTEN=tcp://*:25555\nOPTIONS=--slots-max 64\n' >coordinator.env
printf 'DAGWOOD_CONNECT=tcp://127.0.0.1:25555\nOPTIONS=--slots 2\n' >worker-one.env
printf 'DAGWOOD_CONNECT=tcp://127.0.0.1:25555\nOPTIONS=--slots 2 --isolation process\n' >worker-apart.env
printf 'DAGWOOD_CONNECT=tcp://127.0.0.1:25555\nOPTIONS=--key /run/dagwood/stranger.key\n' >worker-stranger.env
chown -R dagwood: /run/dagwood
cp --no-preserve=all keys/coordinator.key.pub server.pub # of root, who asks: one of somebody else's is not believed
chown root: client.key

systemctl start dagwood-coordinator || fail "the coordinator does not start"
await "the coordinator" has_workers 0
systemctl start dagwood-worker@one dagwood-worker@apart || fail "a worker does not start"
await "two workers" has_workers 2
[ "$($dagwood submit "${peer[@]}" --input hello --output upper | sed -n 2p)" = HELLO ] || fail "no result"
pid=$(shows dagwood-worker@one MainPID)
[ "$(stat -c %U "/proc/$pid")" = dagwood ] || fail "it runs as somebody else"
grep -q '^Seccomp:.2' "/proc/$pid/status" && grep -q '^CapBnd:.0*$' "/proc/$pid/status" || fail "it is not confined"

systemctl kill -s KILL dagwood-worker@one # which is started again,
await "the worker again" is_restarted
await "two workers again" has_workers 2
systemctl start dagwood-worker@stranger || true # and one whose key is not on the list is not
await "the end of the stranger" is_failed
[ "$(shows dagwood-worker@stranger ExecMainStatus)" = 77 ] || fail "the stranger ended with another status"
[ "$(shows dagwood-worker@stranger NRestarts)" = 0 ] || fail "the stranger was started again"

systemctl reload dagwood-coordinator || fail "no reload"
systemctl stop dagwood-worker@one || fail "no stop"
[ "$(shows dagwood-worker@one Result)" = success ] || fail "a worker that is stopped has not drained"
systemctl stop dagwood-coordinator || fail "the coordinator does not stop"
[ "$(shows dagwood-coordinator Result)" = success ] || fail "the coordinator ended badly"
echo "all is well"
END

cat >"$folder/inside.sh" <<END
set -eu
for group in ${groups[*]}; do
    echo \$\$ >"\$group/cgroup.procs" || true # some take nobody before they are set up
done
exec unshare --fork --kill-child --pid --mount --cgroup --ipc --uts --mount-proc bash -eu -c '
    for other in /sys/fs/cgroup/*; do
        if mountpoint -q "\$other"; then umount -l "\$other"; fi
    done
    mount $mount
    for file in passwd group shadow; do mount --bind "$folder/etc/\$file" "/etc/\$file"; done
    mount -t tmpfs tmpfs /run
    mkdir /run/dagwood
    cp "$build/dagwood" /run/dagwood/
    export container=lxc SYSTEMD_UNIT_PATH=$folder/units
    exec /lib/systemd/systemd --system --unit=tried.service --log-target=console --show-status=no'
END
bash "$folder/inside.sh" >"$folder/manager" 2>&1 &
manager=$!
for ((looks = 0; looks < 600; looks++)); do
    ! grep -qsE '^(all is well|FAILED)' "$folder/told" && kill -0 $manager 2>/dev/null || break
    sleep 0.1
done
kill -KILL $manager 2>/dev/null || true
wait $manager 2>/dev/null || true
if ! grep -qx "all is well" "$folder/told" 2>/dev/null; then
    [ -s "$folder/told" ] || { tail -n 20 "$folder/manager"; not_started "systemd does not run here"; }
    cat "$folder/told"
    exit 1
fi
echo "started, used, killed, started again and stopped"
