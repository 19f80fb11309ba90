#!/usr/bin/env bash
# check-restart.sh [--restarts N] PROGRAM: restarts under load behind a socket that the service manager holds; fails when a request is lost.
#
# It does what systemd does with netgo-service.socket and netgo-service.service: systemd-socket-activate opens the listening socket, and
# a shell that it starts at the first connection keeps it open, starts PROGRAM with it (LISTEN_FDS), waits for READY=1, and for a restart sends
# SIGTERM, waits for the end, and starts it anew (N times, 5 unless given). Meanwhile 8 clients ask without a pause, 4 over a new connection each time.
# What arrives between two processes waits in the socket's backlog. Each process must have said READY=1 and STOPPING=1, answered requests,
# and ended with 0.
#
# PROGRAM is examples/Deployment/bin/Release/net10.0/Deployment, or another build of it. Exit code 77: a tool is missing.
set -euo pipefail
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit "$1"; }

restarts=5
while (($# > 0)); do
    case $1 in
        --help) usage 0 ;;
        --restarts) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage 1; restarts=$2; shift 2 ;;
        -*) usage 1 ;;
        *) break ;;
    esac
done
(($# == 1)) || usage 1
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
program=$(realpath "$1")
[[ -x $program ]] || die "there is no program $program"
need curl socat systemd-socket-activate

# Descriptor 3 is the socket, and stays open here whoever else closes his copy. It is told what to do on descriptor 4.
cat > "$scratch/manager" <<'END'
#!/usr/bin/env bash
service() { # the process that says LISTEN_PID is the one that becomes the program
    ( export LISTEN_PID=$BASHPID; exec "$PROGRAM" --grace 20 ) &
    echo "$!" > "$SCRATCH/service"
}
exec 4<> "$SCRATCH/orders"
service
while read -r order <&4; do
    kill -TERM "$(< "$SCRATCH/service")"
    wait "$(< "$SCRATCH/service")"
    echo "$?" >> "$SCRATCH/statuses"
    [[ $order == restart ]] || exit 0
    service
done
END
chmod +x "$scratch/manager"
mkfifo "$scratch/orders"
exec 4<> "$scratch/orders"

port=$(free_port)
url=http://127.0.0.1:$port
take_notifications
systemd-socket-activate --listen="127.0.0.1:$port" --fdname=http -E PROGRAM="$program" -E SCRATCH="$scratch" -E NOTIFY_SOCKET="$NOTIFY_SOCKET" \
    "$scratch/manager" > "$log" 2>&1 4<&- &
manager=$!
started "$manager"
within 10 grep -q 'Listening on' "$log"

"$program" --load "$url" 600 > "$scratch/load" 2>&1 &
load=$!
started "$load"
within 30 notified READY=1 1
started "$(cat "$scratch/service")"

for ((i = 1; i <= restarts; i++)); do
    sleep 0.5
    before=$(cat "$scratch/service")
    echo restart >&4
    within 60 notified READY=1 $((i + 1))
    started "$(cat "$scratch/service")"
    [[ $(cat "$scratch/service") != "$before" ]] || die "it is the same process as before"
done
sleep 0.5
kill -TERM "$load"
status=0
wait "$load" || status=$?
tail -n 12 "$scratch/load"
((status == 0)) || die "a request was lost"
grep -q " by $((restarts + 1)) processes" "$scratch/load" || die "not each of the $((restarts + 1)) processes has answered"

echo stop >&4
ended "$manager" 30
[[ $(grep -cx 0 "$scratch/statuses") -eq $((restarts + 1)) ]] || die "exit codes: $(tr '\n' ' ' < "$scratch/statuses")"
within 10 notified STOPPING=1 $((restarts + 1))
echo "passed: $restarts restarts under load, no request lost, each process ended with 0"
