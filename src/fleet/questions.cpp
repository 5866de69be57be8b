#include "fleet/questions.hpp"

#include <algorithm>
#include <utility>

namespace rotary::fleet {

std::optional<Question> Questions::take(SteadyTime now) {
    if (waiting_.empty()) return std::nullopt;
    Question question = std::move(waiting_.front());
    waiting_.pop_front();
    // Once the limit is reached the queue has to run empty first.
    if (question.answered && question.deadline > now && !is_slow()) late_in_a_row_ = 0;
    return question;
}

std::vector<Store::Answered> Questions::expire(SteadyTime now) {
    std::vector<Store::Answered> late;
    for (Question& question : waiting_) {
        if (!question.answered || question.deadline > now) continue;
        late.push_back(std::exchange(question.answered, nullptr));
        ++late_in_a_row_;
        ++late_;
    }
    return late;
}

std::optional<SteadyTime> Questions::next_deadline() const {
    std::optional<SteadyTime> next;
    for (const Question& question : waiting_) {
        if (question.answered && (!next || question.deadline < *next)) next = question.deadline;
    }
    return next;
}

bool Questions::recover() noexcept {
    if (!is_slow() || !waiting_.empty()) return false;
    late_in_a_row_ = 0;
    return true;
}

bool Questions::owes(SteadyTime now, std::chrono::milliseconds silence) const {
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const Question& question) {
        return question.deadline + silence <= now;
    });
}

std::vector<Store::Answered> Questions::abandon() {
    std::vector<Store::Answered> left;
    for (Question& question : std::exchange(waiting_, {})) {
        if (question.answered) left.push_back(std::move(question.answered));
    }
    late_in_a_row_ = 0;
    return left;
}

}  // namespace rotary::fleet
