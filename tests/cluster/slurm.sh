#!/usr/bin/env bash
# A Slurm of two nodes on this one machine, for the tests: slurm.sh start|stop
# It needs root on Debian or Ubuntu. It installs the packages of Slurm and writes /etc/slurm/slurm.conf,
# where the inner steps of Snakemake's jobs read it. It never replaces the configuration of another Slurm.
set -euo pipefail

conf=/etc/slurm/slurm.conf
place=/var/tmp/voxslice-slurm
mark="# of the Voxslice tests (tests/cluster/slurm.sh)"

say() { echo "slurm.sh: $*" >&2; }

# up SECONDS COMMAND...: wait until the command succeeds
up() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { say "gave up waiting for: $*"; return 1; }
        sleep 0.3
    done
}

ours() { [ -f "$conf" ] && grep -qxF "$mark" "$conf"; }
two_ready() { [ "$(sinfo --noheader --Node --states=idle,mixed,allocated | wc -l)" = 2 ]; }
none_left() { [ -z "$(squeue --noheader)" ]; }

configure() {
    local host
    host=$(hostname -s)
    mkdir -p "$place"/{state,spool-one,spool-two}
    # No control groups are needed: `pgid` ends a cancelled job with its children, and memory is sampled.
    # Finished jobs stay visible to squeue, because no other command reports them.
    cat >"$conf" <<CONF
$mark
ClusterName=voxslice
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool-%n
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd-%n.log
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd-%n.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
MpiDefault=none
KillWait=3
MinJobAge=3600
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 Port=17101 CPUs=2 RealMemory=16000
NodeName=two NodeHostname=$host NodeAddr=127.0.0.1 Port=17102 CPUs=2 RealMemory=16000
PartitionName=test Nodes=ALL Default=YES State=UP
CONF
}

start() {
    if command -v sinfo >/dev/null && sinfo >/dev/null 2>&1; then
        say "a Slurm is already running"
        return
    fi
    if [ -f "$conf" ] && ! ours; then
        say "$conf is not of these tests and is left alone: start the Slurm that it describes"
        return 1
    fi
    if ! command -v slurmctld slurmd munged sbatch >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            munge slurmctld slurmd slurm-client >/dev/null
    fi
    configure
    install -d -o munge -g munge -m 755 /run/munge
    munge -n >/dev/null 2>&1 || runuser -u munge -- munged
    up 10 munge -n
    slurmctld
    up 20 scontrol ping
    slurmd -N one
    slurmd -N two
    up 30 two_ready || { tail -n 20 "$place"/*.log >&2; return 1; }
    # srun may fail to launch and still return success
    [ -n "$(timeout 60 srun hostname)" ] || { say "srun runs nothing"; return 1; }
}

stop() {
    ours || { say "no Slurm of these tests is configured"; return 0; }
    if sinfo >/dev/null 2>&1; then
        scancel --me --quiet || true
        up 20 none_left || true
        scontrol shutdown
    fi
    up 20 rm -rf "$conf" "$place" # the daemons may still write there
}

case "${1:-}" in
    start) start ;;
    stop) stop ;;
    *) say "start or stop?"; exit 2 ;;
esac
