#!/usr/bin/env bash
# clients.sh [--port P] [CLIENT...]: real clients against clients/server, each checked by what it must have got. The clients are curl,
# dotnet (HttpClient), go (net/http), node (http, fetch), h2load, nginx and haproxy (in front), chromium; all of them unless some are named.
# Ends with "N passed, N failed". One that is not installed is SKIPPED; exit code 77 when none was there to ask, 1 when a check failed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/targets.sh"
source "$loadtests/clients/server.sh"

port=$(free_port)
usage() {
    echo "usage: clients.sh [--port P] [CLIENT...]"
}
read_options "port ..." "$@"
clients=("${arguments[@]}")
((${#clients[@]} > 0)) || clients=(curl dotnet go node h2load nginx haproxy chromium)

passed=0
failed=0
asked=0

pass() {
    passed=$((passed + 1))
    echo "ok      $1"
}

fail() {
    failed=$((failed + 1))
    echo "FAILED  $1: ${2:0:300}"
}

skip() {
    echo "SKIPPED $1: $2"
}

# equal NAME EXPECTED ACTUAL
equal() {
    if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "got '${3:0:120}', not '${2:0:120}'"; fi
}

# installed PROGRAM CLIENT
installed() {
    if command -v "$1" > "$scratch/which"; then
        asked=$((asked + 1))
    else
        skip "$2" "$1 is not installed"
        return 1
    fi
}

# report CLIENT COMMAND...: the lines "ok NAME" and "FAILED NAME: why" of a program that must end well
report() {
    local client=$1 line status=0 lines=0
    shift
    timeout 120 "$@" > "$scratch/report" 2> "$scratch/report.err" || status=$?
    while IFS= read -r line; do
        case $line in
            "ok "*) pass "$client: ${line#ok }"; lines=$((lines + 1)) ;;
            "FAILED "*) line=${line#FAILED }; fail "$client: ${line%%: *}" "${line#*: }" ;;
        esac
    done < "$scratch/report"
    ((status == 0 && lines > 0)) || fail "$client" "exit code $status, $lines checks passed; $(tail -n 3 "$scratch/report.err")"
}

# fetch ARGUMENTS...: the body, on one line with what -w says
fetch() {
    curl -sS -m 30 "$@" || echo "(curl failed: $?)"
}

header_of() {
    tr -d '\r' < "$1" | sed -n "s/^$2: //Ip"
}

hash_of() {
    sha256sum "$1" | cut -d' ' -f1
}

# through NAME URL: what an intermediary, or the server itself, must let through
through() {
    local name=$1 url=$2 size
    size=$(stat -c %s "$scratch/body")
    equal "$name: get" "$json" "$(fetch "$url/json")"
    equal "$name: head" "200 0" "$(fetch -I -o "$scratch/head" -w '%{http_code} %{size_download}' "$url/plaintext")"
    equal "$name: head has the length of get" "13" "$(header_of "$scratch/head" content-length)"
    equal "$name: post with a length" "$size $hash length" "$(fetch --data-binary "@$scratch/body" "$url/upload")"
    equal "$name: post chunked" "$size $hash chunked" \
        "$(fetch -T - -X POST "$url/upload" < "$scratch/body")"
    equal "$name: post chunked, with Expect: 100-continue" "$size $hash chunked" \
        "$(fetch -T - -X POST -H 'Expect: 100-continue' --expect100-timeout 25 "$url/upload" < "$scratch/body")"
    fetch -o "$scratch/echoed" --data-binary "@$scratch/body" "$url/echo"
    equal "$name: echo" "$hash" "$(hash_of "$scratch/echoed")"
    fetch -o "$scratch/got" "$url/files/body"
    equal "$name: a file" "$hash" "$(hash_of "$scratch/got")"
    equal "$name: range" "01234 206" "$(fetch -w ' %{http_code}' -r 10-14 "$url/files/digits.txt")"
    equal "$name: events" "event 1,event 2,event 3,over" "$(fetch -N "$url/events" | sed -n 's/^data: //p' | paste -sd,)"
    websocket "$name" "$url"
}

# A handshake with the key of RFC 6455, section 1.3, the text "hi" and a close, masked with zeros: they come back unmasked.
websocket() {
    local name=$1 address=${2#http://} line status accept frames
    exec {socket}<> "/dev/tcp/${address%:*}/${address#*:}"
    printf '%s\r\n' "GET /ws HTTP/1.1" "Host: $address" "Connection: Upgrade" "Upgrade: websocket" \
        "Sec-WebSocket-Version: 13" "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "" >&"$socket"
    status= accept=
    while IFS= read -r -t 20 -u "$socket" line && line=${line%$'\r'} && [[ -n $line ]]; do
        [[ -n $status ]] || status=$line
        [[ ${line,,} != sec-websocket-accept:* ]] || accept=${line#*: }
    done
    frames=
    if [[ $status == "HTTP/1.1 101 "* ]]; then
        printf '\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8' >&"$socket"
        frames=$(timeout 20 head -c 11 <&"$socket" | od -An -v -tx1 | tr -d ' \n')
    fi
    exec {socket}>&-
    equal "$name: upgrade to a websocket, echo and close" "HTTP/1.1 101 s3pPLMBiTxaQ9kYGzzhZRbK+xOo= 81026869880503e8627965" \
        "${status:0:12} $accept $frames"
}

# same_peer NAME URL: two requests of two clients were asked over one connection to the server
same_peer() {
    local first
    first=$(fetch "$2/peer")
    [[ $first == 127.0.0.1:* ]] || first="127.0.0.1:PORT, but $first"
    equal "$1: connections to the server are kept" "$first" "$(fetch "$2/peer")"
}

ask_curl() {
    installed curl curl || return 0
    local once trace=$scratch/trace
    through curl "$url"
    fetch -v -o "$scratch/out" "$url/json" "$url/plaintext" "$url/json" -o "$scratch/out" -o "$scratch/out" 2> "$trace"
    equal "curl: three requests on one connection" "1 2" \
        "$(grep -c '^\* Connected to' "$trace") $(grep -c '^\* Re-using existing connection' "$trace")"
    fetch -v -o "$scratch/out" -H 'Expect: 100-continue' --expect100-timeout 25 --data-binary "@$scratch/body" "$url/upload" 2> "$trace"
    equal "curl: expect: 100-continue with a large body" "100 200 $(stat -c %s "$scratch/body") $hash length" \
        "$(sed -n 's/^< HTTP\/1.1 \([0-9]*\).*/\1/p' "$trace" | paste -sd' ') $(cat "$scratch/out")"
    fetch -v -o "$scratch/out" -H 'Expect: 100-continue' --expect100-timeout 25 --data-binary "@$scratch/body" "$url/refuse" 2> "$trace"
    equal "curl: expect: 100-continue, refused unread" "403" "$(sed -n 's/^< HTTP\/1.1 \([0-9]*\).*/\1/p' "$trace" | paste -sd' ')"
    once=$(fetch "$url/text")
    equal "curl: --compressed gives what is given without" "8000 $once" "${#once} ""$(fetch --compressed -D "$scratch/head" "$url/text")"
    equal "curl: --compressed was compressed" 1 "$(header_of "$scratch/head" content-encoding | grep -cE '^(gzip|br)$')"
    equal "curl: redirect" '302 /json' "$(fetch -o "$scratch/out" -w '%{http_code}' -D "$scratch/head" "$url/redirect") $(header_of "$scratch/head" location)"
    equal "curl: redirect followed, method kept" kept "$(fetch -L -d kept "$url/redirect")"
    equal "curl: cookies" "seen 0,seen 1" "$({ fetch -c "$scratch/jar" "$url/cookies"; fetch -b "$scratch/jar" "$url/cookies"; } | paste -sd,)"
    equal "curl: a range at the end, one that is none" "56789 416" \
        "$(fetch -r -5 "$url/files/digits.txt") $(fetch -o "$scratch/out" -w '%{http_code}' -r 2000- "$url/files/digits.txt")"
    equal "curl: not modified" 304 "$(fetch -o "$scratch/out" -w '%{http_code}' -z "$scratch/files/digits.txt" "$url/files/digits.txt")"
    equal "curl: HTTP/1.0 closes" "200 close" "$(fetch -0 -o "$scratch/out" -D "$scratch/head" -w '%{http_code}' "$url/json") $(header_of "$scratch/head" connection)"
    equal "curl: trailers" "trailers follow 5 none" \
        "$(fetch -D "$scratch/head" -d 12345 "$url/trailers") $(header_of "$scratch/head" x-count) $(header_of "$scratch/head" x-echo)"
    equal "curl: handshake of a websocket" "101 s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" "$(
        curl -s -m 2 --http1.1 -o "$scratch/out" -D "$scratch/head" -w '%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
            -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$url/ws" || true
    ) $(header_of "$scratch/head" sec-websocket-accept)"
}

ask_dotnet() {
    installed dotnet dotnet || return 0
    publish "$loadtests/clients/dotnet" clients-dotnet
    report dotnet "$build/clients-dotnet/clients-dotnet" "127.0.0.1:$port"
}

ask_go() {
    installed go go || return 0
    quietly env -C "$loadtests/clients/go" go build -o "$build/clients-go" .
    report go "$build/clients-go" "127.0.0.1:$port"
}

ask_node() {
    installed node node || return 0
    if ! node -e 'process.exit(typeof fetch === "function" ? 0 : 1)'; then
        skip node "$(node --version) has no fetch"
        return 0
    fi
    report node node "$loadtests/clients/node/client.mjs" "127.0.0.1:$port"
    node -e 'process.exit(typeof WebSocket === "function" ? 0 : 1)' || skip "node: WebSocket" "$(node --version) has none"
}

ask_h2load() {
    installed h2load h2load || return 0
    timeout 60 h2load --h1 -n 20000 -c 50 -t 1 "$url/plaintext" > "$scratch/h2load" 2>&1 || true
    equal "h2load: 20000 requests over 50 connections" "20000 succeeded, 0 failed, 0 errored, 0 timeout; 20000 2xx" \
        "$(sed -nE 's/^requests: .* ([0-9]+ succeeded.*)$/\1/p' "$scratch/h2load"); $(sed -nE 's/^status codes: ([0-9]+ 2xx).*/\1/p' "$scratch/h2load")"
}

# in_front NAME PORT COMMAND...
in_front() {
    local name=$1 front=$2 server_pid=$target_pid
    shift 2
    start_command "$name" "$front" "$@"
    through "$name" "http://127.0.0.1:$front"
    same_peer "$name" "http://127.0.0.1:$front"
    if command -v h2load > "$scratch/which"; then
        timeout 60 h2load --h1 -n 5000 -c 20 -t 1 "http://127.0.0.1:$front/json" > "$scratch/h2load" 2>&1 || true
        equal "$name: 5000 requests over 20 connections" "5000 2xx" "$(sed -nE 's/^status codes: ([0-9]+ 2xx).*/\1/p' "$scratch/h2load")"
    fi
    kill -TERM "$target_pid"
    wait "$target_pid" || true
    running_targets=("$server_pid")
    target_pid=$server_pid
}

ask_nginx() {
    installed nginx nginx || return 0
    local front
    front=$(free_port)
    mkdir -p "$scratch/nginx"
    sed "s|PREFIX|$scratch/nginx|g; s|PORT|$front|; s|TARGET|$port|" "$loadtests/clients/nginx.conf" > "$scratch/nginx/nginx.conf"
    in_front nginx "$front" nginx -p "$scratch/nginx" -e "$scratch/nginx/error.log" -c "$scratch/nginx/nginx.conf"
    equal "nginx: its error log is empty" "" "$(cat "$scratch/nginx/error.log")"
}

ask_haproxy() {
    installed haproxy haproxy || return 0
    local front
    front=$(free_port)
    sed "s|PORT|$front|; s|TARGET|$port|" "$loadtests/clients/haproxy.cfg" > "$scratch/haproxy.cfg"
    in_front haproxy "$front" haproxy -db -f "$scratch/haproxy.cfg"
}

ask_chromium() {
    installed chromium chromium || return 0
    timeout 90 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/chromium" --dump-dom "$url/" \
        > "$scratch/dom" 2> "$scratch/dom.err" || true
    equal "chromium: a page, fetch, EventSource, WebSocket" "fetch ok, sse ok, ws ok" "$(sed -n 's/.*<p id="outcome">\(.*\)<\/p>.*/\1/p' "$scratch/dom")"
}

build_server
mkdir "$scratch/files"
printf '0123456789%.0s' {1..100} > "$scratch/files/digits.txt"
head -c 3000000 /dev/urandom > "$scratch/body"
cp "$scratch/body" "$scratch/files/body"
hash=$(hash_of "$scratch/body")
json='{"message":"Hello, World!"}'
url=http://127.0.0.1:$port
start_server "$port" "$scratch/files"

for client in "${clients[@]}"; do
    declare -F "ask_$client" > "$scratch/which" || die "there is no client '$client'"
    "ask_$client"
done
((asked > 0)) || exit 77

equal "the server's log has no error" "" "$(cat "$scratch/server.err")"
kill -TERM "$target_pid"
status=0
wait "$target_pid" || status=$?
running_targets=()
equal "the server ends well on SIGTERM" 0 "$status"

echo "$passed passed, $failed failed"
((failed == 0))
