#!/usr/bin/env bash
# The load target nginx: nginx.sh PORT [--protocol http|https]. It has fixed answers for /plaintext and /json, and answers /users/{id}.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../configured.sh"

tls='' listen=''
if [[ $protocol == https ]]; then
    listen=ssl
    tls="ssl_protocols TLSv1.3; ssl_certificate $certificate; ssl_certificate_key $certificate;"
fi
limit=$(ulimit -Hn)
cat > "$scratch/nginx.conf" << END
daemon off;
worker_processes $workers;
worker_rlimit_nofile $limit;
pid $scratch/pid;
error_log stderr warn;
events { worker_connections $((limit < 65536 ? limit : 65536)); }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path $scratch/body;
    proxy_temp_path $scratch/proxy;
    fastcgi_temp_path $scratch/fastcgi;
    uwsgi_temp_path $scratch/uwsgi;
    scgi_temp_path $scratch/scgi;
    server {
        listen 127.0.0.1:$port $listen reuseport backlog=4096;
        $tls
        default_type text/plain;
        location = /plaintext { return 200 "Hello, World!"; }
        location = /json { default_type application/json; return 200 '{"message":"Hello, World!"}'; }
        location ~ ^/users/([^/]+)\$ { return 200 \$1; }
        location / { return 404; }
    }
}
END
ulimit -n "$limit"
run nginx -p "$scratch" -e stderr -c "$scratch/nginx.conf"
