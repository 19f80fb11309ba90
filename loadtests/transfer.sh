#!/usr/bin/env bash
# transfer.sh [--rounds N] [--targets LIST] [SIZE]: processor time of the server per GiB, downloaded and uploaded, of netgo, go and nginx.
# SIZE in MiB (1024). The server is pinned on core 0 and curl on core 1; a round asks all targets in turn, and medians are printed.
#
#   file        GET of a file in /dev/shm: netgo's FileServer (sendfile), Go's http.ServeFile (sendfile), nginx with sendfile on
#   generated   GET of content that a handler makes and writes in pieces of 64,256 octets: netgo's WriteAsync, Go's Write. nginx makes none.
#   upload      PUT with a length: netgo and Go read it and throw it away (Go's io.Copy to io.Discard). nginx has no handler that would:
#               its dav module writes the content to a file in /dev/shm, which the others do not do. Its figure is an upper bound.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"
source "$loadtests/clients/server.sh"

rounds=3
targets=netgo,go,nginx
usage() {
    echo "usage: transfer.sh [--rounds N] [--targets LIST] [SIZE]"
}
read_options "rounds targets ..." "$@"
mib=${arguments[0]:-1024}
IFS=, read -ra targets <<< "$targets"
need curl taskset awk
(($(nproc) >= 2)) || die "two cores are needed"
size=$((mib * 1024 * 1024))

folder=$(mktemp -d /dev/shm/transfer.XXXXXX)
trap 'finish; rm -rf "$folder"' EXIT
mkdir -p "$folder/files" "$folder/dav"
chmod -R a+rwx "$folder" # nginx' worker may run as another user
head -c "$size" /dev/zero > "$folder/files/large"

build_transfer() {
    case $1 in
        netgo) build_server ;;
        go) need go; quietly env -C "$loadtests/transfer" go build -o "$build/transfer-go" . ;;
        nginx) need nginx ;;
        *) die "there is no target '$1' (netgo, go, nginx)" ;;
    esac
}

# start_transfer TARGET PORT
start_transfer() {
    local pin=(taskset -c 0)
    case $1 in
        netgo) start_command netgo "$2" "${pin[@]}" "$build/clients-server/clients-server" "$2" "$folder/files" ;;
        go) start_command go "$2" "${pin[@]}" env GOMAXPROCS=1 "$build/transfer-go" "$2" "$folder/files" ;;
        nginx)
            mkdir -p "$scratch/nginx"
            sed "s|PREFIX|$scratch/nginx|g; s|PORT|$2|; s|FOLDER|$folder|g" "$loadtests/transfer/nginx.conf" > "$scratch/nginx.conf"
            # Without a master there is one process to look at.
            start_command nginx "$2" "${pin[@]}" nginx -p "$scratch/nginx" -e "$scratch/nginx/error.log" -c "$scratch/nginx.conf"
            ;;
    esac
}

# ask KIND PORT: transfers SIZE, and fails unless all of it went
ask() {
    local url=http://127.0.0.1:$2 got
    case $1 in
        file) got=$(taskset -c 1 curl -sSf -o /dev/null -w '%{size_download}' "$url/files/large") ;;
        generated) got=$(taskset -c 1 curl -sSf -o /dev/null -w '%{size_download}' "$url/bytes?n=$size") ;;
        upload) got=$(taskset -c 1 curl -sSf -o /dev/null -w '%{size_upload}' -H 'Expect:' -T "$folder/files/large" "$url/discard") ;;
    esac
    [[ $got == "$size" ]] || die "$1: $got of $size octets went"
}

declare -A figures
for target in "${targets[@]}"; do
    build_transfer "$target"
done
ticks=$(getconf CLK_TCK)
for ((round = 1; round <= rounds; round++)); do
    for kind in file generated upload; do
        for target in "${targets[@]}"; do
            [[ $target/$kind != nginx/generated ]] || continue
            port=$(free_port)
            start_transfer "$target" "$port"
            for _ in 1 2 3 4; do # a JIT is done by then
                ask "$kind" "$port"
            done
            from=$(target_ticks)
            ask "$kind" "$port"
            used=$(($(target_ticks) - from))
            stop_targets
            find "$folder/dav" -type f -delete
            seconds=$(awk -v t="$used" -v h="$ticks" -v m="$mib" 'BEGIN { printf "%.3f", t / h * 1024 / m }')
            figures[$kind/$target]+="$seconds "
        done
    done
done

median() {
    tr ' ' '\n' | grep . | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

echo "CPU seconds of the server per GiB, $mib MiB a transfer, medians of $rounds rounds; netgo's time divided by the target's"
printf '%-10s %-8s %12s %14s   %s\n' what target 'CPU s/GiB' 'netgo/target' 'all rounds'
for kind in file generated upload; do
    own=$(median <<< "${figures[$kind/netgo]:-}")
    for target in "${targets[@]}"; do
        [[ -n ${figures[$kind/$target]:-} ]] || continue
        value=$(median <<< "${figures[$kind/$target]}")
        ratio=$(awk -v a="${own:-0}" -v b="$value" 'BEGIN { if (a > 0 && b > 0) printf "%.2f", a / b; else print "-" }')
        printf '%-10s %-8s %12s %14s   %s\n' "$kind" "$target" "$value" "$ratio" "${figures[$kind/$target]}"
    done
done
