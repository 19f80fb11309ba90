#!/usr/bin/env bash
# Builds and starts a target and runs one scenario against it: by k6 where that is on PATH, and otherwise by other tools, with the same load
# and the same thresholds.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$scripts/../targets.sh"

usage() {
    cat << 'END'
usage: run.sh SCENARIO [options]

  SCENARIO       smoke, plaintext, rest, spike, ramp, soak, websocket, blocking
  --target T     netgo, go, aspnet, ... (netgo); rest has one of its own, examples/JsonApi
  --rate N       requests/s, for rest iterations/s; what these four are by default is in scenarios.ts
  --duration D   such as 30, 30s, 5m or 1h
  --vus N        at most so many requests, or WebSockets, at a time
  --p99 MS       the limit of the 99th percentile
  --port P       (18095)
  --without-k6   use the other tools although k6 is there
  --no-build     use what is in build/

Exits with 1 when a threshold is missed, an answer is wrong, or the target dies.
END
}

target=netgo
rate='' duration='' vus='' p99=''
port=18095
without_k6=
read_options "target rate duration vus p99 port without-k6? no-build? ..." "$@"
((${#arguments[@]} == 1)) || { usage >&2; exit 2; }
scenario=${arguments[0]}
line=$(sed -nE "s/^ +$scenario: \{ (.*) \},$/, \1,/p" "$scripts/scenarios.ts")
[[ -n $line ]] || die "there is no scenario '$scenario' (smoke, plaintext, rest, spike, ramp, soak, websocket, blocking)"

# What the table says of the scenario.
by_default() {
    sed -nE "s/.*, $1: ([0-9.]+),.*/\1/p" <<< "$line"
}

# ---- The load ----

[[ ${rate:=$(by_default rate)} =~ ^(0|[1-9][0-9]{0,6})$ ]] || die "--rate must be a whole number, not '$rate'"
[[ ${vus:=$(by_default vus)} =~ ^[1-9][0-9]{0,4}$ ]] || die "--vus must be a whole number of 1 or more, not '$vus'"
[[ ${p99:=$(by_default p99)} =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "--p99 must be a number of ms, not '$p99'"
[[ ${duration:=$(by_default seconds)} =~ ^([1-9][0-9]{0,5})([smh]?)$ ]] || die "--duration must be like 30, 30s, 5m or 1h, not '$duration'"
case ${BASH_REMATCH[2]} in
    h) seconds=$((BASH_REMATCH[1] * 3600)) ;;
    m) seconds=$((BASH_REMATCH[1] * 60)) ;;
    *) seconds=${BASH_REMATCH[1]} ;;
esac
[[ $rate != 0 || $scenario == websocket ]] || die "--rate must be 1 or more"
[[ $scenario != rest ]] || target=json-api
case $target/$scenario in
    nginx/plaintext | nginx/spike | nginx/ramp | h2o/plaintext | h2o/spike | h2o/ramp | haproxy/plaintext | haproxy/spike | haproxy/ramp) ;;
    nginx/* | h2o/* | haproxy/* | floor*/*) die "$target has not all routes that $scenario asks for" ;;
esac

# ---- What the other tools measured, against the thresholds ----

failures=0
log=$scratch/log

missed() {
    echo "MISSED: $*"
    failures=$((failures + 1))
}

figure() {
    awk -v name="$1" '$1 == name {print $2}' "$log"
}

# below WHAT MS LIMIT
below() {
    if [[ -n $2 ]] && awk -v value="$2" -v limit="$3" 'BEGIN {exit !(value < limit)}'; then
        echo "ok: $1 is $2 ms, below $3 ms"
    else
        missed "$1 is ${2:-not there} ms, not below $3 ms"
    fi
}

