#include <rotary/fleet/suspension_scripts.hpp>

namespace rotary::fleet {

namespace {

// "#" numbers the changes and "@" is the time of the first one: another one is another hash, made
// behind a flush. A lease ends with the verdict on its probe. Times are of one clock, Redis's.
constexpr std::string_view kSuspend = R"(local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(ARGV[3])
local ends = now + left
local known = redis.call('HGET', KEYS[1], ARGV[2])
if known then
  local told = tonumber(string.match(known, '^%d+ ') or '')
  if told and told >= ends and told <= now + tonumber(ARGV[8]) then return 0 end
end
local number = tonumber(redis.call('HGET', KEYS[1], '#') or '')
if not number or number < 0 or number > 9e15 then
  number = 0
  redis.call('HSET', KEYS[1], '@', string.format('%.0f', now))
end
number = string.format('%.0f', number + 1)
local rest = ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6] .. ' ' .. ARGV[7]
redis.call('HSET', KEYS[1], '#', number, ARGV[2], string.format('%.0f', ends) .. ' ' .. rest)
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[8]) + 100000)
redis.call('PEXPIRE', KEYS[2], 0)
redis.call('PUBLISH', ARGV[1], 's ' .. number .. ' ' .. ARGV[3] .. ' ' .. rest .. ' ' .. ARGV[2])
return 1
)";

constexpr std::string_view kBack = R"(local time = redis.call('TIME')
local number = tonumber(redis.call('HGET', KEYS[1], '#') or '')
if not number or number < 0 or number > 9e15 then
  number = 0
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], '@', string.format('%.0f', now))
end
number = string.format('%.0f', number + 1)
redis.call('HSET', KEYS[1], '#', number)
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[5]) + 100000)
redis.call('PEXPIRE', KEYS[2], 0)
redis.call('PUBLISH', ARGV[1], ARGV[3] .. ' ' .. number .. ' ' .. ARGV[4] .. ' ' .. ARGV[2])
return 1
)";

constexpr std::string_view kPresent = R"(local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = now - tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', gone))
redis.call('PEXPIRE', KEYS[1], 4 * tonumber(ARGV[2]))
return redis.call('ZCOUNT', KEYS[1], '-inf', '+inf')
)";

// Not ZREM: so the user that Redis knows this gateway by needs no right beyond those of the others.
constexpr std::string_view kLeave = R"(redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', 0)
return 1
)";

}  // namespace

std::string fleet_key(std::string_view name_space, std::string_view what) {
    return "{rotary:" + std::string(name_space) + "}:" + std::string(what);
}

const Script& suspend_script() {
    static const Script kScript(kSuspend);
    return kScript;
}

const Script& back_script() {
    static const Script kScript(kBack);
    return kScript;
}

const Script& present_script() {
    static const Script kScript(kPresent);
    return kScript;
}

const Script& leave_script() {
    static const Script kScript(kLeave);
    return kScript;
}

}  // namespace rotary::fleet
