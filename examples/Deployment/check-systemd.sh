#!/usr/bin/env bash
# check-systemd.sh [--root FOLDER] PROGRAM: the units of systemd/ under systemd itself, and restarts under load there.
#
# Boots a small Debian with systemd as process 1 in a container (systemd-nspawn) whose root is a folder that is made for it, with PROGRAM, the units
# and this machine's .NET. In it the service is restarted five times by systemctl while clients ask it without a pause. Fails when a request is lost,
# when systemd has seen a failure, or when the process has more rights than the unit leaves it.
#
# PROGRAM is examples/Deployment/bin/Release/net10.0/Deployment, or another build of it. --root takes a Debian with systemd that is there already, and
# keeps it. Needs root, systemd-nspawn and mmdebstrap; takes minutes. Exit code 77: a tool is missing.
set -euo pipefail
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit "$1"; }

root=
while (($# > 0)); do
    case $1 in
        --help) usage 0 ;;
        --root) root=${2:-}; [[ -d $root ]] || usage 1; shift 2 ;;
        -*) usage 1 ;;
        *) break ;;
    esac
done
(($# == 1)) || usage 1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/checks.sh"
program=$(realpath "$1")
[[ -x $program ]] || die "there is no program $program"
need systemd-nspawn mmdebstrap curl
((EUID == 0)) || { echo "skipped: it needs root"; exit 77; }
dotnet=$(dirname "$(realpath "$(command -v dotnet)")")
port=$(free_port)

if [[ -z $root ]]; then
    root=$scratch/root
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,libssl3,libstdc++6,zlib1g bookworm "$root" > "$log" 2>&1 || die "mmdebstrap"
fi
# What systemd clears when it boots, it clears of this: never of this machine's root.
[[ $(stat -c %d:%i "$root") != "$(stat -c %d:%i /)" && -x $root/lib/systemd/systemd ]] || die "$root is no root for systemd"

rm -rf "$root/opt/netgo-service" "$root/usr/share/dotnet" "$root/var/lib/checked"
mkdir -p "$root/opt/netgo-service" "$root/usr/share/dotnet/shared" "$root/var/lib/checked"
cp -r "$(dirname "$program")/." "$root/opt/netgo-service"
cp -r "$dotnet/dotnet" "$dotnet/host" "$root/usr/share/dotnet"
cp -r "$dotnet/shared/Microsoft.NETCore.App" "$root/usr/share/dotnet/shared"
units=$root/etc/systemd/system
cp "$here"/systemd/* "$units"
mkdir -p "$units/netgo-service.socket.d" "$units/multi-user.target.wants" "$units/sockets.target.wants"
printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:%s\n' "$port" > "$units/netgo-service.socket.d/port.conf"
ln -sf ../netgo-service.socket "$units/sockets.target.wants/"
ln -sf ../netgo-service.service "$units/multi-user.target.wants/"
ln -sf ../checked.service "$units/multi-user.target.wants/"
cat > "$units/checked.service" <<'END'
[Unit]
After=netgo-service.service
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=/var/lib/checked/run
StandardOutput=file:/var/lib/checked/output
StandardError=inherit
TimeoutStartSec=300
END
cat > "$root/var/lib/checked/run" <<END
#!/bin/bash
set -eu
url=http://127.0.0.1:$port
property() { systemctl show --property="\$1" --value netgo-service.service; }
/opt/netgo-service/Deployment --load \$url 600 > /var/lib/checked/load & load=\$!
sleep 2
for i in 1 2 3 4 5; do
    before=\$(property MainPID)
    systemctl restart netgo-service.service
    [ "\$(property ActiveState)" = active ] && [ "\$(property MainPID)" != "\$before" ] || { systemctl status netgo-service.service; exit 1; }
    sleep 1
done
process=\$(property MainPID)
grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/\$process/status
grep 'open files' /proc/\$process/limits
status=0
kill \$load; wait \$load || status=\$?
cat /var/lib/checked/load
systemctl stop netgo-service.service
echo "result: \$(property Result), the last exit code: \$(property ExecMainStatus), systemd's own restarts: \$(property NRestarts)"
echo "load: \$status"
END
chmod +x "$root/var/lib/checked/run"

# What systemd-nspawn leaves behind where the machine has no systemd of its own.
cgroups() { find /sys/fs/cgroup -maxdepth 5 -type d \( -name payload -o -name supervisor \) | sort; }
cgroups > "$scratch/cgroups"
sweep() {
    local group
    for group in $(cgroups | comm -13 "$scratch/cgroups" -); do
        find "$group" -depth -type d -exec rmdir {} + 2> "$scratch/sweep" || true
    done
    rm -rf "/run/systemd/nspawn/propagate/$(basename "$root")"
    finish
}
trap sweep EXIT

timeout --kill-after=10 400 systemd-nspawn --quiet --register=no --keep-unit --directory="$root" --boot --console=pipe > "$log" 2>&1 < /dev/null &
started $!
ended $! 420
output=$root/var/lib/checked/output
[[ -s $output ]] || die "systemd has not come to the check"
cat "$output"
grep -qx 'load: 0' "$output" || die "a request was lost"
grep -q ' by 6 processes, 0 failed' "$output" || die "not each process has answered"
grep -q '^result: success, the last exit code: 0, ' "$output" || die "the service has failed"
grep -Eq '^CapEff:\s0+$' "$output" && grep -Eq '^NoNewPrivs:\s1$' "$output" && grep -Eq '^Seccomp:\s2$' "$output" || die "the process has rights"
! grep -Eq '^Uid:\s0\s' "$output" || die "the process is root's"
echo "passed: five restarts by systemd under load, no request lost"
