#!/usr/bin/env bash
# Whether a server gives its memory back: what it has before, during and after a burst of many busy connections.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: burst.sh [options] [TARGET...]

  --connections N   (10000; server and client each need as many descriptors)
  --seconds S       of the burst: POST /echo of 40,000 bytes on all of them (10)
  --settle S        after which memory is read (15)
  --port P          (18084)
  --no-build        use what is in build/

Targets: go, netgo, aspnet, ... (netgo). Rss and Anonymous (what is in no file) of /proc/PID/smaps_rollup: before, after the same load on
64 connections; the most while the burst lasts; and after it, with what that is of before.
END
}

connections=10000
seconds=10
settle=15
port=18084
read_options "connections seconds settle port no-build? ..." "$@"
targets=("${arguments[@]}")
((${#targets[@]} > 0)) || targets=(netgo)
need curl awk wrk
ulimit -n "$(ulimit -Hn)"
limit=$(ulimit -n)
((limit >= connections + 500)) || die "the limit of descriptors is $limit, too few for $connections connections"

[[ -z $with_build ]] || for target in "${targets[@]}"; do build_target "$target"; done

# kib NAME
kib() {
    awk -v name="$1:" '$1 == name {print $2}' "/proc/$target_pid/smaps_rollup"
}

load() { # load CONNECTIONS SECONDS
    wrk -t 1 -c "$1" -d "$2s" --timeout 30s -s "$loadtests/wrk/post.lua" "http://127.0.0.1:$port/echo" > "$scratch/wrk.log" 2>&1 \
        || { cat "$scratch/wrk.log" >&2; die "wrk failed"; }
    if grep -qE 'Socket errors|Non-2xx|unable to' "$scratch/wrk.log"; then
        cat "$scratch/wrk.log" >&2
        die "$target: wrk saw errors"
    fi
}

echo "$connections connections for $seconds s, and $settle s of rest"
printf '%-16s %-10s %12s %12s %12s %10s\n' target memory before most after 'of before'
for target in "${targets[@]}"; do
    start_target "$target" "$port"
    check_target "$target" "$port"
    load 64 5
    sleep "$settle"
    declare -A before=([Rss]=$(kib Rss) [Anonymous]=$(kib Anonymous)) most=([Rss]=0 [Anonymous]=0) after=()
    load "$connections" "$seconds" &
    client=$!
    while kill -0 "$client" 2> "$scratch/kill"; do
        for memory in Rss Anonymous; do
            now=$(kib "$memory")
            ((now <= most[$memory])) || most[$memory]=$now
        done
        sleep 0.5
    done
    wait "$client"
    sleep "$settle"
    after=([Rss]=$(kib Rss) [Anonymous]=$(kib Anonymous))
    check_target "$target" "$port"
    stop_targets
    for memory in Rss Anonymous; do
        awk -v target="$target" -v memory="$memory" -v before="${before[$memory]}" -v most="${most[$memory]}" -v after="${after[$memory]}" '
            BEGIN {
                printf "%-16s %-10s %8.1f MiB %8.1f MiB %8.1f MiB %8.0f %%\n", target, memory, before / 1024, most / 1024, after / 1024,
                    after / before * 100
            }'
    done
done
