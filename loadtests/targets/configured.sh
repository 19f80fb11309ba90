# configured: a target that is a program with a configuration file, started as TARGET PORT [--protocol http|https]. For the scripts of
# nginx, h2o and haproxy, by `source`, with all their arguments. Sets
#
#   port, protocol
#   scratch         a folder that is removed at the end
#   workers         one for each processor that this may run on
#   certificate     with https: a file with a certificate (ECDSA on P-256) and its key
#
#   run COMMAND...  in the foreground, until it ends or SIGTERM comes, which is passed on

[[ ${1:-} != --help ]] || { echo "usage: ${0##*/} PORT [--protocol http|https]"; exit 0; }
port=${1:-}
protocol=http
[[ $# -ne 3 || $2 != --protocol ]] || protocol=$3
if ! { (($# == 1 || $# == 3)) && [[ $port =~ ^[1-9][0-9]*$ && $protocol =~ ^https?$ ]] && ((port < 65536)); }; then
    echo "usage: ${0##*/} PORT [--protocol http|https]" >&2
    exit 2
fi

scratch=$(mktemp -d)
child=
stop() {
    local tries
    [[ -n $child ]] || return 0
    kill -TERM "$child" 2> "$scratch/kill" || return 0
    for ((tries = 0; tries < 30; tries++)); do
        kill -0 "$child" 2> "$scratch/kill" || return 0
        sleep 0.1
    done
    kill -KILL "$child" 2> "$scratch/kill" || true # it waits for its clients
}
trap 'stop; wait; rm -rf "$scratch"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

workers=$(nproc)
if [[ $protocol == https ]]; then
    certificate=$scratch/certificate.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$scratch/key" -out "$certificate" 2> "$scratch/openssl" || { cat "$scratch/openssl" >&2; exit 1; }
    cat "$scratch/key" >> "$certificate"
fi

run() {
    "$@" &
    child=$!
    wait "$child"
}
