#include <rotary/quota/money_text.hpp>
#include <rotary/tools/usage.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ostream>
#include <utility>

namespace rotary::tools {

namespace {

// The names of a SpendKey, in its order, and what its time is a part of.
constexpr std::array<std::string_view, 9> kColumns = {
    "consumer", "api", "environment", "provider", "model", "backend", "hour", "day", "month"};
constexpr std::size_t kHour = 6;
constexpr std::size_t kDay = 7;

constexpr std::uint64_t kMillion = 1'000'000;

std::string padded(std::uint64_t number, std::size_t digits) {
    std::string text = std::to_string(number);
    if (text.size() < digits) text.insert(0, digits - text.size(), '0');
    return text;
}

// A count of parts of one, of which there are 10^digits.
std::string decimal(std::uint64_t parts, std::uint64_t of_one, std::size_t digits) {
    return std::to_string(parts / of_one).append(".").append(padded(parts % of_one, digits));
}

std::string money(quota::Nanos nanos) {
    quota::MoneyText text;
    return std::string(quota::write_money(nanos, text));
}

struct Date {
    std::string month;  // 2026-11
    std::string day;    // 2026-11-29
};

std::string month_text(std::chrono::year_month month) {
    const auto year = static_cast<std::uint64_t>(std::max(0, static_cast<int>(month.year())));
    return padded(year, 4).append("-").append(padded(static_cast<unsigned>(month.month()), 2));
}

std::chrono::sys_time<std::chrono::hours> time_of(std::int64_t hour) {
    return std::chrono::sys_time<std::chrono::hours>(std::chrono::hours(hour));
}

Date date_of(std::int64_t hour) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time_of(hour)));
    Date text;
    text.month = month_text(date.year() / date.month());
    text.day = text.month;
    text.day.append("-").append(padded(static_cast<unsigned>(date.day()), 2));
    return text;
}

std::string instant(std::int64_t hour) {
    const auto time = time_of(hour);
    const auto of_day = time - std::chrono::floor<std::chrono::days>(time);
    return date_of(hour)
        .day.append("T")
        .append(padded(static_cast<std::uint64_t>(of_day.count()), 2))
        .append(":00:00Z");
}

// RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it: names of
// consumers may be their own choice.
std::string field(std::string_view text) {
    std::string safe(text);
    if (!safe.empty() &&
        std::string_view("=+-@\t\r").find(safe.front()) != std::string_view::npos) {
        safe.insert(0, 1, '\'');
    }
    if (safe.find_first_of(",\"\r\n") == safe.npos) return safe;
    std::string quoted = "\"";
    for (const char c : safe) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

void write_line(std::ostream& out, const std::vector<std::string>& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) out << (i == 0 ? "" : ",") << fields[i];
    out << "\r\n";
}

std::int64_t hour_of(const quota::SpendKey& key) {
    return std::chrono::floor<std::chrono::hours>(quota::QuarterHours(key.quarter_hour)).count();
}

std::string value_of(const quota::SpendKey& key, std::size_t column) {
    if (column < quota::SpendKey::kNames) return field(key.names[column]);
    if (column == kHour) return instant(hour_of(key));
    Date date = date_of(hour_of(key));
    return column == kDay ? std::move(date.day) : std::move(date.month);
}

// What of a name may stand in a JSON string without a word.
std::string json_string(std::string_view text) {
    std::string json = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') json += '\\';
        json += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return json + '"';
}

}  // namespace

std::optional<UsageTable> UsageTable::by(std::string_view names, std::string& error) {
    UsageTable table;
    while (true) {
        const std::size_t comma = std::min(names.find(','), names.size());
        const std::string_view name = names.substr(0, comma);
        const auto* const known = std::ranges::find(kColumns, name);
        if (known == kColumns.end()) {
            error = "there is no \"" + std::string(name) + "\"; there are";
            for (const std::string_view column : kColumns) error.append(" ").append(column);
            return std::nullopt;
        }
        const auto column = static_cast<std::size_t>(known - kColumns.begin());
        if (std::ranges::find(table.columns_, column) != table.columns_.end()) {
            error = "\"" + std::string(name) + "\" is there twice";
            return std::nullopt;
        }
        table.columns_.push_back(column);
        if (comma == names.size()) return table;
        names.remove_prefix(comma + 1);
    }
}

