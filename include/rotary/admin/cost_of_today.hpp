#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/quota/consumer_use.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::admin {

// What consumers' answers cost since the day began, by UTC: what they cost since the process began,
// less what that was at midnight, or with what the ledger has of today from before. Of the control
// thread, which notes it each second.
class CostOfToday {
public:
    using Sums = std::map<std::string, std::uint64_t, std::less<>>;  // nanodollars, by consumer
    // What was spent from `day` on, by those who had no counter yet; nothing: it is not known.
    using Recall = std::function<std::optional<Sums>(WallTime day)>;

    // `uses` null: none is counted. The first time that there are some asks `recall`.
    void note(const quota::ConsumerUse* uses, WallTime now, const Recall& recall);

    // From where on it is known: when the day began, or when counting did.
    WallTime since() const noexcept { return since_; }
    bool is_of_whole_day() const noexcept { return since_ == day_; }
    // `nanos`: since counting began.
    std::uint64_t of(std::string_view consumer, std::uint64_t nanos) const;
    std::uint64_t total(const quota::ConsumerUse& uses) const;

private:
    bool begun_ = false;
    WallTime day_{};
    WallTime since_{};
    Sums recalled_;  // of today, to be added
    Sums before_;    // at midnight, to be taken off
};

}  // namespace rotary::admin
