#pragma once

#include <rotary/fleet/place_question.hpp>
#include <rotary/fleet/store.hpp>
#include <rotary/fleet/timers.hpp>
#include <rotary/routing/in_flight.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace rotary::fleet {

// The places among the requests in flight that replicas share: asks the store for those that
// workers lack, many keys with one question, gives back what lies idle, and passes on what others
// wish for. Control thread; the table outlives it.
//
// The store's books and this agree on one thing: what a replica has never said it holds it may not
// use. So all together never have more than the limit, unless books were lost (kPlacesYoung), or
// the store takes a replica for dead that lives, and has requests in flight, without it.
class SharedPlaces final : public Store::Listener {
public:
    static constexpr std::size_t kMostAtOnce = 64;              // keys of one question
    static constexpr std::chrono::milliseconds kPace{1};        // between two questions
    static constexpr std::chrono::milliseconds kSecondLook{5};  // behind a wish, once
    static constexpr std::chrono::milliseconds kRefused{250};   // then it is asked again
    static constexpr std::chrono::milliseconds kPassing{20};    // looks whether requests ended
    static constexpr std::chrono::seconds kTick{1};
    static constexpr std::size_t kPeaks = 5;                      // ticks; idle so long: given back
    static constexpr std::chrono::minutes kTold{1};               // then told again
    static constexpr std::chrono::milliseconds kErrorPause{250};  // of a store that refuses

    struct Options {
        std::string prefix;   // of all keys: "{rotary:NAMESPACE}"
        std::string replica;  // who asks, new with each process
        std::function<void()> bell;
        std::function<std::size_t()> replicas;  // into how many parts a limit is divided
    };
    struct Counts {
        std::uint64_t questions = 0;
        std::uint64_t keys = 0;        // asked or told of with them
        std::uint64_t unanswered = 0;  // questions
        std::uint64_t given_back = 0;  // places
    };

    // From now on the limits of this table are shared, until this goes. `bell` as for
    // PlaceShares::open(): look() is to be called soon after it was rung.
    SharedPlaces(Store& store, std::shared_ptr<Timers> timers, routing::InFlight& table,
                 Options options);
    ~SharedPlaces() override;

    void look();            // the bell has rung
    void count_replicas();  // as SharedLimits
    void leave();           // what is not in use goes back, and is not kept from now on
    void on_answers(std::function<void()> wake) { wake_ = std::move(wake); }
    const Counts& counts() const noexcept { return counts_; }
    std::uint64_t granted() const noexcept;  // places, of all keys

    void on_ready() override;
    void on_lost() override;
    void on_message(std::string_view message) override;

private:
    // What is known of a key from one question to the next.
    struct Book {
        routing::PlaceShare* share = nullptr;
        std::uint32_t most = 0;
        std::uint32_t granted = 0;
        std::uint32_t told = 0;  // the store has it as this replica's
        std::uint32_t others = 0;
        std::array<std::uint32_t, kPeaks> peaks{};
        SteadyTime told_at;
        bool is_due = false;     // its share waits for an answer
        bool is_queued = false;  // or is to be, once the question under way is answered
        bool is_asked = false;
        std::int64_t lacks = 0;  // what the answer before did not grant, for the second look
        bool looks_again = false;
        bool tells_first = false;  // before it asks
        SteadyTime refused_at = SteadyTime::min();
    };

    Book& book_of(std::uint64_t key, routing::PlaceShare& share);
    void take_over(std::uint64_t key, Book& book, const PlaceQuestion& question,
                   const PlaceAnswer& answer);
    void settle(std::uint64_t key, Book& book, std::int64_t missing);
    PlaceQuestion question_of(std::uint64_t key, Book& book);
    std::uint32_t held(std::uint64_t key, const Book& book) const noexcept;
    std::uint32_t peak(const Book& book) const noexcept;
    void lower(std::uint64_t key, Book& book, std::uint32_t granted);
    void queue(std::uint64_t key, Book& book);
    void tell_all();
    void pump();
    void pump_late();
    void end_pause();
    void send();
    void answered(const std::vector<PlaceQuestion>& asked, SteadyTime sent, const Reply& reply);
    void each_tick();
    void look_after(std::uint64_t key, Book& book);
    void forget_grants();
    void pass_on();
    void look_again(std::uint64_t key);
    void release(std::uint64_t key, Book& book);
    void say_goodbye();
    void start_ticking();
    void wake();
    bool may_ask() const noexcept;
    void later(std::chrono::milliseconds delay, void (SharedPlaces::*work)());

    Store& store_;
    const std::shared_ptr<Timers> timers_;
    routing::InFlight& table_;
    routing::PlaceShares& shares_;
    PlaceAsker asker_;
    const std::function<std::size_t()> replicas_;
    std::function<void()> wake_;
    std::unordered_map<std::uint64_t, Book> books_;
    std::deque<std::uint64_t> queue_;
    SteadyTime next_send_{};
    SteadyTime paused_until_{};
    SteadyTime sent_{};   // the last question
    SteadyTime heard_{};  // when the last one that was answered was sent
    std::int64_t began_ = 0;
    bool pumps_later_ = false;
    bool ticks_ = false;
    std::vector<std::uint64_t> passing_;  // keys of which more are in flight than it keeps
    bool is_leaving_ = false;
    Counts counts_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is due later
};

}  // namespace rotary::fleet
