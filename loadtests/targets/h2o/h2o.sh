#!/usr/bin/env bash
# The load target h2o: h2o.sh PORT [--protocol http|https]. /plaintext and /json are files, which cost it
# less than a handler in mruby; /users/{id} is one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../configured.sh"

tls=''
[[ $protocol != https ]] || tls="
  ssl:
    certificate-file: $certificate
    key-file: $certificate"
printf '%s' 'Hello, World!' > "$scratch/plaintext"
printf '%s' '{"message":"Hello, World!"}' > "$scratch/message"
limit=$(ulimit -Hn)
ulimit -n "$limit"
cat > "$scratch/h2o.conf" << END
num-threads: $workers
max-connections: $((limit - 500))
http1-request-timeout: 3600
tcp-fastopen: 0
error-log: /dev/stderr
user: $(id -un)
file.etag: OFF
listen:
  host: 127.0.0.1
  port: $port$tls
hosts:
  default:
    paths:
      /plaintext:
        file.mime.setdefaulttype: text/plain
        file.file: $scratch/plaintext
      /json:
        file.mime.setdefaulttype: application/json
        file.file: $scratch/message
      /users:
        mruby.handler: |
          Proc.new {|env|
            id = env["PATH_INFO"][1..-1]
            if id.nil? || id.empty? || id.include?("/")
              [404, {"content-type" => "text/plain"}, ["not found"]]
            else
              [200, {"content-type" => "text/plain"}, [id]]
            end
          }
END
run h2o -m worker -c "$scratch/h2o.conf"
