-- The load of a scenario: wrk ... -s load.lua URL -- PIPELINED CONTENT CLOSE
--   PIPELINED  requests that are sent at a time
--   CONTENT    octets; when more than none, the request is a POST with so many
--   CLOSE      1: a connection for each request
-- Ends with `name value` lines: what was answered, all octets of it, what went wrong, and latencies in us (of a closed loop: not corrected for what
-- was not asked while the server stalled).
local pipelined, content, close

function init(args)
    pipelined, content, close = tonumber(args[1]), tonumber(args[2]), args[3] == "1"
    if content > 0 then
        wrk.method = "POST"
        wrk.body = string.rep("x", content)
    end
    if close then
        wrk.headers["Connection"] = "close"
    end
    local request_text = string.rep(wrk.format(), pipelined)
    request = function() return request_text end
end

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("requests %d\nduration %d\noctets %.0f\nerrors %d\n", summary.requests, summary.duration, summary.bytes,
        e.connect + e.read + e.write + e.status + e.timeout))
    io.write(string.format("p50 %.0f\np90 %.0f\np99 %.0f\np999 %.0f\nmax %.0f\n", latency:percentile(50), latency:percentile(90),
        latency:percentile(99), latency:percentile(99.9), latency.max))
end
