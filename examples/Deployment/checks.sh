# What the checks here have in common, for them to `source`: a scratch folder, what runs and is to be ended, and a service manager's end
# of sd_notify(3). Needs curl, and socat for the notifications.
#
#   die MESSAGE                    ends the script, with what the services have written
#   need TOOL...                   ends the script with 77 when one is missing
#   within SECONDS COMMAND...      until the command succeeds
#   started PID                    is killed at the end, if it still runs
#   take_notifications             sets NOTIFY_SOCKET; what comes is a line in $scratch/notified
#   ended PID SECONDS              waits for a child to end, and sets status
#   free_port                      prints one

scratch=$(mktemp -d)
log=$scratch/log
running=()
touch "$log"

finish() {
    local pid
    for pid in "${running[@]}"; do
        kill -KILL "$pid" 2> "$scratch/kill" || true
        wait "$pid" 2> "$scratch/kill" || true # and the shell does not say that it was killed
    done
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
    echo "FAILED: $*"
    [[ ! -s $log ]] || { echo "-- the service's output:"; tail -n 40 "$log"; }
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" > "$scratch/which" || { echo "skipped: $tool is not installed"; exit 77; }
    done
}

within() {
    local end=$((SECONDS + $1)); shift
    until "$@"; do
        ((SECONDS < end)) || die "not in time: $*"
        sleep 0.05
    done
}

started() { running+=("$1"); }

take_notifications() {
    export NOTIFY_SOCKET=$scratch/notify
    touch "$scratch/notified"
    # Each datagram is a line, in one piece: they come without an end of line.
    socat -u "UNIX-RECVFROM:$NOTIFY_SOCKET,fork" "SYSTEM:awk 1" >> "$scratch/notified" 2> "$scratch/socat" &
    started $!
    within 10 test -S "$NOTIFY_SOCKET"
}

notified() { [[ $(grep -cx "$1" "$scratch/notified") -ge $2 ]]; } # notified STATE TIMES

ended() {
    local i
    for ((i = 0; i < $2 * 20; i++)); do
        kill -0 "$1" 2> "$scratch/kill" || break
        sleep 0.05
    done
    kill -0 "$1" 2> "$scratch/kill" && die "it has not ended within $2 s"
    status=0
    wait "$1" || status=$?
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)); do
        (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> "$scratch/probe" || break
    done
    echo "$port"
}
