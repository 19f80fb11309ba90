#!/usr/bin/env bash
# Restarts the example three times while clients ask it, and stops it. Fails when a request failed or a process did not end.
# Usage: check.sh PROGRAM        (examples/Restart/bin/Release/net10.0/Restart). Needs curl.
set -uo pipefail
program=$1
scratch=$(mktemp -d)
log=$scratch/log
clients=()
finish() { # whatever went wrong, nothing is left running
    touch "$scratch/stop"
    for pid in "${clients[@]}" $(grep -oE '^[0-9]+ listens' "$log" | cut -d' ' -f1); do kill -KILL "$pid" 2>/dev/null; done
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM

within() { # within SECONDS COMMAND...: until the command succeeds
    local end=$((SECONDS + $1)); shift
    until "$@"; do
        if [ "$SECONDS" -ge "$end" ]; then echo "not in time: $*"; cat "$log"; exit 1; fi
        sleep 0.1
    done
}

logged() { [ "$(grep -cE "$1" "$log")" -ge "$2" ]; } # logged PATTERN TIMES

client() { # asks on a new connection each time
    local served=0
    until [ -e "$scratch/stop" ]; do
        if curl -sS -m 20 "$url" >> "$scratch/pids" 2>> "$scratch/failures"; then served=$((served + 1)); fi
    done
    echo "$served" >> "$scratch/served"
}

"$program" 127.0.0.1:0 > "$log" &
within 60 logged ' listens on ' 1
server=$!
url=http://$(grep -oE '127\.0\.0\.1:[0-9]+' "$log" | head -1)/
touch "$scratch/pids" "$scratch/failures"
for _ in 1 2; do client & clients+=($!); done

for restart in 1 2 3; do
    within 60 grep -qx "$server" "$scratch/pids"
    kill -HUP "$server"
    within 60 logged ' listens on ' $((restart + 1))
    within 60 logged "^$server has ended" 1
    server=$(grep -oE '^[0-9]+ listens' "$log" | tail -1 | cut -d' ' -f1)
done
within 60 grep -qx "$server" "$scratch/pids"
touch "$scratch/stop"
wait "${clients[@]}"
clients=()
kill -TERM "$server"
within 60 logged "^$server has ended" 1

cat "$log"
echo "$(awk '{ n += $1 } END { print n }' "$scratch/served") requests served by $(sort -u "$scratch/pids" | wc -l) processes, $(wc -l < "$scratch/failures") failed"
cat "$scratch/failures"
[ ! -s "$scratch/failures" ] && [ "$(sort -u "$scratch/pids" | wc -l)" -eq 4 ]
