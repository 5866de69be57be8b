#include "config/prices/decimal.hpp"
#include "config/prices/json_reader.hpp"
#include "config/prices/read_prices.hpp"
#include "config/yaml/scalars.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::config {

namespace {

constexpr int kPicoExponent = 12;

struct Field {
    std::string_view name;
    Rate rate;
};

// The first one that a field's name begins with counts: longer ones stand before shorter ones.
constexpr Field kFields[] = {
    {"input_cost_per_token", Rate::input},
    {"output_cost_per_token", Rate::output},
    {"cache_read_input_token_cost", Rate::cached_read},
    {"cache_creation_input_token_cost_above_1hr", Rate::cache_write_long},
    {"cache_creation_input_token_cost_above_12hr", Rate::cache_write_long},
    {"cache_creation_input_token_cost", Rate::cache_write},
    {"output_cost_per_reasoning_token", Rate::reasoning},
    {"input_cost_per_audio_token", Rate::audio_in},
    {"output_cost_per_audio_token", Rate::audio_out},
    {"input_cost_per_image_token", Rate::image_in},
    {"input_cost_per_second", Rate::second},
    {"input_cost_per_request", Rate::request},
    {"output_cost_per_image", Rate::image},
};

// Of "_above_200k_tokens": 200,000. None for another suffix: prices of batches, priority and
// other services are not those of a plain request.
std::optional<std::uint64_t> threshold(std::string_view suffix) {
    constexpr std::string_view kBegin = "_above_";
    constexpr std::string_view kEnd = "k_tokens";
    if (!suffix.starts_with(kBegin) || !suffix.ends_with(kEnd)) return std::nullopt;
    suffix.remove_prefix(kBegin.size());
    const auto thousands = text::parse_unsigned(suffix.substr(0, suffix.size() - kEnd.size()));
    if (!thousands || *thousands == 0 || *thousands > 1'000'000) return std::nullopt;
    return *thousands * 1000;
}

// One price list of LiteLLM's.
class Reading {
public:
    Reading(const std::string& file, std::string_view text, std::vector<PriceEntry>& prices,
            std::vector<Finding>& findings)
        : file_(file), json_(text), prices_(prices), findings_(findings) {}

    void run() {
        json_.object([this](std::string_view model) {
            if (model != "sample_spec" && json_.peek() == JsonReader::Kind::object) entry(model);
        });
        json_.finish();
        if (json_.ok()) return;
        findings_.push_back(error_at({file_, json_.line(), 1, std::string(model_)},
                                     "this is no JSON: " + json_.error()));
    }

private:
    void entry(std::string_view model) {
        model_ = model;
        PriceEntry entry;
        has_rate_ = false;
        json_.object([&](std::string_view name) { member(entry, name); });
        if (!has_rate_) return;
        // Some names begin with their provider's: it is LiteLLM's to read, no provider is sent it.
        const std::size_t slash = model.find('/');
        const bool is_led = slash != model.npos && model.substr(0, slash) == entry.provider;
        entry.model = is_led ? model.substr(slash + 1) : model;
        if (entry.provider.empty()) entry.provider = "*";
        std::ranges::sort(entry.tiers, {}, &PriceTier::above_input);
        prices_.push_back(std::move(entry));
    }

    void member(PriceEntry& entry, std::string_view name) {
        if (name == "litellm_provider" && json_.peek() == JsonReader::Kind::string) {
            entry.provider = json_.string();
        } else if (name == "search_context_cost_per_query" &&
                   json_.peek() == JsonReader::Kind::object) {
            search(entry);
        } else if (name.find("cost") != name.npos && json_.peek() == JsonReader::Kind::number) {
            cost(entry, name);
        }
    }

    void cost(PriceEntry& entry, std::string_view name) {
        const auto field = std::ranges::find_if(
            kFields, [&](const Field& one) { return name.starts_with(one.name); });
        if (field == std::end(kFields)) return;
        Rates* rates = &entry.rates;
        if (const std::string_view suffix = name.substr(field->name.size()); !suffix.empty()) {
            const auto above = threshold(suffix);
            if (!above) return;
            rates = &tier(entry, *above);
        }
        set(*rates, field->rate, name);
    }

    static Rates& tier(PriceEntry& entry, std::uint64_t above) {
        const auto known = std::ranges::find(entry.tiers, above, &PriceTier::above_input);
        if (known != entry.tiers.end()) return known->rates;
        entry.tiers.push_back({above, {}});
        return entry.tiers.back().rates;
    }

    // A search has up to three prices, by how much of what it found is read: most find as much as
    // "medium" says.
    void search(PriceEntry& entry) {
        bool is_medium = false;
        json_.object([&](std::string_view size) {
            if (json_.peek() != JsonReader::Kind::number || is_medium) return;
            is_medium = size == "search_context_size_medium";
            set(entry.rates, Rate::web_search, size);
        });
    }

    void set(Rates& rates, Rate rate, std::string_view name) {
        const int line = json_.line();
        const std::string_view text = json_.number();
        // What is finer than we count is the noise of a binary fraction.
        const auto picos = parse_decimal(text, kPicoExponent);
        if (!picos || picos->value > kMostPicos) {
            Mark mark{file_, line, 1, std::string(model_).append(".").append(name)};
            findings_.push_back(warning_at(mark, shown(text) + " is no price: it is not counted"));
            return;
        }
        rates[static_cast<std::size_t>(rate)] = picos->value;
        has_rate_ = true;
    }

    const std::string& file_;
    JsonReader json_;
    std::vector<PriceEntry>& prices_;
    std::vector<Finding>& findings_;
    std::string_view model_;
    bool has_rate_ = false;
};

}  // namespace

void read_litellm_prices(const std::string& file, std::string_view text,
                         std::vector<PriceEntry>& prices, std::vector<Finding>& findings) {
    Reading(file, text, prices, findings).run();
}

}  // namespace rotary::config
