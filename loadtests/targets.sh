# targets: building, starting, checking and stopping what is measured. For the other scripts here, by `source`.
#
#   build_target NAME            into build/
#   publish PROJECT NAME         a .NET project, into build/NAME; publish_aot as one file
#   build_client NAME            a C client of this folder, into build/NAME
#   compile OUTPUT SOURCE...     C
#   speak PROTOCOL               http (at first), https or h2c (aspnet only): what targets that are started from now on speak, and are
#                                asked in
#   start_target NAME PORT [COMMAND PREFIX...]
#                                sets target_pid; its standard error goes to $scratch/NAME.err; answers when this returns
#   check_target NAME PORT       ends the script when an answer is wrong
#   stop_targets                 all that run
#   target_pids                  its process, and those that it has started, and they, one a line
#   target_ticks                 processor time that they have used, in clock ticks, all their threads
#
#   read_options "NAME..." ARGUMENT...
#                                --NAME VALUE sets NAME (- becomes _). NAME? has no value, and is set to 1: no-build? empties with_build too. With ...
#                                among them there may be other arguments, which become the array arguments. The script defines usage
#
# The script that sources this sets `set -euo pipefail` and gets a trap that stops the target and removes $scratch. One with
# targets of its own (in bench/) sets programs and build to its folders, and defines target_command, after that.

loadtests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$loadtests/targets
build=$loadtests/build
scratch=$(mktemp -d)
target_pid=
target_port=
running_targets=()
protocol=http
with_build=1

# On one core .NET's JIT waits ten times as long before it optimizes, which is longer than any warm-up here.
export DOTNET_TC_DelaySingleProcMultiplier=1

speak() {
    protocol=$1
    case $protocol in
        http) target_options=() curl_options=() scheme=http version=HTTP/1.1 ;;
        https) target_options=(--protocol https) curl_options=(-k --http1.1) scheme=https version=HTTP/1.1 ;;
        h2c) target_options=(--protocol h2c) curl_options=(--http2-prior-knowledge) scheme=http version=HTTP/2 ;;
        *) die "there is no protocol '$protocol' (http, https, h2c)" ;;
    esac
}

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

speak http

finish() {
    stop_targets
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

read_options() {
    local known=" $1 " name
    shift
    arguments=()
    while (($# > 0)); do
        case $1 in
            --help) usage; exit 0 ;;
            -*)
                name=${1#--}
                if [[ $1 == --* && $known == *" $name? "* ]]; then
                    declare -g "${name//-/_}=1"
                elif [[ $1 == --* && $known == *" $name "* ]]; then
                    (($# > 1)) || die "$1 needs a value"
                    declare -g "${name//-/_}=$2"
                    shift
                else
                    usage >&2
                    exit 2
                fi
                ;;
            *)
                [[ $known == *" ... "* ]] || { usage >&2; exit 2; }
                arguments+=("$1")
                ;;
        esac
        shift
    done
    [[ -z ${no_build:-} ]] || with_build=
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" > "$scratch/which" || die "$tool is needed and not installed"
    done
}

# The command of a target, as the array `command`. A name is a program and, after it, how it is told to behave.
target_command() {
    local name=$1 port=$2
    case $name in
        floor) command=("$build/floor" "$port") ;;
        floor-json) command=("$build/floor" "$port" --json) ;;
        go) command=("$build/go" "$port") ;;
        netgo) command=("$build/netgo/netgo" "$port") ;;
        netgo-aot) command=("$build/netgo-aot/netgo" "$port") ;;
        netgo-*) command=("$build/netgo/netgo" "$port" --watch "${name#netgo-}") ;;
        aspnet) command=("$build/aspnet/aspnet" "$port") ;;
        aspnet-inline)
            command=(env DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1 "$build/aspnet/aspnet" "$port" --transport sockets-inline) ;;
        aspnet-netpoll) command=("$build/aspnet/aspnet" "$port" --transport netpoll) ;;
        json-api) command=(env Logging__LogLevel__Default=Warning "$build/json-api/JsonApi" "127.0.0.1:$port") ;;
        nginx | h2o | haproxy) command=(env TMPDIR="$scratch" "$loadtests/targets/$name/$name.sh" "$port") ;;
        *) die "there is no target '$name' (floor, floor-json, go, netgo, netgo-aot, netgo-KIND, aspnet, aspnet-inline, aspnet-netpoll, nginx, h2o," \
            "haproxy, json-api)" ;;
    esac
}

quietly() {
    "$@" > "$scratch/build.log" 2>&1 || {
        cat "$scratch/build.log" >&2
        die "'$*' failed"
    }
}

compile() {
    quietly gcc -O2 -Wall -Wextra -Werror -o "$@"
}

