#!/usr/bin/env bash
# check-units.sh: systemd's own check of systemd/*, and of how much the service is exposed. Needs systemd-analyze, and no running systemd.
#
# Fails when a setting is unknown, and when the exposure, from 0 to 10, is above 1.5. Exit code 77: systemd-analyze is missing.
set -euo pipefail
[[ $# -eq 0 ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; [[ $1 == --help ]]; exit; }
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
need systemd-analyze
cp "$(dirname "${BASH_SOURCE[0]}")"/systemd/* "$scratch"
sed -i 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$scratch/netgo-service.service" # it need not be installed here
SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$scratch"/netgo-service.{service,socket} > "$log" 2>&1 || die "systemd-analyze verify"
[[ ! -s $log ]] || die "systemd-analyze verify has something to say"
systemd-analyze security --offline=true --threshold=15 "$scratch/netgo-service.service" > "$log" || die "the service is exposed too much"
tail -n 1 "$log"
