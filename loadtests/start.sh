#!/usr/bin/env bash
# What a server costs before anybody has asked it much: its size, how soon it answers, its memory; and then under load.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage() {
    cat << 'END'
usage: start.sh [options] [TARGET...]

  --starts N        of each, in turn (20)
  --seconds N       of the load, after as many of warm-up; 0 for none (5)
  --port P          (18084)
  --no-build        use what is in build/

Targets: netgo-aot, netgo, go, hello-aot, hello, hello-go (all of these). hello is examples/HelloHttp, hello-go the same in Go; -aot is
one file made by Native AOT.

  size              of the file, in MB (10^6); for what needs the .NET runtime of its folder, without that
  start             from the start of the process to the end of its first answer (200), in ms: median, quartiles and the least. Until it
                    listens it is asked every 50 us; it has all cores
  CPU ms            that its threads had spent by then (median): what others on the machine add nothing to
  private, RSS      of /proc/PID/smaps_rollup in MiB: after the first answer (median), and after the load
  CPU, requests/s   under load: by wrk on one core over 64 connections, the server on another. CPU is all its threads' for a request.
                    compare.sh measures that more carefully
END
}

starts=20
seconds=5
port=18084
read_options "starts seconds port no-build? ..." "$@"
for value in "$starts" "$seconds" "$port"; do
    [[ $value =~ ^[0-9]+$ ]] || die "'$value' is not a number"
done
targets=("${arguments[@]}")
((${#targets[@]} > 0)) || targets=(netgo-aot netgo go hello-aot hello hello-go)
need curl awk gcc
((seconds == 0)) || need wrk taskset

# The hellos are asked for / and have an address for an argument; all else here is a load target.
command_of() {
    path=/
    case $1 in
        hello) command=("$build/hello/HelloHttp" "127.0.0.1:$port") ;;
        hello-aot) command=("$build/hello-aot/HelloHttp" "127.0.0.1:$port") ;;
        hello-go) command=("$build/hello-go" "127.0.0.1:$port") ;;
        *)
            path=/plaintext
            target_command "$1" "$port"
            ;;
    esac
}

build_program() {
    case $1 in
        hello) publish "$loadtests/../examples/HelloHttp" "$1" ;;
        hello-aot) publish_aot "$loadtests/../examples/HelloHttp" "$1" ;;
        hello-go) quietly env -C "$loadtests/start/go" go build -o "$build/hello-go" . ;;
        *) build_target "$1" ;;
    esac
}

# Octets.
size_of() {
    local file=${command[0]}
    if [[ -e ${file%/*}/${file##*/}.dll ]]; then
        du -cb "${file%/*}"/*.dll "$file" | awk 'END {print $1}'
    else
        stat -c %s "$file"
    fi
}

memory() {
    awk '/^Private_(Clean|Dirty):/ {private += $2} /^Rss:/ {resident = $2} END {print private, resident}' "/proc/$target_pid/smaps_rollup"
}

run_wrk() {
    taskset -c 1 wrk -t 1 -c 64 -d "${seconds}s" --timeout 10s "http://127.0.0.1:$port$path" > "$scratch/wrk.log" 2>&1 \
        || { cat "$scratch/wrk.log" >&2; die "wrk failed"; }
    if grep -qE 'Socket errors|Non-2xx|unable to' "$scratch/wrk.log"; then
        cat "$scratch/wrk.log" >&2
        die "$1: wrk saw errors, so there is nothing to report"
    fi
}

# Prints microseconds of CPU per request, requests per second, private and resident KiB afterwards.
measure_load() {
    local ticks answered
    start_command "$1" "$port" taskset -c 0 "${command[@]}"
    run_wrk "$1"
    ticks=$(target_ticks)
    run_wrk "$1"
    ticks=$(($(target_ticks) - ticks))
    answered=$(awk '/ requests in / {print $1}' "$scratch/wrk.log")
    ((answered > 0)) || die "$1: no request was answered"
    awk -v ticks="$ticks" -v hertz="$(getconf CLK_TCK)" -v n="$answered" -v rate="$(awk '/^Requests\/sec:/ {print $2}' "$scratch/wrk.log")" \
        -v memory="$(memory)" 'BEGIN {print ticks / hertz * 1e6 / n, rate, memory}' > "$scratch/load.$1"
    stop_targets
}

for target in "${targets[@]}"; do
    command_of "$target"
    [[ -z $with_build ]] || build_program "$target"
done
build_client start

# In turn, so that what the machine does meanwhile weighs on all. The first of each fills the system's cache and does not count.
for ((i = 0; i <= starts; i++)); do
    for target in "${targets[@]}"; do
        command_of "$target"
        "$build/start" --port "$port" --path "$path" --starts 1 "${command[@]}" > "$scratch/start"
        ((i == 0)) || cat "$scratch/start" >> "$scratch/starts.$target"
    done
done
if ((seconds > 0)); then
    for target in "${targets[@]}"; do
        command_of "$target"
        measure_load "$target"
    done
fi

echo "$starts starts of each${seconds:+, $seconds s of load}; load of the machine $(cut -d ' ' -f 1 /proc/loadavg)"
printf '%-11s %8s   %-32s %7s   %-18s %-18s %14s %12s\n' target 'size MB' 'start ms (quartiles), least' 'CPU ms' 'private, RSS MiB' 'after load' \
    'CPU us/request' 'requests/s'
for target in "${targets[@]}"; do
    command_of "$target"
    [[ -e $scratch/load.$target ]] || echo '- - - -' > "$scratch/load.$target"
    awk -v target="$target" -v size="$(size_of)" '
        function sort(values, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                    t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
                }
        }
        function at(values, n, share) { return values[int((n - 1) * share + 1.5)] }
        function mib(kib) { return kib == "-" ? "-" : sprintf("%.1f", kib / 1024) }
        FILENAME ~ /starts/ {n++; took[n] = $1; spent[n] = $2; private[n] = $3; resident[n] = $4}
        FILENAME ~ /load/ {cpu = $1; rate = $2; loaded = mib($3) ", " mib($4)}
        END {
            sort(took, n); sort(spent, n); sort(private, n); sort(resident, n)
            printf "%-11s %8.2f   %-32s %7.1f   %-18s %-18s %14s %12s\n", target, size / 1e6,
                sprintf("%.1f (%.1f-%.1f), %.1f", at(took, n, 0.5) / 1000, at(took, n, 0.25) / 1000, at(took, n, 0.75) / 1000, took[1] / 1000),
                at(spent, n, 0.5) / 1000,
                mib(at(private, n, 0.5)) ", " mib(at(resident, n, 0.5)), loaded,
                (cpu == "-" ? "-" : sprintf("%.2f", cpu)), (rate == "-" ? "-" : sprintf("%.0f", rate))
        }' "$scratch/starts.$target" "$scratch/load.$target"
done
