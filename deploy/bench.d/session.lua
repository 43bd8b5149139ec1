-- The session check of the nginx peers: the gateway's own session record, by SHA-256 of the token, over pooled connections.
local redis = require "nginx.redis"
local ffi = require "ffi"
local ngx, tonumber = ngx, tonumber

ffi.cdef [[ unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *digest); ]]
local crypto = ffi.load("libcrypto.so.3")
local digest = ffi.new("unsigned char[32]")
local POOL_IDLE_MS, POOL_SIZE, TIMEOUT_MS, NEEDED_LEVEL, WINDOW_SECONDS = 600000, 256, 2000, 2, 60

local port, password
local to_hex = {}
for byte = 0, 255 do
    to_hex[byte] = string.format("%02x", byte)
end
local digits = {}

local function session_key()
    local field = ngx.var.http_authorization
    if not field or field:sub(1, 7) ~= "Bearer " then
        return ngx.exit(401)
    end
    local token = field:sub(8)
    crypto.SHA256(token, #token, digest)
    for i = 0, 31 do
        digits[i + 1] = to_hex[digest[i]]
    end
    return "s:" .. table.concat(digits, "", 1, 32)
end

local function connect()
    local link = redis:new()
    link:set_timeout(TIMEOUT_MS)
    if not link:connect("127.0.0.1", port) or (link:get_reused_times() == 0 and not link:auth(password)) then
        return ngx.exit(503)
    end
    return link
end

-- What the gateway asks of a record: that it is there, of the level, and not past its end (microseconds).
local function admit(record)
    if record[1] == ngx.null or not record[1] then
        return ngx.exit(401)
    end
    if tonumber(record[2]) < NEEDED_LEVEL or tonumber(record[3]) <= ngx.now() * 1000000 then
        return ngx.exit(401)
    end
    return record[1]
end

local M = {}

function M.open(redis_port, redis_password)
    port, password = redis_port, redis_password
end

function M.check()
    local key = session_key()
    local link = connect()
    local record = link:hmget(key, "citizen", "level", "ends")
    if not record then
        return ngx.exit(503)
    end
    link:set_keepalive(POOL_IDLE_MS, POOL_SIZE)
    admit(record)
end

-- Session and count in one round trip.
local script = [[
local record = redis.call('HMGET', KEYS[1], 'citizen', 'level', 'ends')
if record[1] then
    local key = 'bench:' .. record[1] .. ':' .. ARGV[1]
    record[4] = redis.call('INCR', key)
    if record[4] == 1 then redis.call('EXPIRE', key, ARGV[2]) end
end
return record]]
local script_sha

local function ask(link, key, window)
    local record, fault
    if not script_sha then
        script_sha = link:script("load", script)
    end
    record, fault = link:evalsha(script_sha, 1, key, window, WINDOW_SECONDS + 1)
    if not record and fault and fault:find("NOSCRIPT", 1, true) then
        record = link:eval(script, 1, key, window, WINDOW_SECONDS + 1)
    end
    return record
end

function M.check_and_count(quota)
    local key = session_key()
    local link = connect()
    local record = ask(link, key, math.floor(ngx.time() / WINDOW_SECONDS))
    if not record then
        return ngx.exit(503)
    end
    link:set_keepalive(POOL_IDLE_MS, POOL_SIZE)
    ngx.var.citizen = admit(record)
    if tonumber(record[4]) > quota then
        return ngx.exit(429)
    end
end

return M
