#pragma once

#include <rotary/base/log.hpp>
#include <rotary/fleet/lease_question.hpp>
#include <rotary/fleet/store.hpp>
#include <rotary/fleet/timers.hpp>
#include <rotary/quota/lease.hpp>
#include <rotary/quota/lease_desk.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace rotary::fleet {

// The limits that replicas share: asks the store for the leases that workers hand in at their desk,
// many with one question, and gives back what is idle. Control thread; the counters outlive it.
//
// While the store can't be asked the desk is told so, and each replica goes on with its part.
class SharedLimits final : public Store::Listener {
public:
    static constexpr std::size_t kMostAtOnce = 64;            // leases of one question
    static constexpr std::chrono::milliseconds kPace{1};      // between two questions
    static constexpr std::chrono::milliseconds kRecent{500};  // what is granted is measured by
    static constexpr std::chrono::seconds kStale{1};          // of a lease in use, when it tells
    static constexpr std::chrono::milliseconds kLooked{250};  // of one that is only looked at
    static constexpr std::chrono::seconds kIdle{5};           // then it is given back
    static constexpr std::chrono::seconds kRefused{5};        // nothing left: then asked again
    static constexpr std::chrono::minutes kForgotten{10};     // no request settles later
    static constexpr std::chrono::milliseconds kErrorPause{250};  // of a store that refuses

    struct Options {
        std::string prefix;   // of all keys: "{rotary:NAMESPACE}"
        std::string replica;  // who asks, new with each process
        std::string journal;  // the same of money, whose spend outlives it; empty: as `replica`
        std::function<void()> bell;
        std::function<std::size_t()> replicas;  // into how many parts a limit is divided
        Logger* log = nullptr;  // a line when a store that is there refuses, and one behind that
    };
    struct Counts {
        std::uint64_t questions = 0;
        std::uint64_t leases = 0;      // asked for with them
        std::uint64_t unanswered = 0;  // questions
        std::uint64_t given_back = 0;  // leases
    };

    // From now on the limits of these counters are shared, until this goes. `bell` as for
    // LeaseDesk::open(): look() is to be called soon after it was rung.
    SharedLimits(Store& store, std::shared_ptr<Timers> timers, quota::CounterTable& counters,
                 Options options);
    ~SharedLimits() override;

    // The desk's bell has rung.
    void look();
    // How many replicas there are is told the desk: with each question, and when this is called.
    void count_replicas();
    // Called when requests wait and what they wait for has changed.
    void on_answers(std::function<void()> wake) { wake_ = std::move(wake); }
    const Counts& counts() const noexcept { return counts_; }
    std::size_t leases() const noexcept { return books_.size(); }  // in use, or not given back yet

    void on_ready() override;
    void on_lost() override;
    void on_message(std::string_view) override {}

private:
    // What is known of a lease from one question to the next.
    struct Book {
        std::string key;
        quota::LeaseTerms terms;
        SteadyTime measured_at;  // how much was used by then
        std::int64_t measured = 0;
        std::int64_t recent = 0;
        SteadyTime asked_at;
        std::int64_t told = 0;  // as used
        SteadyTime used_at;     // when it was last seen to be used
        std::int64_t used = 0;  // by then
        bool is_asked = false;  // it is queued, or the store's turn
    };
    struct Queued {
        quota::Lease* lease = nullptr;
        bool asks = false;
        bool gives_back = false;
    };
    struct Asked {
        quota::Lease* lease = nullptr;
        std::int64_t held = 0;
        WallTime window;
    };

    Book& book_of(quota::Lease& lease);
    bool is_known(quota::Lease& lease) const;
    void open_window(Book& book, const quota::LeaseTerms& terms) const;
    void follow(const quota::Lease& lease, Book& book) const;
    std::int64_t measure(quota::Lease& lease, Book& book) const;
    LeaseQuestion question_of(const Queued& queued, Asked& asked);
    void pump();
    void pump_late();
    void tell_debt(const Asked& asked);
    void pause();
    void end_pause();
    void send();
    void answered(const std::vector<Asked>& asked, const Reply& reply);
    void take_over(const Asked& asked, const LeaseAnswer& answer);
    void wake();
    void each_second();
    void look_after(quota::Lease& lease, Book& book, std::vector<quota::Lease*>& idle);
    void queue(const Queued& queued);
    void forget(quota::Lease& lease);
    bool may_ask() const noexcept;
    void later(std::chrono::milliseconds delay, void (SharedLimits::*work)());

    Store& store_;
    const std::shared_ptr<Timers> timers_;
    quota::LeaseDesk& desk_;
    const Options options_;
    std::function<void()> wake_;
    std::unordered_map<quota::Lease*, Book> books_;
    std::deque<Queued> queue_;
    SteadyTime next_send_{};
    SteadyTime paused_until_{};
    bool pumps_later_ = false;
    bool ticks_ = false;
    bool is_refused_ = false;
    Counts counts_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is due later
};

}  // namespace rotary::fleet
