#!/usr/bin/env bash
# What handlers that block do to the others: the latency of GET /plaintext at a fixed rate, without and with a part of the
# requests asking for /block in its place.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: block.sh [options]

  --targets A,B,...     netgo, go, aspnet, ... (netgo,go,aspnet)
  --rate N              requests/s (1500)
  --fraction F          of them block (0.01)
  --ms N                for so long (50)
  --seconds N           measured in each run (10)
  --warmup N            seconds before that (4)
  --rounds N            the medians of so many are reported (3)
  --connections N       (64)
  --cores LIST          the server's, as taskset takes them (0,1; a single processor: 0)
  --client-cores LIST   the load generator's (0,1; with --cores 0: 1)
  --port P              (18082)
  --no-build            use what is in build/

Latency is in ms and runs from when a request was due. `ratio` is p99 with blockers to p99 without.
END
}

targets=netgo,go,aspnet
rate=1500
fraction=0.01
ms=50
seconds=10
warmup=4
rounds=3
connections=64
cores=0,1
client_cores=
port=18082

read_options "targets rate fraction ms seconds warmup rounds connections cores client-cores port no-build?" "$@"
IFS=, read -ra targets <<< "$targets"
if [[ -z $client_cores ]]; then
    if [[ $cores == 0 ]]; then client_cores=1; else client_cores=0,1; fi
fi
need taskset curl awk gcc

# run_rate NAME MIX-ARGUMENTS...: appends `NAME metric value` lines to $figures
run_rate() {
    local name=$1
    shift
    taskset -c "$client_cores" "$build/rate" --port "$port" --rate "$rate" --seconds "$seconds" --warmup "$warmup" \
        --connections "$connections" "$@" > "$scratch/rate.log" || {
        cat "$scratch/rate.log" >&2
        die "$target: answers were wrong or missing"
    }
    awk -v name="$name" '{print name, $1, $2}' "$scratch/rate.log" >> "$figures"
}

# median NAME METRIC
median() {
    awk -v name="$1" -v metric="$2" '$1 == name && $2 == metric {print $3}' "$figures" | sort -n \
        | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

[[ -z $with_build ]] || for target in "${targets[@]}"; do build_target "$target"; done
build_client rate

echo "$rate requests/s over $connections connections, server on cores $cores, client on $client_cores;" \
    "with $fraction of them blocking $ms ms"
printf '%-16s %10s %10s %12s %12s %8s %14s %14s\n' target 'p50 alone' 'p99 alone' 'p50 blocked' 'p99 blocked' ratio \
    'blockers p50' 'blockers p99'
for target in "${targets[@]}"; do
    figures=$scratch/figures
    : > "$figures"
    for ((round = 1; round <= rounds; round++)); do
        start_target "$target" "$port" taskset -c "$cores"
        check_target "$target" "$port"
        run_rate alone
        run_rate blocked --mix "/block?ms=$ms:$fraction"
        stop_targets
    done
    alone=$(median alone main_p99)
    blocked=$(median blocked main_p99)
    printf '%-16s %10.2f %10.2f %12.2f %12.2f %7.1fx %14.2f %14.2f\n' "$target" "$(median alone main_p50)" "$alone" \
        "$(median blocked main_p50)" "$blocked" "$(awk -v a="$alone" -v b="$blocked" 'BEGIN {print b / a}')" \
        "$(median blocked mix_p50)" "$(median blocked mix_p99)"
done
