#!/usr/bin/env bash
# check.sh [--port P] [--protocol http|https|h2c] [--no-build] TARGET...: whether targets answer as the contract says.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

port=18080
usage() {
    echo "usage: check.sh [--port P] [--protocol http|https|h2c] [--no-build] TARGET..."
}
read_options "port protocol no-build? ..." "$@"
speak "$protocol"
targets=("${arguments[@]}")
((${#targets[@]} > 0)) || targets=(floor floor-json go aspnet netgo)
need curl

for target in "${targets[@]}"; do
    [[ -z $with_build ]] || build_target "$target"
    start_target "$target" "$port"
    check_target "$target" "$port"
    stop_targets
    echo "$target answers as it should"
done
