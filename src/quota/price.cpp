#include <rotary/quota/price.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace rotary::quota {

namespace {

using config::Rate;
__extension__ using Wide = __int128;  // 13 kinds of 2^40 each, at 10^15 and a thousand: below 2^104

constexpr std::uint64_t kMostCount = std::uint64_t{1} << 40;  // what an answer may tell
constexpr Wide kThousand = 1000;
constexpr Wide kMillion = 1'000'000;
constexpr Wide kMostPlainFemtos = Wide(1) << 62;  // 4.6 thousand of the currency
constexpr Wide kMostFemtos = Wide(1) << 96;  // far more than fits, and room for kMostMillionths

std::size_t at(Rate rate) { return static_cast<std::size_t>(rate); }

// Absent rates are those of the kind that they are a part of.
struct Fallback {
    Rate rate;
    Rate other;
};
constexpr Fallback kFallbacks[] = {
    {Rate::cached_read, Rate::input},
    {Rate::cache_write, Rate::input},
    {Rate::cache_write_long, Rate::cache_write},
    {Rate::audio_in, Rate::input},
    {Rate::image_in, Rate::input},
    {Rate::reasoning, Rate::output},
    {Rate::audio_out, Rate::output},
};

std::array<config::Picos, config::kRates> filled(config::Rates rates) {
    for (const Fallback& fallback : kFallbacks) {
        if (!rates[at(fallback.rate)]) rates[at(fallback.rate)] = rates[at(fallback.other)];
    }
    std::array<config::Picos, config::kRates> all{};
    for (std::size_t i = 0; i < config::kRates; ++i) all[i] = rates[i].value_or(0);
    return all;
}

config::Rates overlaid(config::Rates below, const config::Rates& above) {
    for (std::size_t i = 0; i < config::kRates; ++i) {
        if (above[i]) below[i] = above[i];
    }
    return below;
}

// What is left of a whole when its parts are taken out; a vendor that counts a part which is not in
// its whole must not make it negative.
std::uint64_t rest(std::uint64_t whole, std::uint64_t parts) {
    return whole > parts ? whole - parts : 0;
}

}  // namespace

Price::Price(const config::PriceEntry& entry) {
    tiers_.push_back({0, filled(entry.rates)});
    for (const config::PriceTier& tier : entry.tiers) {
        tiers_.push_back({tier.above_input, filled(overlaid(entry.rates, tier.rates))});
    }
    const auto is_stated = [](const config::PriceService& service) { return service.is_stated; };
    if (std::ranges::none_of(entry.services, is_stated)) return;
    for (const config::PriceService& service : entry.services) {
        Special& special = services_.emplace_back();
        if (!service.is_stated) continue;
        if (service.is_multiple) {
            special.millionths = service.millionths;
        } else {
            special.tiers.push_back({0, filled(overlaid(entry.rates, service.rates))});
        }
    }
}

const std::vector<Price::Tier>& Price::tiers_of(const Special* special) const noexcept {
    return special == nullptr || special->tiers.empty() ? tiers_ : special->tiers;
}

Nanos Price::cost(const llm::Usage& usage) const noexcept {
    const auto bounded = [](std::uint64_t count) { return std::min(count, kMostCount); };
    const std::uint64_t cached = bounded(usage.cached_read);
    const std::uint64_t write = bounded(usage.cache_write);
    const std::uint64_t write_long = bounded(usage.cache_write_long);
    const std::uint64_t audio_in = bounded(usage.audio_in);
    const std::uint64_t image_in = bounded(usage.image_in);
    const std::uint64_t reasoning = bounded(usage.reasoning);
    const std::uint64_t audio_out = bounded(usage.audio_out);
    const std::uint64_t input = bounded(usage.input);

    static_assert(static_cast<std::size_t>(llm::Service::priority) == config::kServices);
    const bool is_special = usage.service != llm::Service::standard && !services_.empty();
    const Special* special =
        is_special ? &services_[static_cast<std::size_t>(usage.service) - 1] : nullptr;
    const std::vector<Tier>& tiers = tiers_of(special);
    const Rates* rates = &tiers.front().rates;
    for (const Tier& tier : tiers) {
        if (input > tier.above_input) rates = &tier.rates;
    }
    const auto price = [&](std::uint64_t count, Rate rate) {
        return count == 0 ? Wide(0) : Wide(count) * (*rates)[at(rate)];
    };
    Wide picos = price(rest(input, cached + write + write_long + audio_in + image_in), Rate::input);
    picos += price(cached, Rate::cached_read) + price(write, Rate::cache_write);
    picos += price(write_long, Rate::cache_write_long);
    picos += price(audio_in, Rate::audio_in) + price(image_in, Rate::image_in);
    picos += price(rest(bounded(usage.output), reasoning + audio_out), Rate::output);
    picos += price(reasoning, Rate::reasoning) + price(audio_out, Rate::audio_out);
    picos += (*rates)[at(Rate::request)] + price(bounded(usage.images), Rate::image);
    picos += price(bounded(usage.web_searches), Rate::web_search);
    const Wide femtos = picos * kThousand + price(bounded(usage.milliseconds), Rate::second);

    if (special == nullptr && femtos < kMostPlainFemtos) {  // no division of 128 bits
        constexpr auto kNano = static_cast<Nanos>(kMillion);
        return (static_cast<Nanos>(femtos) + kNano / 2) / kNano;
    }
    Wide nanos = (femtos + kMillion / 2) / kMillion;
    if (special != nullptr) {
        const Wide attos = std::min(femtos, kMostFemtos) * special->millionths;
        nanos = (attos + kMillion * kMillion / 2) / (kMillion * kMillion);
    }
    constexpr Wide kMost = std::numeric_limits<Nanos>::max();
    return static_cast<Nanos>(std::min(nanos, kMost));
}

}  // namespace rotary::quota
