# cluster.sh - a Slurm cluster on this machine, for run.sh: munged, slurmctld and three slurmd, all on the loopback interface, with
# files, keys and ports of their own. As root. Sets SLURM_CONF.

nodes=3

# Starts a node's slurmd, and notes its pid.
cluster_start_node () { # NAME
    slurmd -N "$1" -f "$SLURM_CONF" # which goes to the background, and has written its pid file then
}

cluster_write () { # FOLDER PORT
    local host i
    host=$(hostname -s)
    cat >"$1/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$2
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$1/munge/socket
CredType=cred/munge
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool.%n
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd.%n.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=300
InactiveLimit=0
KillWait=5
MinJobAge=600
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmdParameters=config_overrides
END
    for i in $(seq $nodes); do
        echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$(($2 + i)) CPUs=2 RealMemory=2000 State=UNKNOWN"
        mkdir "$1/spool.n$i"
    done >>"$1/slurm.conf"
    echo "PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO" >>"$1/slurm.conf"
}

# Waits until so many nodes are idle.
cluster_await_idle () { # COUNT
    local looks
    for ((looks = 0; looks < 600; looks++)); do
        [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = "$1" ] && return
        sleep 0.1
    done
    sinfo
    return 1
}

cluster_up () { # FOLDER
    local i
    mkdir -m 755 "$1/munge" "$1/state"
    dd if=/dev/urandom of="$1/munge/key" bs=1024 count=1 status=none && chmod 600 "$1/munge/key"
    munged --socket="$1/munge/socket" --key-file="$1/munge/key" --log-file="$1/munge/log" \
        --pid-file="$1/munge/pid" --seed-file="$1/munge/seed" || return
    export SLURM_CONF=$1/slurm.conf
    cluster_write "$1" $((20000 + $$ % 1000 * 10))
    slurmctld -c -f "$SLURM_CONF" || return
    for i in $(seq $nodes); do
        cluster_start_node "n$i" || return
    done
    cluster_await_idle $nodes
}

# The pids of what runs in jobs of this cluster.
cluster_pids () {
    grep -lzx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null |
        xargs -r grep -lz '^SLURM_JOB_ID=' 2>/dev/null | cut -d / -f 3
}

# What runs of it at all.
cluster_all_pids () {
    grep -lzx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

# Ends all that it has started, by pid.
cluster_down () { # FOLDER
    local file looks pid
    scancel --full --user=root 2>/dev/null
    for ((looks = 0; looks < 100; looks++)); do
        [ -n "$(squeue -h 2>/dev/null)" ] || [ -n "$(cluster_pids)" ] || break
        sleep 0.1
    done
    for pid in $(cluster_pids); do
        kill -KILL "$pid" 2>/dev/null
    done
    for file in "$1"/slurmd.*.pid "$1/slurmctld.pid" "$1/munge/pid"; do
        [ ! -f "$file" ] || kill "$(cat "$file")" 2>/dev/null
    done
    for ((looks = 0; looks < 100; looks++)); do
        [ -n "$(ls "$1"/*.pid "$1/munge/pid" 2>/dev/null)" ] || break
        sleep 0.1
    done
    for pid in $(cluster_all_pids); do # such as slurmstepd of a slurmd that was killed
        kill -KILL "$pid" 2>/dev/null
    done
}
