#!/usr/bin/env bash
# Takes the trace of each fault, and finds the fault by Go's tools alone.
#   check.sh FAULTS      FAULTS is the program
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
trap '{ jobs -p | xargs -r kill; } 2> /dev/null || true; rm -rf "$PWD"' EXIT

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
page() { # page PORT: the goroutines, when the viewer listens there
    go tool trace -http="127.0.0.1:$1" leak.trace > viewer 2>&1 & local viewer=$!
    for _ in $(seq 100); do
        if curl -sf -m 10 "http://127.0.0.1:$1/goroutines" > goroutines && [ -s goroutines ]; then break; fi
        kill -0 "$viewer" 2> /dev/null || break # somebody else has the port
        sleep 0.2
    done
    pkill -P "$viewer" || true; kill "$viewer" 2> /dev/null || true
    [ -s goroutines ]
}

for _ in 1 2 3; do page "$((20000 + RANDOM % 10000))" && break; done
leaked=$(sed -n "s|.*Shop.cs:$line</a> N=\([0-9]*\).*|\1|p" goroutines)
[ "${leaked:-0}" -ge 20 ] || { echo "leak: Shop.cs:$line is not on the page:"; cat goroutines viewer; exit 1; }
echo "leak: $leaked goroutines of Shop.cs:$line"

"$program" none none.json 0.2
head -c 40 none.json | grep '{"displayTimeUnit":"ns","traceEvents":\['
tail -c 3 none.json | grep ']}'
