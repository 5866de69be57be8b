#include "proxy/tries.hpp"

namespace rotary::proxy {

namespace {

std::uint32_t narrow(std::size_t place) noexcept {
    return place == Choice::kNone ? TryRecord::kNone : static_cast<std::uint32_t>(place);
}

}  // namespace

TryRecord& Trail::open(const Choice& choice, SteadyTime now) noexcept {
    ++begun_;
    TryRecord& made = last();
    made = {};
    made.started = now;
    made.ended = now;
    made.entry = narrow(choice.entry);
    made.backend = narrow(choice.backend);
    made.is_probe = choice.is_probe;
    return made;
}

void Trail::judge(std::uint16_t status, FaultKind fault, const rotation::Verdict& verdict,
                  SteadyTime now) noexcept {
    TryRecord& judged = last();
    judged.status = status;
    judged.fault = fault;
    judged.failure = verdict.failure;
    judged.effect = verdict.effect;
    judged.ended = now;
}

void Trail::end(const Result<void>& relayed, SteadyTime now) noexcept {
    last().ended = std::max(last().ended, now);  // a turn began before what was measured in it
    if (!relayed) last().fault = relayed.error().kind;
}

}  // namespace rotary::proxy