build_target() {
    local name=$1 program=${1%%-*}
    target_command "$name" 0
    mkdir -p "$build"
    case $program in
        floor) compile "$build/floor" "$programs/floor/floor.c" "$loadtests/client/loopback.c" ;;
        go) build_go ;;
        nginx | h2o | haproxy) need "$program" openssl ;;
        json) publish "$loadtests/../examples/JsonApi" json-api ;;
        *)
            if [[ $name == *-aot ]]; then
                publish_aot "$programs/$program" "$name"
            else
                publish "$programs/$program" "$program"
            fi
            ;;
    esac
}

# publish PROJECT NAME, into build/NAME. Where SOLUTION_IS_BUILT is set, what a build of the solution has left is copied. Else all that this build
# makes is under build/, so that it and a build of the solution leave each other alone.
publish() {
    mkdir -p "$build"
    if [[ -n ${SOLUTION_IS_BUILT:-} ]]; then
        quietly dotnet publish "$1" -c Release --no-build -o "$build/$2"
    else
        quietly dotnet publish "$1" -c Release --artifacts-path "$build/artifacts" -o "$build/$2"
    fi
}

# The same as one file, by Native AOT.
publish_aot() {
    quietly dotnet publish "$1" -c Release -p:PublishAot=true --artifacts-path "$build/artifacts-aot" -o "$build/$2"
}

# net/http has no WebSockets: the package for them is Debian's golang-github-gorilla-websocket-dev.
build_go() {
    local packages=/usr/share/gocode options=()
    if [[ -d $packages/src/github.com/gorilla/websocket ]]; then
        options=(GO111MODULE=off GOPATH="$packages" GOFLAGS=-tags=gorilla)
    fi
    quietly env -C "$programs/go" "${options[@]}" go build -o "$build/go" .
}

build_client() {
    local libraries=()
    mkdir -p "$build"
    if [[ $1 == rate ]] && echo '#include <openssl/ssl.h>' | gcc -E - > "$scratch/openssl" 2>&1; then
        libraries=(-lssl -lcrypto) # for --tls, which it does without otherwise
    fi
    compile "$build/$1" "$loadtests/$1"/*.c "$loadtests"/client/*.c "${libraries[@]}"
}

port_answers() {
    (: <> "/dev/tcp/127.0.0.1/$1") 2> "$scratch/connect"
}

# start_command NAME PORT COMMAND...
start_command() {
    local name=$1 port=$2 tries
    shift 2
    port_answers "$port" && die "port $port is in use, choose another with --port"
    "$@" > "$scratch/$name.out" 2> "$scratch/$name.err" &
    target_pid=$!
    target_port=$port
    running_targets+=("$target_pid")
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 "$target_pid" 2> "$scratch/kill" || {
            cat "$scratch/$name.err" >&2
            die "$name did not start"
        }
        if port_answers "$port"; then
            return
        fi
        sleep 0.05
    done
    die "$name does not listen on 127.0.0.1:$port after 10 s"
}

start_target() {
    local name=$1 port=$2
    shift 2
    case $protocol/$name in
        https/floor* | https/netgo-* | https/json-api) die "$name speaks HTTP/1.1 without TLS only" ;;
        h2c/aspnet*) ;;
        h2c/*) die "$name does not speak HTTP/2" ;;
    esac
    target_command "$name" "$port"
    start_command "$name" "$port" "$@" "${command[@]}" "${target_options[@]}"
}

stop_targets() {
    local pid tries
    for pid in "${running_targets[@]}"; do
        kill -TERM "$pid" 2> "$scratch/kill" || true
    done
    for pid in "${running_targets[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            kill -0 "$pid" 2> "$scratch/kill" || break
            sleep 0.05
        done
        kill -KILL "$pid" 2> "$scratch/kill" || true
        wait "$pid" 2> "$scratch/kill" || true
    done
    running_targets=()
    target_pid=
}

# The lines of /proc/PID/stat of the target's process, and of those that it has started, and they; without the command's name, which is
# in parentheses and may have spaces in it: pid, state, parent, ...
target_stats() {
    # A process may have ended before it is read.
    { cat /proc/[0-9]*/stat 2> "$scratch/stat" || true; } | sed 's/ (.*)//' | awk -v target="$target_pid" '
        {parent[$1] = $3; line[$1] = $0}
        END {
            for (pid in line) {
                for (p = pid; p in line && p != target; p = parent[p]);
                if (p == target)
                    print line[pid]
            }
        }'
}

target_pids() {
    target_stats | awk '{print $1}'
}

# What a process has used counts with its parent's as soon as that has waited for it.
target_ticks() {
    target_stats | awk '{sum += $13 + $14 + $15 + $16} END {print sum + 0}'
}

