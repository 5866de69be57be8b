#include "config/prices/decimal.hpp"
#include "config/prices/read_prices.hpp"
#include "config/yaml/scalars.hpp"

#include <algorithm>
#include <array>

namespace rotary::config {

namespace {

constexpr int kPicoExponent = 12;
constexpr int kMillionths = 6;
constexpr const char* kRateKeys[kRates] = {
    "input",     "cached_read", "cache_write",   "cache_write_long", "audio_in",
    "image_in",  "output",      "reasoning",     "audio_out",        "per_request",
    "per_image", "per_second",  "per_web_search"};

constexpr const char* kNoRate = "states no rate, such as `input` and `output`";

bool states_rate(const Fields& fields) {
    return std::ranges::any_of(kRateKeys, [&](const char* key) { return fields.has(key); });
}

bool is_per_token(std::size_t rate) { return rate < static_cast<std::size_t>(Rate::request); }

// `per`: the exponent of the number of tokens that a rate is for.
void read_rates(Fields& fields, int per, Rates& rates) {
    for (std::size_t i = 0; i < kRates; ++i) {
        const char* key = kRateKeys[i];
        std::string text;
        if (!fields.text(key, text)) continue;
        const auto picos = parse_decimal(text, kPicoExponent - (is_per_token(i) ? per : 0));
        if (!picos) {
            fields.error(key, "must be a decimal number that is not negative, such as \"0.15\"");
        } else if (picos->value > kMostPicos) {
            fields.error(key, "is above 1000 for one: is `per` right?");
        } else if (!picos->is_exact) {
            fields.error(key, "has too many decimals: six for `per: 1M`, twelve for one");
        } else {
            rates[i] = picos->value;
        }
    }
}

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t size) {
        unsigned value = 0;
        for (const char c : text.substr(at, size)) {
            if (c < '0' || c > '9') return 9999u;
            value = value * 10 + static_cast<unsigned>(c - '0');
        }
        return value;
    };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(0, 4))),
                                           std::chrono::month(number(5, 2)),
                                           std::chrono::day(number(8, 2))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

void read_tiers(Fields& fields, int per, PriceEntry& entry) {
    fields.each("tiers", [&](Fields& tier) {
        PriceTier& read = entry.tiers.emplace_back();
        tier.number("above_input", read.above_input,
                    {.min = 1, .max = 1'000'000'000'000, .required = true});
        read_rates(tier, per, read.rates);
    });
    const auto above = [](const PriceTier& tier) { return tier.above_input; };
    std::ranges::stable_sort(entry.tiers, {}, above);
    if (std::ranges::adjacent_find(entry.tiers, {}, above) != entry.tiers.end()) {
        fields.error("tiers", "two of them begin at the same above_input");
    }
}

// "0.5", or {input: "1.25", …}; false: it is neither.
bool read_multiple(Fields& services, const char* key, PriceService& service) {
    std::string text;
    if (!services.text(key, text)) return false;
    const auto millionths = parse_decimal(text, kMillionths);
    if (!millionths || !millionths->is_exact || millionths->value > kMostMillionths) {
        services.error(key,
                       "must be a multiple of the price from 0 to 100, with six decimals at "
                       "most, such as \"0.5\", or a mapping of rates");
        return false;
    }
    service.millionths = millionths->value;
    return true;
}

void read_services(Fields& fields, int per, PriceEntry& entry) {
    constexpr const char* kNames[kServices] = {"batch", "flex", "priority"};
    fields.object("service", [&](Fields& services) {
        for (std::size_t i = 0; i < kServices; ++i) {
            PriceService& service = entry.services[i];
            if (!services.has(kNames[i])) continue;
            service.is_multiple = !services.is_map(kNames[i]);
            if (service.is_multiple) {
                service.is_stated = read_multiple(services, kNames[i], service);
                continue;
            }
            services.object(kNames[i], [&](Fields& rates) {
                read_rates(rates, per, service.rates);
                if (!states_rate(rates)) rates.error("", kNoRate);
            });
            service.is_stated = true;
            if (!entry.tiers.empty()) {
                services.error(kNames[i],
                               "must be a multiple, such as \"0.5\", where there are "
                               "tiers");
            }
        }
    });
}

void read_entry(Fields& fields, PriceEntry& entry) {
    fields.text("provider", entry.provider, {.required = true, .min = 1, .max = 256});
    fields.text("model", entry.model, {.required = true, .min = 1, .max = 4096});
    entry.is_prefix = entry.model.ends_with('*');
    if (entry.is_prefix) entry.model.pop_back();
    if (entry.model.find('*') != entry.model.npos) {
        fields.error("model", "may have a '*' at its end only");
    }
    int per = 6;
    fields.choice<int>("per", per, {{"1M", 6}, {"1K", 3}, {"1", 0}});
    std::string from;
    if (fields.text("from", from)) {
        entry.from = parse_date(from);
        if (!entry.from) fields.error("from", "must be a date such as 2026-10-01");
    }
    read_rates(fields, per, entry.rates);
    read_tiers(fields, per, entry);
    if (!states_rate(fields)) fields.error("", kNoRate);
    read_services(fields, per, entry);
}

}  // namespace

void read_price_list(FileReading& reading, const Node& root, std::vector<PriceEntry>& prices) {
    if (root.kind == Node::Kind::null) return;
    if (root.kind != Node::Kind::list) {
        reading.findings.push_back(error_at({reading.file, root.line, root.column, ""},
                                            "expected a list of prices, `- {provider: …}` each"));
        return;
    }
    for (std::size_t i = 0; i < root.items.size(); ++i) {
        const Node& item = root.items[i];
        const std::string path = "[" + std::to_string(i) + "]";
        if (item.kind != Node::Kind::map) {
            reading.findings.push_back(
                error_at({reading.file, item.line, item.column, path}, "expected a mapping"));
            continue;
        }
        Fields fields(reading, item, path);
        read_entry(fields, prices.emplace_back());
        fields.finish();
    }
}

}  // namespace rotary::config
