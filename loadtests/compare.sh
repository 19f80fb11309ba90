#!/usr/bin/env bash
# Compares what a request costs the targets: processor time per request, the server on one core and wrk on another.
#
# Each scenario is run in rounds. In a round every target has its turn, with a new process: checked, warmed up, measured.
# Targets are compared within a round, so that what the machine does meanwhile weighs on all of them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: compare.sh [options]

  --targets A,B,...     floor, go, netgo, aspnet, aspnet-netpoll, aspnet-netgo (floor,go,aspnet,netgo)
  --scenarios A,B,...   plaintext, pipelined, json, connections (all)
  --rounds N            (3)
  --seconds N           measured in each turn (5)
  --warmup N            seconds before that, at least 4 for a JIT (4)
  --connections N       of wrk (64)
  --port P              (18081)
  --server-core N       (0)
  --client-core N       (1)
  --no-build            use what is in build/

Prints a table per scenario, and writes every turn to results/compare-TIME.tsv.
END
}

targets=floor,go,aspnet,netgo
scenarios=plaintext,pipelined,json,connections
rounds=3
seconds=5
warmup=4
connections=64
port=18081
server_core=0
client_core=1
with_build=1

while (($# > 0)); do
    case $1 in
        --no-build) with_build=; shift; continue ;;
        --help) usage; exit 0 ;;
        --targets | --scenarios | --rounds | --seconds | --warmup | --connections | --port | --server-core | --client-core)
            (($# > 1)) || die "$1 needs a value"
            name=${1#--}
            declare "${name//-/_}=$2"
            shift 2
            ;;
        *) usage >&2; exit 2 ;;
    esac
done
IFS=, read -ra targets <<< "$targets"
IFS=, read -ra scenarios <<< "$scenarios"
ticks_per_second=$(getconf CLK_TCK)
need taskset wrk curl awk

# The program that plays a target's part in a scenario: floor has one answer, so it is another one for JSON.
player() {
    if [[ $1 == floor && $2 == json ]]; then echo floor-json; else echo "$1"; fi
}

# Processor time that the two cores have spent on anything, in clock ticks.
busy_ticks() {
    awk -v server="cpu$server_core" -v client="cpu$client_core" '
        $1 == server || $1 == client {sum += $2 + $3 + $4 + $7 + $8 + $9}
        END {print sum}' /proc/stat
}

# run_wrk SCENARIO SECONDS: sets requests, rate, and wrk_seconds, the processor time that wrk itself took
run_wrk() {
    local scenario=$1 time=$2 log=$scratch/wrk.log path=/plaintext arguments=() TIMEFORMAT='%U %S'
    case $scenario in
        plaintext) ;;
        pipelined) arguments=(-s "$loadtests/wrk/pipelined.lua") ;;
        json) path=/json ;;
        connections) arguments=(-H 'Connection: close') ;;
    esac
    { time taskset -c "$client_core" wrk -t 1 -c "$connections" -d "${time}s" --timeout 10s "${arguments[@]}" \
        "http://127.0.0.1:$port$path" > "$log" 2>&1; } 2> "$scratch/wrk.time" || { cat "$log" >&2; die "wrk failed"; }
    wrk_seconds=$(awk 'END {print $1 + $2}' "$scratch/wrk.time")
    if grep -qE 'Socket errors|Non-2xx|unable to' "$log"; then
        cat "$log" >&2
        die "$target, $scenario: wrk saw errors, so there is nothing to report"
    fi
    requests=$(awk '/ requests in / {print $1}' "$log")
    rate=$(awk '/^Requests\/sec:/ {print $2}' "$log")
    ((${requests:-0} > 0)) || die "$target, $scenario: no request was answered"
}

