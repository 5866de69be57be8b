#include <rotary/fleet/spend_words.hpp>

#include <rotary/base/text.hpp>
#include <rotary/fleet/suspension_scripts.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace rotary::fleet {

namespace {

constexpr std::size_t kJournalSize = 16;
constexpr std::int64_t kMillisecondsADay = 86'400'000;

// Behind the requests and the nanodollars.
constexpr std::uint64_t quota::Spend::*kCounts[] = {&quota::Spend::unpriced,
                                                    &quota::Spend::estimated};
constexpr std::uint64_t llm::Usage::*kUsed[] = {
    &llm::Usage::input,        &llm::Usage::output,           &llm::Usage::cached_read,
    &llm::Usage::cache_write,  &llm::Usage::cache_write_long, &llm::Usage::audio_in,
    &llm::Usage::image_in,     &llm::Usage::reasoning,        &llm::Usage::audio_out,
    &llm::Usage::milliseconds, &llm::Usage::images,           &llm::Usage::web_searches};

// KEYS: the mark, the hash of today, those of the rows. ARGV: from, to, milliseconds after which
// the mark ends, the same of each hash of rows, then for each row the place of its key, field and
// value. Numbers are compared as texts, for Lua's are doubles.
constexpr std::string_view kText = R"(
local function more(a, b) return #a > #b or (#a == #b and a > b) end
local function numbers(text) return string.match(text or '', '^(%d+) (%d+)') end
local from, to = ARGV[1], ARGV[2]
local mark = redis.call('GET', KEYS[1]) or '0'
local refused = 0
if not more(from, mark) then
  for at = #KEYS + 2, #ARGV, 3 do
    local key, field, value = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
    local requests, nanos = numbers(value)
    local before, spent = numbers(redis.call('HGET', key, field))
    if not before or more(requests, before) then
      local has = spent and spent ~= '0'
      if has then redis.call('HINCRBY', key, 't', '-' .. spent) end
      if type(redis.pcall('HINCRBY', key, 't', nanos)) == 'number' then
        redis.call('HSET', key, field, value)
      else
        if has then redis.call('HINCRBY', key, 't', spent) end
        refused = refused + 1
      end
    end
  end
  for at = 3, #KEYS do redis.call('PEXPIRE', KEYS[at], ARGV[at + 1]) end
  if to ~= mark and (from == '0' or more(to, mark)) then
    redis.call('SET', KEYS[1], to, 'PX', ARGV[3])
    mark = to
  end
end
return {mark, redis.call('HGET', KEYS[2], 't') or '0', refused}
)";

// The days that the rows are of, each once.
std::vector<std::int64_t> days_of(const control::DayPage& page) {
    std::vector<std::int64_t> days;
    for (const control::DaySum& sum : page.sums) days.push_back(sum.day);
    std::sort(days.begin(), days.end());
    days.erase(std::unique(days.begin(), days.end()), days.end());
    return days;
}

std::string left_of(const SpendQuestion& question, std::int64_t day) {
    const std::int64_t end = (day + 1 + question.kept_days) * kMillisecondsADay;
    return std::to_string(std::max<std::int64_t>(1, end - question.now_ms));
}

