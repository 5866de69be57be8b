#include <rotary/fleet/place_question.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::fleet {

namespace {

constexpr std::int64_t kMostPlaces = std::int64_t{1} << 24;  // as a count of requests in flight

// KEYS[1] is a hash of when the books began (`@`) and of each replica's last word: its time and its
// question's number. The other keys are a hash for each place: `t` (what all have), `r:REPLICA`;
// until when (`h`) so many (`a`) are claimed by whom (`w`); when a request was last left without
// (`x`); when a wish (`c`) and news (`f`) were last published, and when the dead were last looked
// for (`~`). Times are the store's.
constexpr std::string_view kText = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function number(text) return tonumber(text or '') or 0 end
local function text(number) return string.format('%.0f', number) end
local function seen(word) return number(string.match(word or '', '^%d+')) end
local me, n, gone, young, claim = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]),
    tonumber(ARGV[5]), tonumber(ARGV[6])
local before = redis.call('HGET', KEYS[1], me)
if number(string.match(before or '', '%d+$')) >= tonumber(ARGV[3]) then return {} end
local began = number(redis.call('HGET', KEYS[1], '@'))
if began == 0 then
  began = now
  redis.call('HSET', KEYS[1], '@', text(now))
end
redis.call('HSET', KEYS[1], me, text(now) .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 86400000)
if now - number(redis.call('HGET', KEYS[1], '~')) >= 10 * gone then
  local rows = redis.call('HGETALL', KEYS[1])
  for j = 1, #rows, 2 do
    local is_replica = rows[j] ~= '@' and rows[j] ~= '~'
    if is_replica and seen(rows[j + 1]) <= now - gone then
      redis.call('HDEL', KEYS[1], rows[j])
    end
  end
  redis.call('HSET', KEYS[1], '~', text(now))
end
local out = {began}
local mine = 'r:' .. me
for i = 2, #KEYS do
  local key, at = KEYS[i], 8 + (i - 2) * 6
  local most, held, others = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local peak, need = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local asks = ARGV[at + 5] == 'a'
  local own = number(redis.call('HGET', key, mine))
  local taken = number(redis.call('HGET', key, 't')) + held - own
  own = held
  local looked = now - number(redis.call('HGET', key, '~')) < 1000
  if asks and most - taken < math.max(need, 1) and not looked then
    local rows = redis.call('HGETALL', key)
    taken = held
    for j = 1, #rows, 2 do
      local replica = string.match(rows[j], '^r:(.*)')
      if replica and replica ~= me then
        if seen(redis.call('HGET', KEYS[1], replica)) > now - gone then
          taken = taken + number(rows[j + 1])
        else
          redis.call('HDEL', key, rows[j])
        end
      end
    end
    redis.call('HSET', key, '~', text(now))
  end
  local fair = math.max(1, math.floor(most / n))
  local is_claimed = number(redis.call('HGET', key, 'h')) > now
  local claims_it = is_claimed and redis.call('HGET', key, 'w') == me
  local rest = most - taken
  if now - began < young then rest = math.min(rest, most - own - others, fair - own) end
  if is_claimed and not claims_it then rest = rest - number(redis.call('HGET', key, 'a')) end
  local grant = 0
  if asks and rest > 0 then
    local ahead = math.max(peak + 1 + math.floor(peak / 4) - own, math.floor(rest / (16 * n)))
    ahead = math.min(ahead, math.floor(rest / (2 * n)))
    grant = math.max(0, ahead, math.min(need, rest))
  end
  own, taken = own + grant, taken + grant
  local pause, word = math.max(10, n), nil
  local claims = 0
  if asks and need > grant then
    redis.call('HSET', key, 'x', text(now))
    claims = math.max(0, math.min(need - grant, fair - own))
    if claims > 0 and (claims_it or not is_claimed) then
      redis.call('HSET', key, 'h', text(now + claim), 'w', me, 'a', text(claims))
    end
    word = 'c'
  elseif most > taken and now - number(redis.call('HGET', key, 'x')) < claim then
    word = 'f'
  end
  if claims_it and claims == 0 then redis.call('HDEL', key, 'h') end
  if word and now - number(redis.call('HGET', key, word)) >= pause then
    redis.call('HSET', key, word, text(now))
    local name = string.match(key, '%x+$')
    redis.call('PUBLISH', ARGV[7], word .. ' ' .. name .. ' ' .. me .. ' ' .. text(claims))
  end
  if own > 0 then
    redis.call('HSET', key, mine, text(own))
  else
    redis.call('HDEL', key, mine)
  end
  redis.call('HSET', key, 't', text(taken))
  redis.call('PEXPIRE', key, taken > 0 and 600000 or 5000)
  out[#out + 1] = own
  out[#out + 1] = most - taken
end
return out
)";

std::string text(std::int64_t number) {
    return std::to_string(std::clamp(number, -kMostPlaces, kMostPlaces));
}

std::string hex(std::uint64_t key) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string name(16, '0');
    for (auto digit = name.rbegin(); digit != name.rend(); ++digit, key >>= 4) {
        *digit = kDigits[key & 15];
    }
    return name;
}

