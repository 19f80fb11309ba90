#!/usr/bin/env bash
# slow.sh [--port P] [SECONDS [CONNECTIONS [BOUND]]]: slowhttptest's slow clients (heads, content, reading), CONNECTIONS (5000) of each for
# SECONDS (60) against clients/server, while a normal client asks on new and on kept connections. Fails when one of its requests was not
# answered within BOUND ms (100), when connections remain after the slow ones have gone and the time-outs have passed (35 s), or when the
# server logged an error.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"
source "$loadtests/clients/server.sh"

port=$(free_port)
usage() {
    echo "usage: slow.sh [--port P] [SECONDS [CONNECTIONS [BOUND]]]"
}
read_options "port ..." "$@"
seconds=${arguments[0]:-60}
connections=${arguments[1]:-5000}
bound=${arguments[2]:-100}
need slowhttptest gcc curl
ulimit -n "$(ulimit -H -n)"
[[ $(ulimit -n) == unlimited ]] || (($(ulimit -n) >= connections + 500)) \
    || die "$connections connections need a descriptor limit of $((connections + 500)), and it is $(ulimit -n)"

failures=0
fail() {
    echo "FAILED  $*"
    failures=$((failures + 1))
}

url=http://127.0.0.1:$port
rate=$((connections / 5 > 50 ? connections / 5 : 50)) # all are there after 5 s

# attack NAME ARGUMENTS...
attack() {
    local name=$1 before most=0 now slow tries status=0
    shift
    before=$(sockets)
    echo "$name: before: $(resident) KiB resident, $(descriptors) descriptors, $before of them sockets"
    "$build/probe" --port "$port" --seconds 1000 --bound "$bound" > "$scratch/probe" &
    local probe=$!
    running_targets+=("$probe")
    timeout $((seconds + 60)) slowhttptest "$@" -c "$connections" -r "$rate" -l "$seconds" > "$scratch/slow" 2>&1 &
    slow=$!
    running_targets+=("$slow")
    while kill -0 "$slow" 2> "$scratch/kill"; do
        now=$(sockets)
        ((now <= most)) || most=$now
        sleep 0.5
    done
    wait "$slow" || true
    echo "$name: meanwhile: $(resident) KiB resident, at most $most sockets"
    kill -TERM "$probe"
    wait "$probe" || status=$?
    running_targets=("$target_pid")
    sed "s/^/$name: /" "$scratch/probe"
    ((status == 0)) || fail "$name: a normal request failed, or took over $bound ms"
    ((most - before >= connections / 2)) || fail "$name: there were never half of the $connections connections: $(tail -n 5 "$scratch/slow")"
    for ((tries = 0; tries < 70; tries++)); do
        now=$(sockets)
        ((now > before)) || break
        sleep 0.5
    done
    echo "$name: after: $(resident) KiB resident, $(descriptors) descriptors, $now of them sockets"
    ((now <= before)) || fail "$name: $((now - before)) connections remain"
}

build_server
build_client probe
start_server "$port" "$scratch"
"$build/probe" --port "$port" --seconds 3 --bound 10000 > "$scratch/probe" # what is compiled at its first use
sleep 1
attack "slow heads" -H -u "$url/json" -i 5 -x 24
attack "slow content" -B -u "$url/upload" -i 5 -s 8192 -x 10
attack "slow reading" -X -u "$url/bytes?n=1000000" -n 5 -z 32 -w 512 -y 1024 -k 3
if [[ -s $scratch/server.err ]]; then
    head -n 20 "$scratch/server.err"
    fail "the server logged errors"
fi
((failures == 0)) || exit 1
echo "passed"
