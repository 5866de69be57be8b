#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/fleet/store.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// Late in a row, and nothing more is asked.
inline constexpr int kLateInARow = 3;

// What waits for its answer.
struct Question {
    SteadyTime deadline{};
    Store::Answered answered;        // empty: it was late, and has been told so
    std::vector<std::string> words;  // of a script, as EVALSHA has them; else empty
    std::string_view script;         // its text
};

// What was asked on one connection and is not answered yet, in its order. It tells what is late,
// and when a server that is late again and again is to be left alone; its own late answers are
// taken and thrown away. Decides by the time that it is told. Control thread.
class Questions {
public:
    void add(Question question) { waiting_.push_back(std::move(question)); }
    // An answer has come: to which question. Nothing: none was asked.
    std::optional<Question> take(SteadyTime now);
    // Those that are late from now on, which is to be told to them.
    std::vector<Store::Answered> expire(SteadyTime now);
    // When the next one is late.
    std::optional<SteadyTime> next_deadline() const;

    bool is_slow() const noexcept { return late_in_a_row_ >= kLateInARow; }
    // Of a slow one: every answer has come, so it is not slow any more. Returns whether it was.
    bool recover() noexcept;
    // Whether an answer is owed for longer than that beyond its deadline.
    bool owes(SteadyTime now, std::chrono::milliseconds silence) const;

    // The connection has ended: those that have not been told.
    std::vector<Store::Answered> abandon();
    std::size_t late() const noexcept { return late_; }  // of all time

private:
    std::deque<Question> waiting_;
    int late_in_a_row_ = 0;
    std::size_t late_ = 0;
};

}  // namespace rotary::fleet
