#!/bin/sh
# Runs the scheduler's benchmarks in .NET and in Go in turn, pinned to the same cores, and prints per line the medians of
# all rounds and their ratio (below 1: NetGo is quicker).
#
#   compare.sh [name...]     all without names
#   CORES=0,1 ROUNDS=3       the cores both are pinned to, and how often each runs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cores=${CORES:-0,1}
rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet build -c Release --nologo -v quiet "$here/SchedulerBench.csproj" >&2
netgo=$here/bin/Release/net10.0/SchedulerBench
(cd "$here/go" && go build -o "$work/go" .)

round=0
while [ "$round" -lt "$rounds" ]; do
    taskset -c "$cores" "$netgo" "$@" | sed 's/^/netgo /' >>"$work/lines"
    taskset -c "$cores" "$work/go" "$@" | sed 's/^/go /' >>"$work/lines"
    round=$((round + 1))
done

sort -k2,2 -k1,1 -k3,3n "$work/lines" | awk '
    function flush() { if (n) median[name, who] = (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2; n = 0 }
    { if ($1 != who || $2 != name) { flush(); who = $1; name = $2 } v[++n] = $3; unit[$2] = $4 }
    END {
        flush()
        printf "%-24s %12s %12s %8s\n", "", "netgo", "go", "ratio"
        for (name in unit)
            printf "%-24s %12.1f %12.1f %8.2f %s\n", name, median[name, "netgo"], median[name, "go"], median[name, "netgo"] / median[name, "go"], unit[name] | "sort"
    }'