// Takes a number and the byte behind it off the text; nothing: there is none.
std::optional<std::uint64_t> take_number(std::string_view& text, char behind) {
    const std::size_t end = text.find(behind);
    const auto number = text::parse_unsigned(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return number;
}

std::optional<std::int64_t> nanos_of(std::optional<std::uint64_t> number) {
    if (!number || *number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

bool parse_value(std::string_view value, quota::Spend& spend) {
    const auto requests = take_number(value, ' ');
    const auto nanos = nanos_of(take_number(value, ' '));
    if (!requests || !nanos) return false;
    spend.requests = *requests;
    spend.nanos = *nanos;
    bool is_whole = true;
    const auto next = [&](std::uint64_t& count) {
        const auto number = take_number(value, ' ');
        is_whole = is_whole && number.has_value();
        count = number.value_or(0);
    };
    for (const auto count : kCounts) next(spend.*count);
    for (const auto count : kUsed) next(spend.usage.*count);
    return is_whole;  // what a later version has behind them is its own
}

}  // namespace

std::string spend_key(std::string_view name_space, std::string_view currency, std::int64_t day) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    const auto padded = [](unsigned number) {
        return (number < 10 ? "-0" : "-") + std::to_string(number);
    };
    return fleet_key(name_space, "m:")
        .append(currency)
        .append(":")
        .append(std::to_string(static_cast<int>(date.year())))
        .append(padded(static_cast<unsigned>(date.month())))
        .append(padded(static_cast<unsigned>(date.day())));
}

std::string mark_key(std::string_view name_space, std::string_view journal) {
    return fleet_key(name_space, "j:").append(journal);
}

std::string spend_field(std::string_view journal, const control::DaySum& sum) {
    std::string field(journal);
    field += ' ';
    for (const std::string& name : sum.names) {
        field.append(std::to_string(name.size())).append(":").append(name);
    }
    return field;
}

std::string spend_value(const quota::Spend& spend) {
    std::string value = std::to_string(spend.requests) + " " + std::to_string(spend.nanos);
    for (const auto count : kCounts) value.append(" ").append(std::to_string(spend.*count));
    for (const auto count : kUsed) value.append(" ").append(std::to_string(spend.usage.*count));
    return value;
}

std::optional<control::DaySum> parse_spend(std::int64_t day, std::string_view field,
                                           std::string_view value) {
    control::DaySum sum;
    sum.day = day;
    if (field.size() <= kJournalSize || field[kJournalSize] != ' ') return std::nullopt;
    field.remove_prefix(kJournalSize + 1);
    for (std::string& name : sum.names) {
        const auto size = take_number(field, ':');
        if (!size || *size > field.size()) return std::nullopt;
        name = field.substr(0, *size);
        field.remove_prefix(*size);
    }
    if (!field.empty() || !parse_value(value, sum.spend)) return std::nullopt;
    return sum;
}

const Script& spend_script() {
    static const Script kScript(kText);
    return kScript;
}

std::vector<std::string> spend_keys(const SpendQuestion& question) {
    std::vector<std::string> keys{
        mark_key(question.name_space, question.page.journal),
        spend_key(question.name_space, question.currency, question.today)};
    for (const std::int64_t day : days_of(question.page)) {
        keys.push_back(spend_key(question.name_space, question.currency, day));
    }
    return keys;
}

std::vector<std::string> spend_arguments(const SpendQuestion& question) {
    const std::vector<std::int64_t> days = days_of(question.page);
    std::vector<std::string> arguments{std::to_string(question.from),
                                       std::to_string(question.page.to),
                                       left_of(question, question.today)};
    for (const std::int64_t day : days) arguments.push_back(left_of(question, day));
    constexpr std::ptrdiff_t kFirstPlace = 3;  // Lua counts from 1
    for (const control::DaySum& sum : question.page.sums) {
        const auto place = std::lower_bound(days.begin(), days.end(), sum.day) - days.begin();
        arguments.push_back(std::to_string(place + kFirstPlace));
        arguments.push_back(spend_field(question.page.journal, sum));
        arguments.push_back(spend_value(sum.spend));
    }
    return arguments;
}

std::optional<SpendAnswer> spend_answer(const Reply& reply) {
    constexpr std::size_t kParts = 3;
    if (reply.kind != Reply::Kind::array || reply.elements.size() != kParts) return std::nullopt;
    const auto mark = text::parse_unsigned(reply.elements[0].text);
    const auto today = nanos_of(text::parse_unsigned(reply.elements[1].text));
    const std::int64_t refused = reply.elements[2].integer;
    if (!mark || !today || refused < 0) return std::nullopt;
    return SpendAnswer{*mark, *today, static_cast<std::uint64_t>(refused)};
}

}  // namespace rotary::fleet
