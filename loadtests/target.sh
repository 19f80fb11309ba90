#!/usr/bin/env bash
# target.sh build NAME... | client NAME... | command NAME PORT [PROTOCOL] | check NAME PORT [PROTOCOL]: what targets.sh knows, for other programs.
#   build, client   builds targets, and clients written in C
#   command         prints the target's command line, an argument each line
#   check           whether the target that listens on PORT answers as the contract says
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"

usage="usage: target.sh build NAME... | client NAME... | command NAME PORT [PROTOCOL] | check NAME PORT [PROTOCOL]"
(($# > 1)) || die "$usage"
verb=$1
shift
case $verb in
    build) for name in "$@"; do build_target "$name"; done ;;
    client) for name in "$@"; do build_client "$name"; done ;;
    command)
        (($# > 1)) || die "$usage"
        speak "${3:-http}"
        own=$scratch
        scratch=${TMPDIR:-/tmp} # the target outlives this script
        target_command "$1" "$2"
        scratch=$own
        printf '%s\n' "${command[@]}" "${target_options[@]}"
        ;;
    check)
        (($# > 1)) || die "$usage"
        speak "${3:-http}"
        check_target "$1" "$2"
        ;;
    *) die "$usage" ;;
esac
