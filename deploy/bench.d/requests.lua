-- wrk's requests: the paths of BENCH_PATHS and the tokens of BENCH_TOKENS in turn, made once; prints one line of JSON.
local requests, at, count = {}, 0, 0
local think = tonumber(os.getenv("BENCH_THINK_MS") or "0")

local function lines_of(variable)
    local lines, path = {}, os.getenv(variable)
    if path and path ~= "" then
        for line in io.lines(path) do
            lines[#lines + 1] = line
        end
    end
    return lines
end

function init(args)
    local paths, tokens = lines_of("BENCH_PATHS"), lines_of("BENCH_TOKENS")
    math.randomseed(4711)
    for i = 1, math.max(#paths, #tokens) do
        local headers = {["Host"] = "127.0.0.1"}
        if #tokens > 0 then
            headers["Authorization"] = "Bearer " .. tokens[(i - 1) % #tokens + 1]
        end
        requests[i] = wrk.format("GET", paths[(i - 1) % #paths + 1], headers)
    end
    count = #requests
end

function request()
    at = at % count + 1
    return requests[at]
end

-- A pause before each request, for a load below what the server can take. wrk looks for the function before init().
if think > 0 then
    function delay()
        return math.random(0, 2 * think)
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests":%d,"microseconds":%d,"bytes":%d,"bad":%d,"broken":%d,"timeouts":%d,"p50":%d,"p99":%d}\n',
        summary.requests, summary.duration, summary.bytes, errors.status, errors.connect + errors.read + errors.write,
        errors.timeout, latency:percentile(50), latency:percentile(99)))
end
