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
using DatedPrices = std::map<std::chrono::sys_days, Price>;

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

private:
    using ByModel = std::map<std::string, DatedPrices, std::less<>>;
    struct Provider {
        ByModel exact;
        ByModel prefixes;
    };
    static void add(const Provider& provider, std::string_view model,
                    std::vector<const DatedPrices*>& series);

    std::map<std::string, Provider, std::less<>> providers_;
};

}  // namespace rotary::quota