void UsageTable::add(const quota::SpendKey& key, const quota::Spend& spend) {
    std::vector<std::string> values;
    for (const std::size_t column : columns_) values.push_back(value_of(key, column));
    sums_[std::move(values)] += spend;
}

void UsageTable::write(std::ostream& out, std::string_view currency) const {
    std::vector<std::string> head;
    for (const std::size_t column : columns_) head.emplace_back(kColumns[column]);
    for (const char* name :
         {"requests", "unpriced_requests", "estimated_requests", "input_tokens", "output_tokens",
          "cached_tokens", "cache_write_tokens", "reasoning_tokens", "cost", "currency"}) {
        head.emplace_back(name);
    }
    write_line(out, head);
    for (const auto& [values, spend] : sums_) {
        std::vector<std::string> line = values;
        for (const std::uint64_t count :
             {spend.requests, spend.unpriced, spend.estimated, spend.usage.input,
              spend.usage.output, spend.usage.cached_read,
              spend.usage.cache_write + spend.usage.cache_write_long, spend.usage.reasoning}) {
            line.push_back(std::to_string(count));
        }
        line.push_back(money(spend.nanos));
        line.emplace_back(currency);
        write_line(out, line);
    }
}

FocusTable::FocusTable(std::ostream& out, std::string_view currency, std::int64_t hours)
    : out_(out), currency_(currency), hours_(hours) {
    out << "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,"
           "ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodStart,"
           "ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ContractedCost,EffectiveCost,"
           "InvoiceIssuerName,ListCost,PricingQuantity,PricingUnit,ProviderName,PublisherName,"
           "ResourceId,ServiceCategory,ServiceName,SkuId,SubAccountId,Tags,x_Requests,"
           "x_InputTokens,x_OutputTokens,x_UnpricedRequests\r\n";
}

void FocusTable::add(const quota::SpendKey& key, const quota::Spend& spend) {
    if (hour_of(key) != hour_) end();
    hour_ = hour_of(key);
    Names names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = key.names[i];
    sums_[std::move(names)] += spend;
}

void FocusTable::end() {
    for (const auto& [names, spend] : sums_) write_line(names, spend);
    sums_.clear();
}

void FocusTable::write_line(const Names& names, const quota::Spend& spend) {
    const auto& [consumer, api, environment, provider, model, backend] = names;
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time_of(hour_)));
    const auto month = date.year() / date.month();
    const std::string cost = money(spend.nanos);
    const std::uint64_t tokens = spend.usage.total();
    constexpr const char* kMidnight = "-01T00:00:00Z";
    constexpr std::size_t kDigitsOfMillion = 6;
    std::string sku = provider;
    sku.append("/").append(model);
    std::string tags = "{\"api\":" + json_string(api);
    tags.append(",\"environment\":").append(json_string(environment)).append("}");
    tools::write_line(out_, {cost,
                             "rotary",
                             currency_,
                             month_text(month) + kMidnight,
                             month_text(month + std::chrono::months(1)) + kMidnight,
                             "Usage",
                             "",
                             field("Tokens of " + model),
                             "Usage-Based",
                             instant(hour_),
                             instant(hour_ + hours_),
                             std::to_string(tokens),
                             "Tokens",
                             cost,
                             cost,
                             field(provider),
                             cost,
                             decimal(tokens, kMillion, kDigitsOfMillion),
                             "1M Tokens",
                             field(provider),
                             field(provider),
                             field(backend),
                             "AI and Machine Learning",
                             field(provider),
                             field(sku),
                             field(consumer),
                             field(tags),
                             std::to_string(spend.requests),
                             std::to_string(spend.usage.input),
                             std::to_string(spend.usage.output),
                             std::to_string(spend.unpriced)});
}

std::optional<std::int64_t> first_quarter_hour_of(std::string_view date) {
    constexpr std::size_t kSize = 10;
    if (date.size() != kSize || date[4] != '-' || date[7] != '-') return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t size) -> unsigned {
        unsigned value = 0;
        const char* const end = date.data() + at + size;
        const auto read = std::from_chars(date.data() + at, end, value);
        return read.ec == std::errc{} && read.ptr == end ? value : 0;
    };
    const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                          std::chrono::month(number(5, 2)),
                                          std::chrono::day(number(8, 2))};
    if (!day.ok()) return std::nullopt;
    return quota::QuarterHours(std::chrono::sys_days(day).time_since_epoch()).count();
}

}  // namespace rotary::tools