# at_rate WHAT RATE SECONDS [OPTIONS...]: an open load; its figures are in the log
at_rate() {
    local what=$1
    "$build/rate" --port "$port" --rate "$2" --seconds "$3" --warmup 0 --connections "$vus" "${@:4}" > "$log" \
        || missed "$what: $(figure wrong) answers were wrong, $(figure unanswered) missing"
    echo "$what: $(figure main_count) requests at $2/s, p50 $(figure main_p50) ms, p99 $(figure main_p99) ms, max $(figure main_max) ms"
}

third() {
    echo $((seconds < 3 ? 1 : seconds / 3))
}

run_smoke() {
    check_target "$target" "$port"
    echo "ok: every route answers as the contract says"
    at_rate smoke "$rate" "$seconds"
    below p99 "$(figure main_p99)" "$p99"
}

run_plaintext() {
    at_rate plaintext "$rate" "$seconds"
    below p99 "$(figure main_p99)" "$p99"
}

run_rest() {
    local threads=$((vus < 8 ? vus : 8)) steps=10
    wrk -t "$threads" -c "$threads" -d "${seconds}s" --timeout 10s -s "$loadtests/wrk/rest.lua" "http://127.0.0.1:$port" -- \
        $((1000 * threads / (rate * steps))) > "$log" || die "wrk failed"
    echo "rest: $(figure iterations) iterations, $(figure rate)/s, p50 $(figure p50) ms, p99 $(figure p99) ms, of all requests together"
    [[ $(figure wrong) == 0 ]] || missed "$(figure wrong) answers were wrong"
    [[ $(figure failed) == 0 ]] || missed "$(figure failed) requests failed"
    (($(figure iterations) > 0)) || missed "no iteration came to its end"
    below p99 "$(figure p99)" "$p99"
}

run_spike() {
    local calm=$((rate < 10 ? 1 : rate / 10)) part
    for part in before peak after; do
        at_rate "$part" $([[ $part == peak ]] && echo "$rate" || echo "$calm") "$(third)" --path /json
        below "p99 $part" "$(figure main_p99)" "$([[ $part == peak ]] && by_default peak || echo "$p99")"
    done
}

run_ramp() {
    local length=$((seconds < 5 ? 1 : seconds / 5)) quarters step knee=0 bent=
    for quarters in 1 2 4 8 16; do
        step=$((rate * quarters < 4 ? 1 : rate * quarters / 4))
        if ((quarters <= 4)); then
            at_rate "$step/s" "$step" "$length"
            below "p99 at $step/s" "$(figure main_p99)" "$p99"
        else
            local before=$failures # beyond what is demanded it may fail
            at_rate "$step/s" "$step" "$length" > "$scratch/beyond"
            failures=$before
            grep -v '^MISSED' "$scratch/beyond"
        fi
        awk -v value="$(figure main_p99)" -v limit="$p99" 'BEGIN {exit !(value != "" && value < limit)}' || bent=1
        (($(figure wrong) + $(figure unanswered) == 0)) || bent=1
        [[ -n $bent ]] || knee=$step
    done
    if ((knee == 0)); then
        echo "the knee (p99 of $p99 ms) is before the first step"
    else
        echo "the knee (p99 of $p99 ms) is ${bent:+after}${bent:-beyond} $knee requests/s; $rate were demanded" | sed 's/after1/after/'
    fi
}

run_soak() {
    local part
    for part in first second third; do
        at_rate "$part third" "$rate" "$(third)" --mix /json:0.5
        below "p99 of /plaintext, $part third" "$(figure main_p99)" "$p99"
        below "p99 of /json, $part third" "$(figure mix_p99)" "$p99"
    done
}

run_websocket() {
    "$build/websocket" --port "$port" --connections "$vus" --seconds "$seconds" --warmup 0 > "$log" || missed "$(figure wrong) connections went wrong"
    echo "websocket: $(figure messages) echoes over $vus connections, $(figure rate)/s, p50 $(figure p50) ms, p99 $(figure p99) ms"
    below p99 "$(figure p99)" "$p99"
}

run_blocking() {
    at_rate blocking "$rate" "$seconds" --mix /block?ms=50:0.01
    below "p99 of the others" "$(figure main_p99)" "$p99"
    below "p99 of the blockers" "$(figure mix_p99)" "$(by_default blockers)"
}

