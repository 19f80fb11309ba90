#!/usr/bin/env bash
# shutdown.sh [--port P] [--seed N] [ROUNDS]: whether a shutdown under load loses a request that was accepted (100 rounds).
#
# In each round clients/shutdown asks clients/server over 8 connections of one request each (Connection: close) and 16 kept ones: /json,
# /sleep of up to 60 ms, and POST /echo of 20,000 octets. At a random moment the server gets SIGTERM; the clients go on until nobody
# listens. The server writes down which connections it accepted and which requests it handed to a handler. What has been sent must be
# answered wholly, but for these, which HTTP/1.1 allows:
#
#   refused       the connection was: nothing was sent.
#   unaccepted    the connection was made by the system, which queues it, and reset when the listener closed; the server has not accepted
#                 it. To the client that is as being refused.
#   raced         on a kept connection the request crossed the close of an idle connection (RFC 9112, section 9.5): no octet of an answer
#                 came and no handler was given it, so that it may be sent again, even a POST (RFC 9110, section 9.2.2).
#
# Lost is all else that was not answered: on a fresh connection that was accepted; begun by a handler; answered in part; or not for 30 s.
# It fails too when the server does not end, with 0, within 30 s, or logs an error.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"
source "$loadtests/clients/server.sh"

port=$(free_port)
seed=$(date +%s)
usage() {
    echo "usage: shutdown.sh [--port P] [--seed N] [ROUNDS]"
}
read_options "port seed ..." "$@"
rounds=${arguments[0]:-100}

build_server
publish "$loadtests/clients/shutdown" clients-shutdown
RANDOM=$((seed % 32768))
echo "seed $seed"

declare -A total=([sent]=0 [answered]=0 [connections]=0 [refused]=0 [unaccepted]=0 [raced]=0 [lost]=0)
failures=0
fail() {
    echo "FAILED  round $round: $*"
    failures=$((failures + 1))
}

# What became of the requests without an answer, and the totals of the round.
judge() {
    awk -v round="$round" '
        FILENAME == ARGV[1] { noted[$1, $2] = 1; next }
        $1 == "sent" { sent = $2; answered = $4; connections = $6; refused = $8; next }
        $1 != "unanswered" { next }
        $3 == "kept" && $5 == "none" && !(("begun", $2) in noted) { raced++; next }
        $3 == "fresh" && $5 == "none" && !(("accepted", $4) in noted) { unaccepted++; next }
        {
            lost++
            print "round " round ": lost: " $0 ((("begun", $2) in noted) ? ", begun" : "") ((("ended", $2) in noted) ? ", ended" : "") > "/dev/stderr"
        }
        END { print "sent", sent + 0, "answered", answered + 0, "connections", connections + 0, "refused", refused + 0,
            "unaccepted", unaccepted + 0, "raced", raced + 0, "lost", lost + 0 }
    ' "$scratch/ledger" "$scratch/load"
}

for ((round = 1; round <= rounds; round++)); do
    rm -f "$scratch/ledger"
    start_server "$port" "$scratch" --ledger "$scratch/ledger"
    "$build/clients-shutdown/clients-shutdown" "$port" "$((seed + round))" > "$scratch/load" 2> "$scratch/load.err" &
    load=$!
    running_targets+=("$load")
    until [[ -s $scratch/load ]]; do
        kill -0 "$load" 2> "$scratch/kill" || die "the clients did not start: $(cat "$scratch/load.err")"
        sleep 0.01
    done
    sleep "0.$(printf %03d $((200 + RANDOM % 500)))"
    kill -TERM "$target_pid"
    ( sleep 30; kill -KILL "$target_pid" ) 2> "$scratch/kill" > "$scratch/watch" &
    watch=$!
    status=0
    wait "$target_pid" || status=$?
    kill "$watch" 2> "$scratch/kill" || true
    wait "$watch" 2> "$scratch/kill" || true
    ((status == 0)) || fail "the server's exit code is $status"
    status=0
    wait "$load" || status=$?
    running_targets=()
    ((status == 0)) || fail "a client found fault: $(head -n 3 "$scratch/load.err")"
    [[ ! -s $scratch/server.err ]] || fail "the server logged: $(head -n 3 "$scratch/server.err")"
    [[ -e $scratch/ledger ]] || { fail "the server has left no ledger"; continue; }
    read -ra counted < <(judge)
    for ((i = 0; i < ${#counted[@]}; i += 2)); do
        total[${counted[i]}]=$((total[${counted[i]}] + counted[i + 1]))
    done
done

for name in sent answered connections refused unaccepted raced lost; do
    echo "$name ${total[$name]}"
done
((total[sent] == total[answered] + total[unaccepted] + total[raced] + total[lost])) || { round=all; fail "the sum is wrong"; }
((failures == 0 && total[lost] == 0 && total[answered] > 0)) || exit 1
echo "passed: $rounds rounds, nothing lost"
