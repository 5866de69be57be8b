#include <rotary/base/text.hpp>
#include <rotary/quota/price_table.hpp>

#include <algorithm>

namespace rotary::quota {

namespace {

// What APK and LiteLLM call one and the same provider, without case and punctuation.
struct Alias {
    std::string_view begin;
    std::string_view name;
};
constexpr Alias kAliases[] = {
    {"azureopenai", "azure"}, {"awsbedrock", "bedrock"},    {"amazonbedrock", "bedrock"},
    {"bedrock", "bedrock"},   {"mistralai", "mistral"},     {"googlegemini", "gemini"},
    {"vertexai", "vertexai"}, {"googlevertex", "vertexai"},
};

std::string folded(std::string_view provider) {
    if (provider == "*") return "*";
    std::string name;
    for (const char c : provider) {
        const char small = text::lower(c);
        const bool is_kept = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
        if (is_kept) name += small;
    }
    for (const Alias& alias : kAliases) {
        if (name.starts_with(alias.begin)) return std::string(alias.name);
    }
    return name;
}

bool are_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// gpt-4o-2024-08-06, claude-sonnet-4-5-20250929, claude-sonnet-4-5@20250929.
std::string_view without_date(std::string_view model) {
    constexpr std::size_t kShort = 9;
    constexpr std::size_t kLong = 11;
    if (model.size() > kLong) {
        const std::string_view end = model.substr(model.size() - kLong);
        if (end[0] == '-' && end[5] == '-' && end[8] == '-' && are_digits(end.substr(1, 4)) &&
            are_digits(end.substr(6, 2)) && are_digits(end.substr(9, 2))) {
            return model.substr(0, model.size() - kLong);
        }
    }
    if (model.size() > kShort) {
        const std::string_view end = model.substr(model.size() - kShort);
        if ((end[0] == '-' || end[0] == '@') && are_digits(end.substr(1))) {
            return model.substr(0, model.size() - kShort);
        }
    }
    return model;
}

}  // namespace

const Price* EntryPrice::at(WallTime now) const noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    for (const DatedPrices* prices : series_) {
        const auto after = prices->upper_bound(day);
        if (after != prices->begin()) return &std::prev(after)->second;
    }
    return nullptr;
}

PriceTable::PriceTable(const std::vector<config::PriceEntry>& entries) {
    for (const config::PriceEntry& entry : entries) {
        Provider& provider = providers_[folded(entry.provider)];
        ByModel& models = entry.is_prefix ? provider.prefixes : provider.exact;
        const auto from = entry.from.value_or(std::chrono::sys_days::min());
        models[entry.model].insert_or_assign(from, Price(entry));
    }
}

void PriceTable::add(const Provider& provider, std::string_view model,
                     std::vector<const DatedPrices*>& series) {
    const auto exact = provider.exact.find(model);
    if (exact != provider.exact.end()) series.push_back(&exact->second);
    const std::string_view undated = without_date(model);
    if (undated.size() != model.size()) {
        const auto found = provider.exact.find(undated);
        if (found != provider.exact.end()) series.push_back(&found->second);
    }
    for (std::size_t size = model.size() + 1; size-- > 0;) {
        const auto prefix = provider.prefixes.find(model.substr(0, size));
        if (prefix != provider.prefixes.end()) series.push_back(&prefix->second);
    }
}

EntryPrice PriceTable::find(std::string_view provider, std::string_view model) const {
    EntryPrice price;
    const std::string name = folded(provider);
    const auto own = providers_.find(name);
    if (own != providers_.end()) add(own->second, model, price.series_);
    const auto any = providers_.find("*");
    if (any != providers_.end() && name != "*") add(any->second, model, price.series_);
    return price;
}

}  // namespace rotary::quota
