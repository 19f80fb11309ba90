#!/bin/sh
# Runs the scheduler's benchmarks in .NET and in Go in turn, pinned to the same cores, and prints per line the medians of
# all rounds and their ratio (below 1: NetGo is quicker), for each set of cores. Beside them Go 1.26's figures on the same work and
# two cores, where there are some, and "miss" where NetGo takes more than half of Go 1.26's time, or a tenth of its memory.
#
#   compare.sh [name...]        all without names; --growth for the same operations among ever more goroutines
#   CORES="0 0,1" ROUNDS=3      the sets of cores both are pinned to, and how often each runs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet build -c Release --nologo -v quiet "$here/SchedulerBench.csproj" >&2
# On one core the JIT waits ten times as long before it optimizes, which is longer than these benchmarks last.
export DOTNET_TC_DelaySingleProcMultiplier=1
netgo=$here/bin/Release/net10.0/SchedulerBench
(cd "$here/go" && go build -o "$work/go" .)

for cores in ${CORES:-0 0,1}; do
    : >"$work/lines"
    round=0
    while [ "$round" -lt "$rounds" ]; do
        taskset -c "$cores" "$netgo" "$@" | sed 's/^/netgo /' >>"$work/lines"
        taskset -c "$cores" "$work/go" "$@" | sed 's/^/go /' >>"$work/lines"
        round=$((round + 1))
    done

    sort -k2,2 -k1,1 -k3,3n "$work/lines" | awk -v cores="$cores" -v version="$(go env GOVERSION)" '
    BEGIN {
        # Go 1.26 on two cores, where the project began.
        split("spawn_join 250 pingpong_unbuffered 318 chan_buffered_128_1p1c 50 select_2 285 yield_64g 115 mutex_contended_64g 18 " \
            "ring_1000g 118 timers_sleep_1ms_10kg 440 skynet_1M 690 park_1M_rss 2508 park_1M_spawn 5317 park_1M_wake 492", f, " ")
        for (i = 1; i in f; i += 2) known[f[i]] = f[i + 1]
    }
    function flush() { if (n) median[name, who] = (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2; n = 0 }
    { if ($1 != who || $2 != name) { flush(); who = $1; name = $2 } v[++n] = $3; unit[$2] = $4 }
    END {
        flush()
        printf "cores %-18s %12s %12s %8s %9s %8s\n", cores, "netgo", version, "ratio", "go1.26", "ratio"
        for (name in unit) {
            line = sprintf("%-24s %12.1f %12.1f %8.2f", name, median[name, "netgo"], median[name, "go"], median[name, "netgo"] / median[name, "go"])
            if (name in known) {
                ratio = median[name, "netgo"] / known[name]
                line = line sprintf(" %9d %8.2f %s", known[name], ratio, ratio > (name ~ /rss/ ? 0.1 : 0.5) ? "miss" : "")
            }
            print line, unit[name] | "sort"
        }
    }'
done
