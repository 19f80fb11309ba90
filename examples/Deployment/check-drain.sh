#!/usr/bin/env bash
# check-drain.sh PROGRAM: how the service starts and ends.
#
#   start     READY=1 comes when connections are accepted, and not before: the first request after it is answered
#   drain     after SIGTERM /health/ready says 503 while /health/live and requests are answered, with Connection: close
#   end       then connections are refused, a request that is under way is answered all the same, and the exit code is 0
#   grace     a request that takes longer than --grace is cut off, and the exit code is 1
#   hurry     a second SIGTERM ends the drain
#
# PROGRAM is examples/Deployment/bin/Release/net10.0/Deployment, or another build of it. Exit code 77: a tool is missing.
set -euo pipefail
[[ ${1:-} != --help && $# -eq 1 ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit $(($# != 1)); }
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
program=$1
[[ -x $program ]] || die "there is no program $program"
need curl socat

port=$(free_port)
url=http://127.0.0.1:$port
take_notifications

start() { # start OPTION...: and returns when it says that it is ready
    : > "$scratch/notified"
    "$program" --listen "127.0.0.1:$port" "$@" > "$log" 2>&1 &
    server=$!
    started "$server"
    within 30 notified READY=1 1
}

code() { curl -s -m 15 -o "$scratch/body" -w '%{http_code}' "$@" || true; } # 000 when there was no answer

expect() { # expect CODE WHAT CURL-ARGUMENT...
    local expected=$1 what=$2 got; shift 2
    got=$(code "$@")
    [[ $got == "$expected" ]] || die "$what: $got instead of $expected"
    echo "ok  $what: $got"
}

start --drain 3
expect 200 "the first request after READY=1" "$url/health/ready"
curl -s -m 15 -o "$scratch/slept" -w '%{http_code}' "$url/sleep?ms=5000" > "$scratch/slow" &
slow=$!
started "$slow"
sleep 0.3 # for the request to be there
kill -TERM "$server"
within 10 notified STOPPING=1 1
expect 503 "ready, while it drains" "$url/health/ready"
[[ $(cat "$scratch/body") == draining ]] || die "the answer does not say why: $(cat "$scratch/body")"
expect 200 "live, while it drains" "$url/health/live"
expect 200 "a request, while it drains" -D "$scratch/head" "$url/hello/gopher"
grep -qi '^connection: close' "$scratch/head" || die "the answer keeps the connection: $(cat "$scratch/head")"
within 10 eval '[[ $(code "$url/hello/gopher") == 000 ]]'
kill -0 "$slow" 2> "$scratch/kill" || die "the slow request has ended before the listener was closed: the check proves nothing"
echo "ok  connections are refused after it, with a request under way"
wait "$slow"
[[ $(cat "$scratch/slow") == 200 ]] || die "the request that was under way: $(cat "$scratch/slow")"
ended "$server" 5
((status == 0)) || die "the exit code is $status"
echo "ok  the request under way was answered, the exit code is 0"

start --grace 0.5
curl -s -m 15 -o "$scratch/slept" "$url/sleep?ms=9000" &
slow=$!
started "$slow"
sleep 2 # it has come by then
kill -TERM "$server"
ended "$server" 5
((status == 1)) || die "a request was cut off, and the exit code is $status"
wait "$slow" && die "the request that took too long was answered"
echo "ok  a request that takes longer than --grace is cut off, the exit code is 1"

start --drain 60
kill -TERM "$server"
within 10 notified STOPPING=1 1
kill -TERM "$server"
ended "$server" 10
((status == 0)) || die "after two signals the exit code is $status"
echo "ok  a second SIGTERM ends the drain, the exit code is 0"
