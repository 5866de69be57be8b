#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::rotation {

// Why an entry is out of the rotation. Labels of metrics and of /api/v1/models.
enum class SuspendReason : std::uint8_t {
    none,
    rate_limited,
    quota_exhausted,
    account_exhausted,
    daily_exhausted,
    failing,
    credential_refused,  // the provider does not take our key
    model_unknown,       // the provider does not know the model
    unhealthy,           // its Backend's health check fails
    limit,               // its Backend has had what a limit of ours allows
    operator_request
};
inline constexpr std::size_t kSuspendReasons = 11;
std::string_view to_string(SuspendReason reason) noexcept;
// `none` for a text that names no reason.
SuspendReason reason_named(std::string_view text) noexcept;

// Whether the entry itself turned a request away. An operator's word and a counter that reached
// zero under a request that was served say nothing of how long it will go on refusing.
bool is_refusal(SuspendReason reason) noexcept;

// Whether the entry did not work at all, so that its return is in doubt until it has served.
bool is_broken(SuspendReason reason) noexcept;

// Whether it holds for every replica of a fleet: what the provider or the operator said. A failure
// may be of this replica's own network, a check and a count are its own.
bool is_shared(SuspendReason reason) noexcept;

}  // namespace rotary::rotation
