#!/usr/bin/env bash
# Compiles the k6 scripts, strictly, and runs each in Node on stand-ins for k6's modules: against the server that it is for, where every check
# must hold, and against one that answers wrongly, which a check must notice. Exits with 77 where Node or the packages cannot be had.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$scripts/../targets.sh"

usage="usage: test/run.sh [--no-build] [--json-api PROGRAM] [SCENARIO...]

  --no-build           use what is in build/
  --json-api PROGRAM   examples/JsonApi, built already"
port=18090
with_build=1
json_api=
names=()
while (($# > 0)); do
    case $1 in
        --no-build) with_build=; shift ;;
        --json-api)
            [[ -x ${2:-} ]] || die "--json-api needs a program"
            json_api=$2
            shift 2
            ;;
        --help) echo "$usage"; exit 0 ;;
        -*) die "$usage" ;;
        *) names+=("$1"); shift ;;
    esac
done
((${#names[@]} > 0)) || names=(smoke plaintext rest spike ramp soak websocket blocking)
unavailable() {
    echo "$*"
    exit 77
}
node --experimental-websocket -e 0 2> "$scratch/node" || unavailable "Node 20.10 or newer is not there"
[[ -d $scripts/node_modules ]] || npm --prefix "$scripts" ci --no-audit --no-fund > "$scratch/npm" 2>&1 \
    || unavailable "npm cannot install the packages: $(tail -n 1 "$scratch/npm")"
tsc=$scripts/node_modules/.bin/tsc

quietly "$tsc" --noEmit -p "$scripts"
quietly "$tsc" -p "$scripts/test" --outDir "$scratch/js"
echo '{"type": "module"}' > "$scratch/js/package.json"
mkdir -p "$scratch/js/node_modules"
# The scripts and the test itself must have the same instance of each module.
ln -s "$scratch/js/test/k6" "$scratch/js/node_modules/k6"
echo '{"type": "module", "exports": {".": "./index.js", "./*": "./*.js"}}' > "$scratch/js/test/k6/package.json"

if [[ -n $with_build ]]; then
    build_target netgo
    [[ -n $json_api ]] || build_target json-api
fi
start_target netgo "$port"
target_command json-api $((port + 1))
[[ -z $json_api ]] || command=(env Logging__LogLevel__Default=Warning "$json_api" "127.0.0.1:$((port + 1))")
start_command json-api $((port + 1)) "${command[@]}"
start_command wrong $((port + 2)) node "$scratch/js/test/wrong.js" $((port + 2))

execute() { # execute SCENARIO PORT [--wrong]
    local name=$1
    env BASE_URL="http://127.0.0.1:$2" VUS=3 DURATION=1s timeout 60 \
        node --experimental-websocket --no-warnings "$scratch/js/test/execute.js" "$scratch/js/$name.js" "${@:3}"
}

failures=0
for name in "${names[@]}"; do
    [[ -f $scripts/$name.ts ]] || die "there is no script $name"
    at=$port
    [[ $name != rest ]] || at=$((port + 1))
    execute "$name" "$at" || { failures=$((failures + 1)); echo "FAILED: $name"; }
    execute "$name" $((port + 2)) --wrong > "$scratch/wrong.log" || { failures=$((failures + 1)); echo "FAILED: $name does not notice wrong answers"; }
done
echo "$((${#names[@]} - failures)) of ${#names[@]} scripts do what they should"
((failures == 0))
