# server: building and starting clients/server. For clients.sh, slow.sh, shutdown.sh and transfer.sh, after targets.sh.

# A port of 127.0.0.1 that nobody listens on, below the ephemeral ones.
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 10000))
        port_answers "$port" || break
    done
    echo "$port"
}

build_server() {
    publish "$loadtests/clients/server" clients-server
}

# start_server PORT FOLDER [ARGUMENTS...]
start_server() {
    start_command server "$1" "$build/clients-server/clients-server" "$@"
}

# The target's descriptors that are open. One that is closed meanwhile is no error.
descriptors() {
    { find "/proc/$target_pid/fd" -mindepth 1 2> "$scratch/find" || true; } | wc -l
}

# Those of them that are sockets: what listens, and the connections.
sockets() {
    { find "/proc/$target_pid/fd" -mindepth 1 -lname 'socket:*' 2> "$scratch/find" || true; } | wc -l
}

# What is resident, in KiB.
resident() {
    awk '/^VmRSS:/ {print $2}' "/proc/$target_pid/status"
}
