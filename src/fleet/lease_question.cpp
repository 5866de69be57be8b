#include <rotary/fleet/lease_question.hpp>

#include <algorithm>

namespace rotary::fleet {

namespace {

constexpr std::int64_t kMostExact = std::int64_t{1} << 53;
constexpr std::size_t kNumbers = 3;  // of an answer

// A key for each window, so that replicas whose clocks differ count each window for itself:
// KEYS[i]:BEGIN, a hash of `t` (what all have), `o` (what of it others are known to have, and have
// not said yet) and a field for each replica. Where windows depend
// on those before, these are kept for as long.
constexpr std::string_view kText = R"(
local function count(text) return tonumber(text or 0) or 0 end
local function text(number) return string.format('%.0f', number) end
local replicas = tonumber(ARGV[1])
local out = {}
for i = 1, #KEYS do
  local at = 2 + (i - 1) * 10
  local field, mode = ARGV[at], ARGV[at + 9]
  local begin, length = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local left, limit = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local held, heard = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local recent, need = tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
  local slides, carries = string.find(mode, 's'), string.find(mode, 'd')
  local function key(back) return KEYS[i] .. ':' .. text(begin - back * length) end
  local kept = 5000
  if slides then kept = kept + length end
  if carries then kept = kept + 8 * length end
  local own = count(redis.call('HGET', key(0), field))
  local taken = redis.call('HGET', key(0), 't')
  local others = count(redis.call('HGET', key(0), 'o'))
  if not taken and heard > held then
    taken, others, own = heard, heard - held, held
  elseif not taken and carries then
    for back = 1, 8 do
      local past = redis.call('HGET', key(back), 't')
      if past then
        taken = math.max(0, count(past) - back * limit)
        break
      end
    end
  end
  taken = count(taken)
  if held > own or string.find(mode, 'g') then
    local known = math.max(0, math.min(held - own, others))
    taken = taken + held - own - known
    others = others - known
    own = held
  end
  local rest, free, before = limit - taken, left, 0
  if slides then
    before = count(redis.call('HGET', key(1), 't'))
    rest = rest - math.floor(before * math.min(left, length) / length)
  end
  if string.find(mode, 'a') and rest >= 1 then
    local grant = math.max(recent, math.floor(rest / (16 * replicas)))
    grant = math.max(1, math.min(grant, math.floor(rest / (2 * replicas))))
    if need > grant and need <= rest then grant = need end
    own, taken, rest = own + grant, taken + grant, rest - grant
  end
  if slides and rest < 1 then
    if taken < limit then
      free = left - math.floor((limit - taken - 1) * length / before)
    else
      free = left + length - math.floor((limit - 1) * length / taken)
    end
    free = math.max(1, math.min(free, left + length))
  end
  redis.call('HSET', key(0), 't', text(taken), 'o', text(others), field, text(own))
  redis.call('PEXPIRE', key(0), text(left + kept))
  out[#out + 1] = own
  out[#out + 1] = rest
  out[#out + 1] = free
end
return out
)";

std::string text(std::int64_t number) {
    return std::to_string(std::clamp(number, -kMostExact, kMostExact));
}

std::string mode_of(const LeaseQuestion& question) {
    std::string mode = "-";
    if (question.asks) mode += 'a';
    if (question.gives_back) mode += 'g';
    if (question.slides) mode += 's';
    if (question.carries_debt) mode += 'd';
    return mode;
}

}  // namespace

std::int64_t GrantRule::grant() const noexcept {
    const std::int64_t wanted = std::max(recent, rest / (16 * replicas));
    const std::int64_t usual = std::max<std::int64_t>(1, std::min(wanted, rest / (2 * replicas)));
    return need > usual && need <= rest ? need : usual;
}

const Script& lease_script() {
    static const Script kScript(kText);
    return kScript;
}

std::vector<std::string> lease_keys(const std::vector<LeaseQuestion>& questions) {
    std::vector<std::string> keys;
    for (const LeaseQuestion& question : questions) keys.push_back(question.key);
    return keys;
}

std::vector<std::string> lease_arguments(const std::vector<LeaseQuestion>& questions,
                                         std::uint32_t replicas) {
    std::vector<std::string> arguments{std::to_string(std::max<std::uint32_t>(replicas, 1))};
    for (const LeaseQuestion& question : questions) {
        arguments.push_back(question.field);
        for (const std::int64_t number :
             {question.begin_ms, question.length_ms, question.left_ms, question.amount,
              question.held, question.heard, question.recent, question.need}) {
            arguments.push_back(text(number));
        }
        arguments.push_back(mode_of(question));
    }
    return arguments;
}

std::optional<std::vector<LeaseAnswer>> lease_answers(const Reply& reply, std::size_t questions) {
    if (reply.kind != Reply::Kind::array || reply.elements.size() != questions * kNumbers) {
        return std::nullopt;
    }
    const auto is_number = [](const Reply& one) { return one.kind == Reply::Kind::integer; };
    if (!std::all_of(reply.elements.begin(), reply.elements.end(), is_number)) return std::nullopt;
    std::vector<LeaseAnswer> answers;
    for (std::size_t i = 0; i < reply.elements.size(); i += kNumbers) {
        answers.push_back({reply.elements[i].integer, reply.elements[i + 1].integer,
                           reply.elements[i + 2].integer});
    }
    return answers;
}

}  // namespace rotary::fleet
