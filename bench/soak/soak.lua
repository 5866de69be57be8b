-- wrk: plain and streamed chat requests; one in ten meets a fault at the provider, each kind in turn.
local faults = {"reset", "reset=400", "close-after=30", "close-after=700", "truncate=900", "garbage",
    "slow-head=50ms", "status=500", "status=503", "stall", "stall=600"}
local plain = '{"model":"any","messages":[{"role":"user","content":"How much is it?"}]}'
local stream = '{"model":"any","stream":true,"messages":[{"role":"user","content":"How much?"}]}'
local path = "/chat/1.0/chat/completions"
local sent = 0

function request()
    sent = sent + 1
    local headers = {["Content-Type"] = "application/json",
        ["Authorization"] = "Bearer " .. os.getenv("TOKEN")}
    if sent % 10 == 0 then
        headers["x-mock-fault"] = faults[sent / 10 % #faults + 1]
    end
    return wrk.format("POST", path, headers, sent % 3 == 0 and stream or plain)
end

function done(summary, latency)
    io.write(string.format("RESULT %d %d\n", summary.requests, summary.errors.status))
end
