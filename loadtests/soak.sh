#!/usr/bin/env bash
# Runs everything clients do to a server against one target for a long time, and looks at what it has kept afterwards.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: soak.sh [options] TARGET [SECONDS]

  TARGET            the program of a target, started as TARGET PORT, or the name of one (go, netgo, aspnet, ...), which is built
  SECONDS           (1800)
  --warmup S        seconds of the same load before the first count (30)
  --connections N   (200)
  --seed N          of what the clients do (the clock)
  --port P          (18084)
  --no-build        use what is in build/

Fails when an answer was wrong, the process died, its standard error tells of an exception, its descriptors did not come
back to what they were after the warm-up, or its resident set grew by more than 20 % and 20 MiB.
END
}

warmup=30
connections=200
seed=
port=18084
read_options "warmup connections seed port no-build? ..." "$@"
((${#arguments[@]} == 1 || ${#arguments[@]} == 2)) || { usage >&2; exit 2; }
target=${arguments[0]}
seconds=${arguments[1]:-1800}
seed=${seed:-$(date +%s)}
need curl awk gcc

name=${target##*/}
if [[ $target == */* ]]; then
    [[ -x $target ]] || die "$target is not a program"
    command=("$target" "$port")
else
    [[ -z $with_build ]] || build_target "$target"
    target_command "$target" "$port"
fi
build_client soak

descriptors() {
    find "/proc/$target_pid/fd" -mindepth 1 | wc -l
}

resident() {
    awk '/^VmRSS:/ {print $2}' "/proc/$target_pid/status"
}

# Waits until the descriptors have been the same for 5 s, and no more than $1 (if given); a minute at the most.
settle() {
    local most=${1:-1000000} now last=-1 same=0 tries
    for ((tries = 0; tries < 60 && same < 5; tries++)); do
        alive
        now=$(descriptors)
        if ((now == last && now <= most)); then same=$((same + 1)); else same=0; fi
        last=$now
        sleep 1
    done
}

alive() {
    kill -0 "$target_pid" 2> "$scratch/kill" || {
        tail -n 40 "$scratch/$name.err" >&2
        die "$name died"
    }
}

# drive SECONDS SEED
drive() {
    "$build/soak" --port "$port" --seconds "$1" --connections "$connections" --seed "$2" || {
        alive
        failed "answers were wrong"
    }
    alive
}

failures=0
failed() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

start_command "$name" "$port" "${command[@]}"
check_target "$name" "$port"
echo "warm-up: $warmup s"
drive "$warmup" "$((seed + 1))" > "$scratch/warmup.log"
grep -E '^(FAILED|wrong)' "$scratch/warmup.log"
settle
descriptors_before=$(descriptors)
resident_before=$(resident)
echo "descriptors_before $descriptors_before descriptors"
echo "resident_before $resident_before KiB"

echo "soak: $seconds s"
drive "$seconds" "$seed"
settle "$descriptors_before"
descriptors_after=$(descriptors)
resident_after=$(resident)
check_target "$name" "$port"
echo "descriptors_after $descriptors_after descriptors"
echo "resident_after $resident_after KiB"

((descriptors_after <= descriptors_before)) \
    || failed "$((descriptors_after - descriptors_before)) descriptors were not given back"
allowed=$((resident_before * 120 / 100 + 20 * 1024))
((resident_after <= allowed)) || failed "the resident set is larger than $allowed KiB"
stop_targets
if grep -iE 'exception|unhandled|panic|fatal|sanitizer' "$scratch/$name.err" > "$scratch/complaints"; then
    head -n 20 "$scratch/complaints"
    failed "the standard error tells of an exception"
fi
((failures == 0)) || exit 1
echo "passed"