# take_turn SCENARIO TARGET ROUND
take_turn() {
    local scenario=$1 target=$2 round=$3 name before after busy_before busy_after
    name=$(player "$target" "$scenario")
    start_target "$name" "$port" taskset -c "$server_core"
    check_target "$name" "$port"
    run_wrk "$scenario" "$warmup"
    busy_before=$(busy_ticks)
    before=$(target_ticks)
    run_wrk "$scenario" "$seconds"
    after=$(target_ticks)
    busy_after=$(busy_ticks)
    kill -0 "$target_pid" || die "$target, $scenario: the server died"
    check_target "$name" "$port"
    stop_target
    awk -v scenario="$scenario" -v target="$target" -v round="$round" -v requests="$requests" -v rate="$rate" \
        -v ticks="$((after - before))" -v busy="$((busy_after - busy_before))" -v wrk="$wrk_seconds" \
        -v per_second="$ticks_per_second" -v seconds="$seconds" 'BEGIN {
            OFS = "\t"
            cpu = ticks / per_second
            others = (busy / per_second - cpu - wrk) / seconds
            print scenario, target, round, requests, rate, cpu * 1e6 / requests, cpu / seconds * 100, \
                (others > 0 ? others * 100 : 0)
        }' >> "$results"
}

# report SCENARIO: the table, from the turns of one scenario
report() {
    awk -F '\t' -v scenario="$1" -v order="${targets[*]}" '
        function median(values, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                    t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
                }
            return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
        }
        function median_of(table, target,    n, round, values) {
            for (round = 1; round <= rounds; round++)
                values[++n] = table[target, round]
            return median(values, n)
        }
        # The median ratio to another target in the same round, and the least and the largest.
        function ratio(target, base,    n, round, values, least, most, r) {
            if (!((base, 1) in cpu))
                return "-"
            for (round = 1; round <= rounds; round++) {
                r = cpu[target, round] / cpu[base, round]
                values[++n] = r
                if (n == 1 || r < least) least = r
                if (n == 1 || r > most) most = r
            }
            return sprintf("%.2fx (%.2f-%.2f)", median(values, n), least, most)
        }
        $1 == scenario {
            cpu[$2, $3] = $6; rate[$2, $3] = $5; busy[$2, $3] = $7
            if ($8 > others) others = $8
            if ($3 > rounds) rounds = $3
        }
        END {
            printf "\n%s, %d round%s\n", scenario, rounds, (rounds > 1 ? "s" : "")
            printf "%-16s %14s %12s %8s   %-20s %-20s\n", "target", "CPU us/request", "requests/s", "core", \
                "to floor (min-max)", "to go (min-max)"
            count = split(order, names, " ")
            for (i = 1; i <= count; i++)
                printf "%-16s %14.3f %12.0f %7.0f%%   %-20s %-20s\n", names[i], median_of(cpu, names[i]), \
                    median_of(rate, names[i]), median_of(busy, names[i]), ratio(names[i], "floor"), ratio(names[i], "go")
            if (others > 10)
                printf "The machine was not quiet: in one turn others took %.0f %% of a core from the two.\n", others
        }' "$results"
}

for scenario in "${scenarios[@]}"; do
    case $scenario in
        plaintext | pipelined | json | connections) ;;
        *) die "there is no scenario '$scenario' (plaintext, pipelined, json, connections)" ;;
    esac
done
if [[ -n $with_build ]]; then
    for target in "${targets[@]}"; do
        build_target "$target"
    done
fi

mkdir -p "$loadtests/results"
results=$loadtests/results/compare-$(date +%Y%m%d-%H%M%S).tsv
printf 'scenario\ttarget\tround\trequests\trequests/s\tcpu us/request\tcore %%\tothers %%\n' > "$results"
for scenario in "${scenarios[@]}"; do
    for ((round = 1; round <= rounds; round++)); do
        for target in "${targets[@]}"; do
            echo "$scenario, round $round of $rounds: $target" >&2
            take_turn "$scenario" "$target" "$round"
        done
    done
done
for scenario in "${scenarios[@]}"; do
    report "$scenario"
done
