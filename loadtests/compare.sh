#!/usr/bin/env bash
# Compares what a request costs the targets: processor time per request, the server on one core and wrk on another.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"
source "$loadtests/rounds.sh"

usage() {
    cat << 'END'
usage: compare.sh [options]

  --targets A,B,...     floor, go, netgo, aspnet, aspnet-inline, aspnet-netpoll, nginx, h2o,
                        haproxy (floor,go,aspnet,netgo); netgo-KIND is netgo with --watch KIND
  --to A,B,...          the targets that the others are compared with (floor,go,aspnet)
  --scenarios A,B,...   plaintext, pipelined, json, connections (these), tls (not floor), h2c (aspnet only)
  --rounds N            with new processes (2)
  --slices N            in which each target is measured in turn, in a round (5)
  --seconds N           of a slice (2)
  --warmup N            seconds before the first, at least 15 for Kestrel on one core (15)
  --connections N       of wrk (64)
  --port P              the first of as many as there are targets (18081)
  --server-core N       (0)
  --client-core N       (1)
  --no-build            use what is in build/

Prints a table per scenario, and writes every slice to results/compare-TIME.tsv.
END
}

targets=floor,go,aspnet,netgo
to=floor,go,aspnet
scenarios=plaintext,pipelined,json,connections
rounds=2
slices=5
seconds=2
warmup=15
connections=64
port=18081
server_core=0
client_core=1
read_options "targets to scenarios rounds slices seconds warmup connections port server-core client-core no-build?" "$@"
IFS=, read -ra targets <<< "$targets"
IFS=, read -ra scenarios <<< "$scenarios"
need taskset wrk curl awk

# The program that plays a target's part in a scenario: floor has one answer, so it is another one for JSON.
player() {
    if [[ $1 == floor && $2 == json ]]; then echo floor-json; else echo "$1"; fi
}

# run_client SCENARIO SECONDS: sets requests and rate
run_client() {
    if [[ $1 == h2c ]]; then run_h2load "$2"; else run_wrk "$1" "$2"; fi
    ((${requests:-0} > 0)) || die "$target, $1: no request was answered"
}

run_h2load() {
    local time=$1 log=$scratch/h2load.log
    taskset -c "$client_core" h2load -t 1 -c "$connections" -m 8 -D "$time" "http://127.0.0.1:$target_port/plaintext" > "$log" 2>&1 \
        || { cat "$log" >&2; die "h2load failed"; }
    # requests: 1 total, 2 started, 3 done, 4 succeeded, 5 failed, 6 errored, 7 timeout
    read -r requests rate errors < <(awk '/^requests:/ {print $8, $8 / '"$time"', $10 + $12 + $14}' "$log")
    ((errors == 0)) || { cat "$log" >&2; die "$target, h2c: h2load saw errors, so there is nothing to report"; }
}

run_wrk() {
    local scenario=$1 time=$2 log=$scratch/wrk.log path=/plaintext arguments=()
    case $scenario in
        plaintext | tls) ;;
        pipelined) arguments=(-s "$loadtests/wrk/pipelined.lua") ;;
        json) path=/json ;;
        connections) arguments=(-H 'Connection: close') ;;
    esac
    OPENSSL_CONF=$tls_offer taskset -c "$client_core" wrk -t 1 -c "$connections" -d "${time}s" --timeout 10s "${arguments[@]}" \
        "$scheme://127.0.0.1:$target_port$path" > "$log" 2>&1 || { cat "$log" >&2; die "wrk failed"; }
    if grep -qE 'Socket errors|Non-2xx|unable to' "$log"; then
        cat "$log" >&2
        die "$target, $scenario: wrk saw errors, so there is nothing to report"
    fi
    requests=$(awk '/ requests in / {print $1}' "$log")
    rate=$(awk '/^Requests\/sec:/ {print $2}' "$log")
}

begin_target() {
    local scenario=$1 target=$2
    case $scenario in
        tls) speak https ;;
        h2c) speak h2c ;;
        *) speak http ;;
    esac
    start_target "$(player "$target" "$scenario")" "$target_port" taskset -c "$server_core"
    end_target "$scenario" "$target"
    run_client "$scenario" "$warmup"
}

measure_target() {
    local scenario=$1 target=$2 slice=$3
    watched run_client "$scenario" "$seconds"
    record "$scenario" "$target" "$slice" "$requests" "$rate" "$target_cpu" "$seconds"
}

# It answers as it did before.
end_target() {
    check_target "$(player "$2" "$1")" "$target_port"
}

for scenario in "${scenarios[@]}"; do
    case $scenario in
        plaintext | pipelined | json | connections | tls) ;;
        h2c) need h2load ;;
        *) die "there is no scenario '$scenario' (plaintext, pipelined, json, connections, tls, h2c)" ;;
    esac
done
if [[ -n $with_build ]]; then
    for target in "${targets[@]}"; do
        build_target "$target"
    done
fi

results=$loadtests/results/compare-$(date +%Y%m%d-%H%M%S).tsv
run_rounds
for scenario in "${scenarios[@]}"; do
    report "$scenario" request ${to//,/ }
done