std::optional<std::uint64_t> parse_hex(std::string_view name) noexcept {
    if (name.size() != 16) return std::nullopt;
    std::uint64_t key = 0;
    for (const char c : name) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
        key = key << 4 | static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
    }
    return key;
}

}  // namespace

std::int64_t PlaceRule::grant() const noexcept {
    const std::int64_t wanted = std::max(peak + 1 + peak / 4 - own, rest / (16 * replicas));
    const std::int64_t ahead = std::min(wanted, rest / (2 * replicas));
    return std::max({std::int64_t{0}, ahead, std::min(need, rest)});
}

std::int64_t PlaceRule::fair() const noexcept { return std::max(most / replicas, std::int64_t{1}); }

const Script& place_script() {
    static const Script kScript(kText);
    return kScript;
}

std::vector<std::string> place_keys(const PlaceAsker& asker,
                                    const std::vector<PlaceQuestion>& questions) {
    std::vector<std::string> keys{asker.prefix + ":c"};
    for (const PlaceQuestion& question : questions) {
        keys.push_back(asker.prefix + ":c:" + hex(question.key));
    }
    return keys;
}

std::vector<std::string> place_arguments(const PlaceAsker& asker,
                                         const std::vector<PlaceQuestion>& questions) {
    const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
    std::vector<std::string> arguments{asker.replica,
                                       std::to_string(std::max<std::uint32_t>(asker.replicas, 1)),
                                       std::to_string(asker.number),
                                       ms(kPlacesGone),
                                       ms(kPlacesYoung),
                                       ms(kPlacesClaim),
                                       asker.prefix + ":ev"};
    for (const PlaceQuestion& question : questions) {
        for (const std::int64_t number :
             {question.most, question.held, question.others, question.peak, question.need}) {
            arguments.push_back(text(number));
        }
        arguments.emplace_back(question.asks ? "a" : "-");
    }
    return arguments;
}

std::optional<PlaceAnswers> place_answers(const Reply& reply, std::size_t questions) {
    if (reply.kind != Reply::Kind::array || reply.elements.size() != 1 + questions * 2) {
        return std::nullopt;
    }
    const auto is_number = [](const Reply& one) { return one.kind == Reply::Kind::integer; };
    if (!std::all_of(reply.elements.begin(), reply.elements.end(), is_number)) return std::nullopt;
    PlaceAnswers answers;
    answers.began = reply.elements.front().integer;
    for (std::size_t i = 1; i < reply.elements.size(); i += 2) {
        answers.places.push_back({reply.elements[i].integer, reply.elements[i + 1].integer});
    }
    return answers;
}

std::optional<PlaceWish> parse_wish(std::string_view message) noexcept {
    const auto take_word = [&message] {
        const std::size_t space = message.find(' ');
        const std::string_view word = message.substr(0, space);
        message.remove_prefix(space == std::string_view::npos ? message.size() : space + 1);
        return word;
    };
    const std::string_view kind = take_word();
    if (kind != "c" && kind != "f") return std::nullopt;
    const auto key = parse_hex(take_word());
    const std::string_view replica = take_word();
    const auto claim = text::parse_unsigned(take_word());
    if (!key || replica.empty() || !claim || *claim > kMostPlaces || !message.empty()) {
        return std::nullopt;
    }
    return PlaceWish{*key, replica, static_cast<std::int64_t>(*claim), kind == "f"};
}

}  // namespace rotary::fleet
