#!/usr/bin/env bash
# The experiments of docs/experiments.md: builds what they need, runs them, and prints their tables.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
loadtests=$repository/loadtests
build=$here/build
names=(stealing threads binding policy placement reads delay lines)

usage() {
    cat << END
usage: run.sh NAME...|all [--short] [--no-build] [--rounds N] [--seconds S]

  stealing    work stealing on and off, with all connections on one processor and with them shared out
  threads     a thread for each connection against the poller, at 64, 1,000 and 5,000 connections
  binding     machines bound to a core each, and not
  policy      the most urgent first against the default order
  placement   buffers by memory node, and not, in a guest with two nodes (bench/Placement); left out where QEMU is not there
  reads       frames read without a copy against reads through a Stream
  delay       from ready to running, beside Go; Go is left out where there is no compiler for it
  lines       what a cache line costs that two cores write: for docs/scaling.md

  --short     a moment of each, to see that it runs: the figures are worth nothing. Without placement
  --no-build  what was built last time
  --rounds    how often each variant is measured, and
  --seconds   how long each time; each experiment has its own unless told

All of them take about 10 minutes. Needs the .NET SDK and a C compiler, and a descriptor limit of 6,000 for 5,000 connections. All that is made is in build/ here and in
loadtests/build.
END
}

die() { echo "run.sh: $1" >&2; exit "${2:-1}"; }

wanted=()
options=()
with_build=1
short=
while (($# > 0)); do
    case $1 in
        --help) usage; exit 0 ;;
        --no-build) with_build= ;;
        --short) short=1 options+=(--short) ;;
        --rounds | --seconds)
            (($# > 1)) || die "$1 needs a value" 2
            options+=("$1" "$2")
            shift
            ;;
        all) wanted=("${names[@]}") ;;
        *)
            [[ " ${names[*]} " == *" $1 "* ]] || { usage >&2; exit 2; }
            wanted+=("$1")
            ;;
    esac
    shift
done
((${#wanted[@]} > 0)) || { usage >&2; exit 2; }

# ---- What they need ----

clients() { # in a shell of its own: what it sources sets traps
    source "$loadtests/targets.sh"
    local client
    for client in rate idle; do
        [[ -z $with_build && -x $loadtests/build/$client ]] || build_client "$client"
    done
}

program=$here/bin/Release/net10.0/Experiments
if [[ -n $with_build || ! -x $program ]]; then
    dotnet build "$here/Experiments.csproj" -c Release -v quiet --nologo
fi
(clients)
options+=(--rate "$loadtests/build/rate" --idle "$loadtests/build/idle")
if command -v go > /dev/null; then
    mkdir -p "$build"
    [[ -z $with_build && -x $build/go ]] || env -C "$here/go" go build -o "$build/go" .
    options+=(--go "$build/go")
else
    echo "run.sh: there is no Go compiler: delay is without Go" >&2
fi
ulimit -n "$(ulimit -Hn)"

# ---- Running them ----

# Placement's lines, such as "PASS Core: 3390 of 3392 rents (99.9 %) are local", as a table of what is not.
placement() {
    local log=$build/placement.log status=0
    if [[ -n $short ]]; then
        echo "run.sh: placement takes too long for --short" >&2
        return
    fi
    mkdir -p "$build"
    local keep=()
    [[ -n $with_build ]] || keep=(--keep)
    "$repository/bench/Placement/run.sh" "${keep[@]}" > "$log" 2>&1 || status=$?
    if ((status == 77)); then
        echo "run.sh: placement is left out: $(tail -n 1 "$log")" >&2
        return
    fi
    ((status == 0)) || { cat "$log" >&2; die "placement failed"; }
    echo
    echo "Rents of buffers on a machine with two memory nodes (once)"
    echo
    echo "| machines, rents | rents | of remote memory | remote % |"
    echo "| --- | --- | --- | --- |"
    sed -nE 's/^(PASS|    ) (None|Node|Core): ([0-9]+) of ([0-9]+) rents \([^)]*\) (are local|after that are local|of these got one of the returned, at home)$/\2|\3|\4|\5/p' "$log" |
        awk -F '|' '
            BEGIN {
                machine["None"] = "not bound"; machine["Node"] = "bound to a node"; machine["Core"] = "bound to a core"
                what["are local"] = "the first"
                what["after that are local"] = "again, after half came back on other nodes"
                what["of these got one of the returned, at home"] = "of these, of buffers that came back so"
            }
            {printf "| %s, %s | %d | %d | %.1f |\n", machine[$1], what[$4], $3, $3 - $2, $3 ? ($3 - $2) / $3 * 100 : 0}'
}

for name in "${wanted[@]}"; do
    started=$SECONDS
    echo
    echo "## $name"
    if [[ $name == placement ]]; then
        placement
    else
        "$program" "$name" "${options[@]}"
    fi
    echo "run.sh: $name took $((SECONDS - started)) s" >&2
done
