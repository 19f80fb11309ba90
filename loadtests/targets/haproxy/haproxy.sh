#!/usr/bin/env bash
# The load target haproxy: haproxy.sh PORT [--protocol http|https]. It has fixed answers for /plaintext and /json, and answers /users/{id}.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../configured.sh"

tls=''
[[ $protocol != https ]] || tls="ssl crt $certificate alpn http/1.1"
fields='hdr Server haproxy hdr Date %[date,http_date]'
limit=$(ulimit -Hn)
cat > "$scratch/haproxy.cfg" << END
global
    nbthread $workers
    maxconn $((limit - 500))
    no strict-limits # it counts two descriptors for a connection; here none goes on to another server
defaults
    mode http
    timeout client 1h
    timeout http-keep-alive 1h
    timeout connect 5s
    timeout server 1h
frontend target
    bind 127.0.0.1:$port backlog 4096 $tls
    http-request return status 200 content-type text/plain string "Hello, World!" $fields if { path /plaintext }
    http-request return status 200 content-type application/json string '{"message":"Hello, World!"}' $fields if { path /json }
    http-request return status 200 content-type text/plain lf-string "%[path,field(3,/)]" $fields if { path_reg ^/users/[^/]+\$ }
    http-request return status 404
END
ulimit -n "$limit"
run haproxy -db -f "$scratch/haproxy.cfg"