tool_of() {
    case $scenario in
        rest) echo "wrk with wrk/rest.lua, which is a closed load of 8 connections at the most, paced to about that rate" ;;
        websocket) echo "loadtests/websocket, a closed load as k6's is" ;;
        smoke) echo "curl, for each route, and loadtests/rate, an open load, for /plaintext" ;;
        soak) echo "loadtests/rate, an open load, for /plaintext and /json; /users and /echo are left out" ;;
        *) echo "loadtests/rate, an open load" ;;
    esac
}

run_k6() {
    echo "$(k6 version | head -n 1): $scenario against $target"
    k6 run --quiet -e BASE_URL="http://127.0.0.1:$port" -e DURATION="${seconds}s" -e VUS="$vus" -e P99="$p99" \
        $([[ $rate == 0 ]] || echo "-e RATE=$rate") "$scripts/$scenario.ts" || missed "k6 ended with exit code $?"
}

# ---- What the target keeps, in a soak ----

resident() { # in KiB
    local pid
    for pid in $(target_pids); do
        awk '/^VmRSS:/ {print $2}' "/proc/$pid/status" 2> "$scratch/status" || true
    done | awk '{sum += $1} END {print sum + 0}'
}

# Thirty times in the run; the first ones are of a server that has not seen all yet.
watch_resident() {
    local pause
    pause=$(awk -v s="$seconds" 'BEGIN {print s / 30}')
    mkfifo "$scratch/never" # to wait without a child that would outlive this
    exec 9<> "$scratch/never"
    until read -rt "$pause" -u 9; do
        resident >> "$scratch/resident"
    done
}

check_resident() {
    local early late
    read -r early late < <(awk '
        {v[NR] = $1}
        END {
            for (i = int(NR / 3) + 1; i <= int(NR / 3) + 3 && i <= NR; i++) if (v[i] > early) early = v[i]
            print early + 0, v[NR] + 0
        }' "$scratch/resident")
    if ((late > 0 && late <= early * 120 / 100 + 20 * 1024)); then
        echo "ok: the resident set was $early KiB after a third of the time and is $late KiB at the end"
    else
        missed "the resident set was $early KiB after a third of the time and is $late KiB at the end"
    fi
}

# ---- The run ----

with_k6=1
[[ -z $without_k6 ]] && command -v k6 > "$scratch/which" || with_k6=
need curl awk gcc
[[ $scenario != rest || -n $with_k6 ]] || need wrk
ulimit -n "$(ulimit -Hn)"
[[ -z $with_build ]] || build_target "$target"
build_client rate
[[ $scenario != websocket ]] || build_client websocket

start_target "$target" "$port"
if [[ $scenario != smoke ]]; then
    check_target "$target" "$port"
    # A JIT has to see the code first, and k6 knows no warm-up.
    "$build/rate" --port "$port" --rate $((rate > 200 ? rate / 2 : 100)) --seconds 3 --warmup 0 --connections "$vus" \
        $([[ $scenario != rest ]] || echo --path /books) > "$scratch/warmup" || die "$target: wrong answers in the warm-up"
fi
if [[ $scenario == soak ]]; then
    watch_resident &
    watcher=$!
    running_targets+=("$watcher") # so that it is stopped however this ends
fi

if [[ -n $with_k6 ]]; then
    run_k6
else
    echo "=== NOT K6: ${scenario} runs with $(tool_of) ===" >&2
    "run_$scenario"
fi

if [[ $scenario == soak ]]; then
    kill "$watcher"
    wait "$watcher" 2> "$scratch/kill" || true
    check_resident
fi
kill -0 "$target_pid" 2> "$scratch/kill" || { tail -n 40 "$scratch/$target.err" >&2; missed "$target died"; }
if ((failures > 0)); then
    echo "$scenario against $target: $failures missed"
    exit 1
fi
echo "$scenario against $target: passed"
