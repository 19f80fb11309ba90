# targets: building, starting, checking and stopping what is measured. For the other scripts here, by `source`.
#
#   build_target NAME            into build/
#   publish PROJECT NAME         a .NET project into build/NAME; publish_aot as one file
#   build_client NAME            a C client of this folder, into build/NAME
#   compile OUTPUT SOURCE...     C
#   speak PROTOCOL               http (at first), https or h2c: what targets that are started from now on speak, and are asked in. aspnet only,
#                                but for http
#   start_target NAME PORT [COMMAND PREFIX...]
#                                sets target_pid; its standard error goes to $scratch/NAME.err; answers when this returns
#   check_target NAME PORT       ends the script when an answer is wrong
#   stop_targets                 all that run
#   target_ticks                 processor time it has used, in clock ticks, all its threads
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

# On one core .NET's JIT waits ten times as long before it optimizes, which is longer than any warm-up here.
export DOTNET_TC_DelaySingleProcMultiplier=1

speak() {
    protocol=$1
    case $protocol in
        http) target_options=() curl_options=() scheme=http version=HTTP/1.1 ;;
        https) target_options=(--protocol https) curl_options=(-k) scheme=https version=HTTP/1.1 ;;
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
        *) die "there is no target '$name' (floor, floor-json, go, netgo, netgo-aot, netgo-KIND, aspnet, aspnet-inline, aspnet-netpoll)" ;;
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

# publish PROJECT NAME, into build/NAME. All that this build makes is under build/, so that it and a build of the solution leave each other alone.
publish() {
    quietly dotnet publish "$1" -c Release --artifacts-path "$build/artifacts" -o "$build/$2"
}

# The same as one file, by Native AOT.
publish_aot() {
    quietly dotnet publish "$1" -c Release -p:PublishAot=true --artifacts-path "$build/artifacts-aot" -o "$build/$2"
}

build_target() {
    local name=$1 program=${1%%-*}
    target_command "$name" 0
    mkdir -p "$build"
    case $program in
        floor) compile "$build/floor" "$programs/floor/floor.c" "$loadtests/client/loopback.c" ;;
        go) quietly env -C "$programs/go" go build -o "$build/go" . ;;
        *)
            if [[ $name == *-aot ]]; then
                publish_aot "$programs/$program" "$name"
            else
                publish "$programs/$program" "$program"
            fi
            ;;
    esac
}

build_client() {
    mkdir -p "$build"
    compile "$build/$1" "$loadtests/$1"/*.c "$loadtests"/client/*.c
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
    [[ $protocol == http || $name == aspnet* ]] || die "$name speaks HTTP/1.1 without TLS only"
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

target_ticks() {
    # The command's name, in parentheses, may have spaces in it.
    sed 's/.*) //' "/proc/$target_pid/stat" | awk '{print $12 + $13}'
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

check_target() {
    local name=$1 port=$2 hello='Hello, World!' json='{"message":"Hello, World!"}' from
    case $name in
        floor)
            check_answer "$name" "$port" /plaintext "$hello" text/plain
            return
            ;;
        floor-json)
            check_answer "$name" "$port" /json "$json" application/json
            return
            ;;
    esac
    check_answer "$name" "$port" /plaintext "$hello" text/plain
    check_answer "$name" "$port" /plaintext "$hello" text/plain -H 'Connection: close'
    check_answer "$name" "$port" /json "$json" application/json
    check_answer "$name" "$port" /users/4711 4711 text/plain
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
}
