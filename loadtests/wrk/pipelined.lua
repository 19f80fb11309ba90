-- Sends 16 requests at a time. wrk counts how many are in what request() returns, and waits for as many answers.
local burst

function init()
    burst = string.rep(wrk.format("GET"), 16)
end

function request()
    return burst
end
