#!/usr/bin/env bash
# check.sh [--port P] [--protocol http|https|h2c] [--no-build] TARGET...: whether targets answer as the contract says.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage="usage: check.sh [--port P] [--protocol http|https|h2c] [--no-build] TARGET..."
port=18080
with_build=1
targets=()
while (($# > 0)); do
    case $1 in
        --port) port=$2; shift 2 ;;
        --protocol) speak "$2"; shift 2 ;;
        --help) echo "$usage"; exit 0 ;;
        --no-build) with_build=; shift ;;
        -*) die "$usage" ;;
        *) targets+=("$1"); shift ;;
    esac
done
((${#targets[@]} > 0)) || targets=(floor floor-json go aspnet netgo)
need curl

for target in "${targets[@]}"; do
    [[ -z $with_build ]] || build_target "$target"
    start_target "$target" "$port"
    check_target "$target" "$port"
    stop_targets
    echo "$target answers as it should"
done
