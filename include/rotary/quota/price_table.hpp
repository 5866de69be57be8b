#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/config/prices/price_list.hpp>
#include <rotary/quota/price.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::quota {

// The prices of one provider's model or prefix, by the day from which they hold.
struct DatedPrices {
    std::string name;  // as the list has it: "gpt-4o", "claude-sonnet-4-5*"
    std::map<std::chrono::sys_days, Price> by_day;

    // The newest that holds by then; null: none does.
    const Price* at(std::chrono::sys_days day) const noexcept;
};

// What a model that a client named costs, and what the list calls it: there are no more of these
// names than the configuration has.
struct NamedPrice {
    const Price* price = nullptr;  // null: no list has it
    std::string_view name;
};

// What an entry of a rotation costs: found once, when the snapshot is compiled, and asked for a day
// on the path. Points into its PriceTable.
class EntryPrice {
public:
    // The newest price that holds by then; null: none does.
    const Price* at(WallTime now) const noexcept;
    bool empty() const noexcept { return series_.empty(); }

private:
    friend class PriceTable;
    std::vector<const DatedPrices*> series_;  // the closest first
};

class ProviderPrices;

// All price lists, for look-ups by name. Immutable once built; control thread, and the workers
// through what it finds.
class PriceTable {
public:
    // A later entry takes the place of an earlier one for the same names and day.
    explicit PriceTable(const std::vector<config::PriceEntry>& entries);

    // The provider's own before "*"; the exact name, then without a date at its end, then the
    // longest prefix. Providers are compared without case and by the names that APK and LiteLLM
    // have for them.
    EntryPrice find(std::string_view provider, std::string_view model) const;
    // Whether a price depends on Usage::service.
    bool has_services() const noexcept { return has_services_; }
    // For models that are known at each request only.
    ProviderPrices of(std::string_view provider) const;

private:
    friend class ProviderPrices;
    using ByModel = std::map<std::string, DatedPrices, std::less<>>;
    struct Provider {
        ByModel exact;
        ByModel prefixes;
    };
    // Whatever may be the price of the model, the closest first, until `visit` says that it was.
    template <class Visit>
    static bool visit(const Provider& provider, std::string_view model, const Visit& visit);

    std::map<std::string, Provider, std::less<>> providers_;
    bool has_services_ = false;
};

// What one provider takes, for models that clients name. Points into its PriceTable; asked on the
// path, where it allocates nothing: some comparisons of names.
class ProviderPrices {
public:
    NamedPrice find(std::string_view model, WallTime now) const noexcept;

private:
    friend class PriceTable;
    const PriceTable::Provider* own_ = nullptr;
    const PriceTable::Provider* any_ = nullptr;
};

}  // namespace rotary::quota