# check_answer NAME PORT ROUTE BODY TYPE [CURL ARGUMENTS...]; an empty TYPE is not compared
check_answer() {
    local name=$1 port=$2 route=$3 body=$4 type=$5
    shift 5
    local head=$scratch/head got=$scratch/body what="$name: $route"
    curl -sS -m 10 -D "$head" -o "$got" "${curl_options[@]}" "$@" "$scheme://127.0.0.1:$port$route" || die "$what: no answer"
    tr -d '\r' < "$head" > "$head.text"
    grep -q "^$version 200" "$head.text" || die "$what: $(head -n 1 "$head.text")"
    grep -qi '^Server: ..*' "$head.text" || die "$what: no Server"
    grep -qiE '^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$' "$head.text" \
        || die "$what: no Date, or not one of RFC 9110"
    if [[ -n $type ]]; then
        grep -qiE "^Content-Type: $type(;.*)?$" "$head.text" || die "$what: Content-Type is not $type"
        [[ $(cat "$got") == "$body" ]] || die "$what: the body is '$(cat "$got")', not '$body'"
    fi
    if [[ $route == /plaintext ]]; then
        grep -qi "^Content-Length: ${#body}$" "$head.text" || die "$what: no Content-Length: ${#body}"
    fi
}

check_took() {
    local what=$1 from=$2 least=$3 took
    took=$((($(date +%s%N) - from) / 1000000))
    ((took >= least)) || die "$what: answered after $took ms"
}

# check_websocket NAME PORT: the handshake, echoes of messages with each kind of length, and the close
check_websocket() {
    local name=$1 port=$2 status size
    status=$(curl -sS -m 10 -o "$scratch/body" -w '%{http_code}' "$scheme://127.0.0.1:$port/ws") || die "$name: /ws: no answer"
    if [[ $name/$status == go/501 ]]; then
        echo "go has no /ws here: golang-github-gorilla-websocket-dev is not installed" >&2
        return
    fi
    [[ $status == 4?? ]] || die "$name: /ws, without a handshake: $status"
    [[ -x $build/websocket && -z $(find "$loadtests/websocket" "$loadtests/client" -newer "$build/websocket" -print -quit) ]] \
        || build_client websocket
    for size in 1 200 70000; do
        "$build/websocket" --port "$port" --connections 1 --messages 3 --size "$size" > "$scratch/websocket.log" \
            || die "$name: /ws, messages of $size octets: see above"
    done
}

# What clients that measure TLS offer (OPENSSL_CONF is told of it), and that the target takes it, with a key of the kind that all have.
tls_offer=$loadtests/wrk/tls.cnf

check_tls() {
    local name=$1 port=$2 got wanted='TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 id-ecPublicKey 256'
    need openssl
    OPENSSL_CONF=$tls_offer openssl s_client -connect "127.0.0.1:$port" -alpn http/1.1 < /dev/null > "$scratch/tls" 2>&1 || true
    got=$(awk '
        /^New, / {version = $2; cipher = $NF}
        /^(Server|Peer) Temp Key:/ {group = $4}
        /^Negotiated TLS1.3 group:/ {group = $NF}
        /a:PKEY:/ {split($2, key, ","); bits = $3}
        END {sub(/,/, "", version); sub(/,/, "", group); print version, cipher, group, key[1], bits + 0}' "$scratch/tls")
    [[ $got == "$wanted" ]] || die "$name speaks '$got' and not '$wanted'"
}

check_target() {
    local name=$1 port=$2 hello='Hello, World!' json='{"message":"Hello, World!"}' from
    case $name in
        floor)
            check_answer "$name" "$port" /plaintext "$hello" text/plain
            return
            ;;
        json-api)
            [[ $(curl -sS -m 10 "$scheme://127.0.0.1:$port/books") == '[]' ]] || die "json-api: /books is not an empty list at first"
            return
            ;;
        floor-json)
            check_answer "$name" "$port" /json "$json" application/json
            return
            ;;
    esac
    [[ $protocol != https ]] || check_tls "$name" "$port"
    check_answer "$name" "$port" /plaintext "$hello" text/plain
    check_answer "$name" "$port" /plaintext "$hello" text/plain -H 'Connection: close'
    check_answer "$name" "$port" /json "$json" application/json
    check_answer "$name" "$port" /users/4711 4711 text/plain
    case $name in
        nginx | h2o | haproxy) return ;;
    esac
    check_answer "$name" "$port" /sleep?ms=0 '' ''
    from=$(date +%s%N)
    check_answer "$name" "$port" /sleep?ms=60 '' ''
    check_took "$name: /sleep?ms=60" "$from" 55
    from=$(date +%s%N)
    check_answer "$name" "$port" /block?ms=60 '' ''
    check_took "$name: /block?ms=60" "$from" 55

    head -c 300000 /dev/urandom > "$scratch/echo"
    check_answer "$name" "$port" /echo '' '' --data-binary "@$scratch/echo"
    cmp -s "$scratch/echo" "$scratch/body" || die "$name: /echo gives back something else"
    check_answer "$name" "$port" /echo '' '' --data-binary "@$scratch/echo" -H 'Transfer-Encoding: chunked'
    cmp -s "$scratch/echo" "$scratch/body" || die "$name: /echo, chunked, gives back something else"

    [[ $protocol != http ]] || check_websocket "$name" "$port"
}
