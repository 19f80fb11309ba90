#!/usr/bin/env bash
# Fetches each profile of the example that serves at URL, and has go tool pprof read it; the dump must name the lines that hang.
#   check.sh URL
set -euo pipefail
url=$1
scratch=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$scratch"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

line() { grep -n "// $2" "$here/$1" | cut -d: -f1; } # line FILE COMMENT

names() { # names NAME TEXT: the tool's report on a profile has the text
    go tool pprof -top "$scratch/$1" > "$scratch/$1.top" 2> "$scratch/$1.err" || { echo "pprof cannot read $1"; cat "$scratch/$1.err"; return 1; }
    go tool pprof -raw "$scratch/$1" > "$scratch/$1.raw" 2>> "$scratch/$1.err"
    grep -q "$2" "$scratch/$1.top" || { echo "$1 does not name $2:"; cat "$scratch/$1.top"; return 1; }
    echo "$1: $(grep "$2" "$scratch/$1.top" | head -n 1)"
}

curl -s -m 60 -o /dev/null "$url/stuck" &
work() { for _ in $(seq 500); do curl -s -m 10 -o /dev/null "$url/work" || break; done; }
work & worker=$!
fetch() { curl -sf -m 30 -o "$scratch/$1" "$url/debug/pprof/$2"; }

fetch profile "profile?seconds=2"
fetch allocs "allocs?seconds=2"
kill "$worker"
fetch heap heap
for name in goroutine block mutex threadcreate; do fetch "$name" "$name"; done
names profile Profiles.Work.CountPrimes
names allocs "new System.String"
names heap System.String
names goroutine Profiles.Stuck.AnswerAsync
names block Profiles.Contention.RunAsync
names mutex Profiles.Contention.RunAsync
names threadcreate netgo-m

curl -sf -m 30 "$url/debug/pprof/goroutine?debug=2" > "$scratch/dump"
for place in "Accounts.cs:$(line Accounts.cs 'the dead-lock')" "Stuck.cs:$(line Stuck.cs 'nobody sends')" "Blocking.cs:$(line Blocking.cs blocks)"; do
    grep "/$place$" "$scratch/dump" || { echo "the dump does not name $place"; cat "$scratch/dump"; exit 1; }
done
