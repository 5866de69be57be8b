#pragma once

#include <rotary/base/text_hash.hpp>
#include <rotary/quota/price_table.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rotary::routing {

// The budgets of consumers in one environment, as places among the snapshot's limits. Immutable;
// of() allocates nothing.
class ConsumerBudgets {
public:
    void add(const std::string& consumer, std::size_t limit) {
        by_consumer_[consumer].push_back(limit);
    }
    // Of every consumer, each by itself.
    void add_for_each(std::size_t limit) { for_each_.push_back(limit); }
    const std::vector<std::size_t>& for_each() const noexcept { return for_each_; }
    // Of this one by its name.
    const std::vector<std::size_t>& of(std::string_view consumer) const noexcept {
        const auto found = by_consumer_.find(consumer);
        return found == by_consumer_.end() ? none_ : found->second;
    }

private:
    std::unordered_map<std::string, std::vector<std::size_t>, TextHash, std::equal_to<>>
        by_consumer_;
    std::vector<std::size_t> for_each_;
    std::vector<std::size_t> none_;
};

// A budget among the snapshot's limits, by what the ledger knows its spend: what was spent before
// this process is read from there.
struct BudgetPlace {
    static constexpr std::string_view kEachConsumer = "*";
    std::size_t limit = 0;
    std::string consumer;     // empty: an API's; kEachConsumer: that of each
    std::string api;          // empty: a consumer's; with both, one of those a subscription has
    std::string environment;  // which has a budget of its own
};

}  // namespace rotary::routing
