#include "dial_plan.hpp"

#include <algorithm>
#include <chrono>

namespace rotary::net {

namespace {

constexpr std::chrono::milliseconds kLeastTry{1000};  // for one address, if the budget allows

}  // namespace

std::optional<DialPlan::Try> DialPlan::next(SteadyTime now) {
    if (is_over_ || next_ == addresses_.size()) return std::nullopt;
    // An address that does not answer must leave time for those behind it.
    const auto left = static_cast<std::int64_t>(addresses_.size() - next_);
    const auto share = std::max<SteadyTime::duration>(kLeastTry, (deadline_ - now) / left);
    Try chosen{addresses_[next_++], std::min(deadline_, now + share)};
    chosen.address.port(port_);
    return chosen;
}

void DialPlan::failed(const Fault& fault, SteadyTime now) noexcept {
    // The client's or a drain: nothing more to try.
    if (fault.kind == FaultKind::client_gone || fault.kind == FaultKind::draining) {
        fault_ = fault;
        is_over_ = true;
        return;
    }
    // Of our own want and a provider's refusal the latter counts: a machine without IPv6 has no
    // local address for the one, while the other answered.
    const bool known = fault_.kind != FaultKind::none && fault_.origin == Origin::upstream;
    if (fault.origin == Origin::upstream || !known) fault_ = fault;
    if (now >= deadline_) is_over_ = true;
}

}  // namespace rotary::net
