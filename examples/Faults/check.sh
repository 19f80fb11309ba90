#!/usr/bin/env bash
# Takes the trace of each fault, and finds the fault by Go's tools alone.
#   check.sh FAULTS      FAULTS is the program
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$PWD"' EXIT

traced() { # traced FAULT: FAULT.trace is one that Go reads whole
    "$program" "$1" "$1.trace" 1
    go tool trace -d "$1.trace" > "$1.events" 2> "$1.err" || { cat "$1.err"; return 1; }
}

blamed() { # blamed FAULT KIND: what comes first in a profile that Go's tool makes of the trace
    go tool trace -pprof="$2" "$1.trace" > "$1.pprof" 2> "$1.err"
    go tool pprof -top "$1.pprof" 2>> "$1.err" | awk '/flat%/ { getline; $1 = $2 = $3 = $4 = $5 = ""; sub(/^ +/, ""); print }'
}

is() { [ "$2" = "$3" ] || { echo "$1: expected $2, got $3"; return 1; }; echo "$1: $3"; }

for fault in none block starve leak; do traced "$fault"; done
is block "GET /report" "$(blamed block syscall)"
is starve "Faults.Shop.WriteLedgerAsync" "$(blamed starve sync)"

# The pages of Go's viewer: how many goroutines of the leaking line there are.
line=$(grep -n 'Go.Spawn' "$here/Shop.cs" | cut -d: -f1)
port=$((20000 + RANDOM % 10000))
go tool trace -http="127.0.0.1:$port" leak.trace > viewer 2>&1 & disown
for _ in $(seq 100); do curl -s -m 10 "http://127.0.0.1:$port/goroutines" > goroutines && break; sleep 0.2; done
pkill -f "tool.*trace -http=127.0.0.1:$port" || true
leaked=$(sed -n "s|.*Shop.cs:$line</a> N=\([0-9]*\).*|\1|p" goroutines)
[ "${leaked:-0}" -ge 20 ] || { echo "leak: Shop.cs:$line is not on the page:"; cat goroutines; exit 1; }
echo "leak: $leaked goroutines of Shop.cs:$line"

"$program" none none.json 0.2
head -c 40 none.json | grep '{"displayTimeUnit":"ns","traceEvents":\['
tail -c 3 none.json | grep ']}'
