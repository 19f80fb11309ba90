#!/usr/bin/env bash
# Compares what an echo over TCP costs: processor time per message and per connection, for NetGo.Netpoll, a C epoll loop, Go's net
# and System.Net.Sockets, the server on one core and the client on another.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../loadtests/targets.sh"
source "$loadtests/rounds.sh"
programs=$here/targets
build=$here/build

usage() {
    cat << 'END'
usage: compare.sh [options]

  --targets A,B,...     floor, go, sockets, netgo (all)
  --scenarios A,B,...   64B-1, 64B-1000, 64K-1, 64K-1000, accept, exchange (all)
  --rounds N            with new processes (2)
  --slices N            in which each target is measured in turn, in a round (10)
  --seconds N           of a slice (1)
  --warmup N            seconds before the first, at least 4 for a JIT (4)
  --port P              the first of as many as there are targets (18085)
  --server-core N       (0)
  --client-core N       (1)
  --no-build            use what is in build/

SIZE-N is an echo of messages of that size over N connections, accept and exchange are connections that the server closes: at
once, or after an echo of 64 bytes. Prints a table per scenario, and writes every slice to results/compare-TIME.tsv. "miss" stands
where netgo takes more than 1.1 of floor, 0.6 of Go, or 0.5 of System.Net.Sockets.
END
}

targets=floor,go,sockets,netgo
scenarios=64B-1,64B-1000,64K-1,64K-1000,accept,exchange
rounds=2
slices=10
seconds=1
warmup=4
port=18085
server_core=0
client_core=1
read_options "targets scenarios rounds slices seconds warmup port server-core client-core no-build?" "$@"
IFS=, read -ra targets <<< "$targets"
IFS=, read -ra scenarios <<< "$scenarios"
need taskset gcc awk
ulimit -n "$(ulimit -Hn)"

# A target's name is its program and, after it, what the program does with connections that it is to close.
target_command() {
    local program=${1%%-*} task=()
    case $1 in
        *-once) task=(--once) ;;
        *-accept) task=(--accept) ;;
    esac
    case $program in
        floor | go) command=("$build/$program" "$2" "${task[@]}") ;;
        netgo | sockets) command=("$build/$program/$program" "$2" "${task[@]}") ;;
        *) die "there is no target '$1' (floor, go, sockets, netgo)" ;;
    esac
}

# Sets what there is to know of a scenario: load, the client's arguments; task, the end of the targets' names; unit.
set_up() {
    task='' unit=message
    case $1 in
        64B-1) load=(--size 64 --connections 1) ;;
        64B-1000) load=(--size 64 --connections 1000) ;;
        64K-1) load=(--size 65536 --connections 1) ;;
        64K-1000) load=(--size 65536 --connections 1000) ;;
        accept) load=(--size 0 --connections 64 --reconnect) task=-accept unit=connection ;;
        exchange) load=(--size 64 --connections 64 --reconnect) task=-once unit=connection ;;
        *) die "there is no scenario '$1' (64B-1, 64B-1000, 64K-1, 64K-1000, accept, exchange)" ;;
    esac
}

# run_load WARMUP SECONDS
run_load() {
    taskset -c "$client_core" "$build/load" --port "$target_port" --pid "$target_pid" --warmup "$1" --seconds "$2" \
        "${load[@]}" > "$scratch/load" || die "$target, $scenario: echoes were wrong or missing, so there is nothing to report"
}

begin_target() {
    local scenario=$1 target=$2
    set_up "$scenario"
    start_target "$target$task" "$target_port" taskset -c "$server_core"
    run_load "$warmup" 1
}

measure_target() {
    local scenario=$1 target=$2 slice=$3 count measured cpu rate
    watched run_load 0 "$seconds"
    read -r count measured cpu rate < <(awk '
        {v[$1] = $2}
        END {print v["count"], v["seconds"], v["server_cpu"], v["count"] / v["seconds"]}' "$scratch/load")
    record "$scenario" "$target" "$slice" "$count" "$rate" "$cpu" "$measured"
}

end_target() {
    :
}

for scenario in "${scenarios[@]}"; do
    set_up "$scenario"
done
if [[ -n $with_build ]]; then
    for target in "${targets[@]}"; do
        build_target "$target"
    done
    compile "$build/load" "$here/load/load.c" "$loadtests/client/loopback.c"
fi

results=$here/results/compare-$(date +%Y%m%d-%H%M%S).tsv
run_rounds
for scenario in "${scenarios[@]}"; do
    set_up "$scenario"
    report "$scenario" "$unit" floor:1.1 go:0.6 sockets:0.5
done
