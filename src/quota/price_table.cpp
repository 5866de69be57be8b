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

const Price* DatedPrices::at(std::chrono::sys_days day) const noexcept {
    const auto after = by_day.upper_bound(day);
    return after == by_day.begin() ? nullptr : &std::prev(after)->second;
}

const Price* EntryPrice::at(WallTime now) const noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    for (const DatedPrices* prices : series_) {
        if (const Price* price = prices->at(day)) return price;
    }
    return nullptr;
}

NamedPrice ProviderPrices::find(std::string_view model, WallTime now) const noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    NamedPrice found;
    const auto take = [&](const DatedPrices& prices) {
        found.price = prices.at(day);
        if (found.price != nullptr) found.name = prices.name;
        return found.price != nullptr;
    };
    if (own_ != nullptr && PriceTable::visit(*own_, model, take)) return found;
    if (any_ != nullptr) PriceTable::visit(*any_, model, take);
    return found;
}

PriceTable::PriceTable(const std::vector<config::PriceEntry>& entries) {
    for (const config::PriceEntry& entry : entries) {
        Provider& provider = providers_[folded(entry.provider)];
        DatedPrices& prices = (entry.is_prefix ? provider.prefixes : provider.exact)[entry.model];
        prices.name = entry.model;
        if (entry.is_prefix) prices.name += '*';
        const auto from = entry.from.value_or(std::chrono::sys_days::min());
        const auto [price, is_new] = prices.by_day.insert_or_assign(from, Price(entry));
        has_services_ = has_services_ || price->second.has_services();
    }
}

template <class Visit>
bool PriceTable::visit(const Provider& provider, std::string_view model, const Visit& visit) {
    const auto exact = provider.exact.find(model);
    if (exact != provider.exact.end() && visit(exact->second)) return true;
    const std::string_view undated = without_date(model);
    if (undated.size() != model.size()) {
        const auto found = provider.exact.find(undated);
        if (found != provider.exact.end() && visit(found->second)) return true;
    }
    // Of the names up to `rest` the last one is its longest prefix, or else the prefixes of `rest`
    // are those of what the two have in common.
    std::string_view rest = model;
    for (;;) {
        const auto after = provider.prefixes.upper_bound(rest);
        if (after == provider.prefixes.begin()) return false;
        const auto& [prefix, prices] = *std::prev(after);
        const std::size_t alike =
            static_cast<std::size_t>(std::ranges::mismatch(rest, prefix).in1 - rest.begin());
        if (alike < prefix.size()) {
            rest = rest.substr(0, alike);
            continue;
        }
        if (visit(prices)) return true;
        if (prefix.empty()) return false;
        rest = rest.substr(0, prefix.size() - 1);
    }
}

EntryPrice PriceTable::find(std::string_view provider, std::string_view model) const {
    EntryPrice price;
    const auto keep = [&](const DatedPrices& prices) {
        price.series_.push_back(&prices);
        return false;
    };
    const ProviderPrices prices = of(provider);
    if (prices.own_ != nullptr) visit(*prices.own_, model, keep);
    if (prices.any_ != nullptr) visit(*prices.any_, model, keep);
    return price;
}

ProviderPrices PriceTable::of(std::string_view provider) const {
    ProviderPrices prices;
    const std::string name = folded(provider);
    const auto own = providers_.find(name);
    if (own != providers_.end()) prices.own_ = &own->second;
    const auto any = providers_.find("*");
    if (any != providers_.end() && name != "*") prices.any_ = &any->second;
    return prices;
}

}  // namespace rotary::quota
