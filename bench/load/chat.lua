-- wrk: one chat request of 919 bytes with a bearer token, again and again.
local head = '{"model":"any","messages":[{"role":"user","content":"'
local tail = '"}]}'
local body = head .. string.rep("How much is it? ", 100)
body = body:sub(1, 919 - #tail) .. tail

wrk.method = "POST"
wrk.body = body
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.timeout + e.status, latency:percentile(99)))
end
