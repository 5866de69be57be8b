#pragma once

#include <rotary/control/ledger.hpp>
#include <rotary/fleet/spend_words.hpp>
#include <rotary/fleet/store.hpp>
#include <rotary/fleet/timers.hpp>
#include <rotary/quota/price.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rotary::fleet {

// What a fleet has spent: each replica tells the store the sums of its ledger that have changed, a
// page at a time, and hears what all have spent today. The ledger is the truth: what the store has
// not taken, or has lost, is read from there again, so nothing gathers here. Another ledger in the
// place of one has another mark in the store, and is so told from its beginning. Control thread.
class SharedSpend final : public Store::Listener {
public:
    static constexpr std::size_t kMostAtOnce = 64;            // rows of one question
    static constexpr std::chrono::milliseconds kPause{1000};  // between two looks at the ledger
    static constexpr std::chrono::milliseconds kBetween{50};  // between two pages of one look

    struct Options {
        std::string name_space;
        std::string currency;
        std::int64_t kept_days = kSpendDays;  // today too
        // As control::Ledger::ask_days(). Empty: there is no ledger, and this replica only hears.
        std::function<void(control::DaysAsked)> ask_days;
        // Called when the store has lost what it was told. Empty: none is.
        std::function<void()> on_loss{};
    };
    struct Counts {
        std::uint64_t told = 0;        // rows that were taken, or were there
        std::uint64_t unanswered = 0;  // questions
        std::uint64_t lost = 0;        // how often the store had lost what it was told
        std::uint64_t refused = 0;     // rows with which a day would pass 2^63 nanodollars
    };

    SharedSpend(Store& store, std::shared_ptr<Timers> timers, Options options);
    ~SharedSpend() override;

    // What all replicas have spent today (UTC), as last heard of; nothing: not heard since then.
    std::optional<quota::Nanos> today() const;
    // Called once, when the store has all that the ledger has by now, or can't be told.
    void finish(std::function<void()> done);
    const Counts& counts() const noexcept { return counts_; }

    void on_ready() override { look(); }
    void on_lost() override {}
    void on_message(std::string_view) override {}

private:
    void later(std::chrono::milliseconds wait, void (SharedSpend::*work)());
    void each_pause();
    void look();
    void tell(std::optional<control::DayPage> page);
    void answered(const SpendQuestion& question, const Reply& reply);
    void end(bool has_more);
    std::int64_t day() const;

    Store& store_;
    const std::shared_ptr<Timers> timers_;
    const Options options_;
    std::uint64_t told_ = 0;      // the number of the last change that the store has
    bool is_busy_ = false;        // with the ledger or the store
    bool looks_again_ = false;    // behind what it is busy with
    std::int64_t today_ = 0;      // the day
    quota::Nanos spent_ = 0;      // on it, of all
    std::function<void()> done_;  // finish()
    Counts counts_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rotary::fleet
