#!/usr/bin/env bash
# What an idle keep-alive connection costs in the server's memory, and whether it still answers afterwards.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: idle.sh [options] [TARGET...]

  --connections N   (10000; server and client each need as many descriptors)
  --settle S        seconds before memory is read; NetGo has given its buffers back after 10 (15)
  --port P          (18083)
  --no-build        use what is in build/

Targets: floor, go, netgo, aspnet, ... (floor, go, aspnet, netgo). Private is Private_Clean + Private_Dirty of
/proc/PID/smaps_rollup. B/connection is what each added to it, and to the resident set.
END
}

connections=10000
settle=15
port=18083
read_options "connections settle port no-build? ..." "$@"
targets=("${arguments[@]}")
((${#targets[@]} > 0)) || targets=(floor go aspnet netgo)
need curl awk gcc
ulimit -n "$(ulimit -Hn)"
limit=$(ulimit -n)
((limit >= connections + 500)) || die "the limit of descriptors is $limit, too few for $connections connections"

[[ -z $with_build ]] || for target in "${targets[@]}"; do build_target "$target"; done
build_client idle

echo "$connections idle connections"
printf '%-16s %16s %14s %22s %22s %10s\n' target 'private before' 'private idle' 'private B/connection' \
    'resident B/connection' 'answered'
for target in "${targets[@]}"; do
    start_target "$target" "$port"
    check_target "$target" "$port"
    "$build/idle" --port "$port" --pid "$target_pid" --connections "$connections" --settle "$settle" \
        > "$scratch/idle.log" || die "$target: an answer was wrong or missing"
    stop_targets
    awk -v target="$target" '{v[$1] = $2} END {
        printf "%-16s %12.1f MiB %10.1f MiB %22d %22d %10d\n", target, v["private_before"], v["private_idle"],
            v["private_per_connection"], v["resident_per_connection"], v["answered_after_idle"]
    }' "$scratch/idle.log"
done
