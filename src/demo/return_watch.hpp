#pragma once

#include <demo/check.hpp>

#include <chrono>
#include <optional>

namespace rotary::demo {

// Whether a suspended entry comes back when the gateway promised it.
class ReturnWatch {
public:
    enum class Verdict { wait, back, late, missing };
    using Time = std::chrono::steady_clock::time_point;

    // `grace`: how much longer than promised it may take.
    explicit ReturnWatch(std::chrono::milliseconds grace) : grace_(grace) {}

    // What to think of it now. The promise is the one of the first look.
    Verdict look(const std::optional<ModelState>& model, Time now) {
        if (!model) return Verdict::missing;
        if (model->state != "suspended") return Verdict::back;
        if (!deadline_) deadline_ = now + std::chrono::seconds(model->seconds_left) + grace_;
        return now > *deadline_ ? Verdict::late : Verdict::wait;
    }

private:
    std::chrono::milliseconds grace_;
    std::optional<Time> deadline_;
};

}  // namespace rotary::demo
