#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/rotation/entry_set.hpp>
#include <rotary/rotation/verdict.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace rotary::proxy {

// Who serves a try, as places in the snapshot.
struct Choice {
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t list = kNone;     // none: no rotation for this request
    std::size_t entry = kNone;    // of the list; none: a Backend alone
    std::size_t backend = kNone;  // none: nothing was tried
    bool is_probe = false;        // the entry's return hangs on this try
};

// What was tried. Steps 5 to 9 write it.
struct Tries {
    Choice choice;
    rotation::Tried tried;  // of the list's entries, or of the rule's Backends by their place
    unsigned attempts = 0;
    unsigned attempts_that_suspended = 0;  // of them: refusals that took their entry out
    bool reused_connection = false;
    bool asks_usage = false;  // the last of them went with content.usage_ask in it
    bool resent = false;      // on a fresh connection, for the one that died had served before
};

// One try as those tell it who ask afterwards: the page, the trace, the log. Places are the
// snapshot's; the list is that of the request's Choice, one for all of its tries.
struct TryRecord {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    SteadyTime started;
    SteadyTime head;   // when the provider's head was in; {}: none came
    SteadyTime ended;  // of the last one: when its answer had gone to the client
    std::uint32_t entry = kNone;
    std::uint32_t backend = kNone;
    std::uint16_t status = 0;  // the provider's; 0: none came
    FaultKind fault = FaultKind::none;
    rotation::Failure failure = rotation::Failure::none;
    rotation::Effect effect = rotation::Effect::none;  // of the verdict, on the rotation
    bool is_probe = false;
    bool reused_connection = false;
    bool failed_over = false;  // another try followed
};

// The tries of one request in their order. It has room for as many as requests have; of more it
// keeps the first ones and the last, which tells how it ended. Taking it up anew costs one store.
class Trail {
public:
    static constexpr std::size_t kPlaces = 12;

    void clear() noexcept { begun_ = 0; }
    TryRecord& open(const Choice& choice, SteadyTime now) noexcept;
    // What became of the last one: by the verdict on it, then by what followed once its answer had
    // begun to go to the client.
    void judge(std::uint16_t status, FaultKind fault, const rotation::Verdict& verdict,
               SteadyTime now) noexcept;
    void end(const Result<void>& relayed, SteadyTime now) noexcept;
    // Of the tries that were begun; there must be one.
    TryRecord& last() noexcept { return places_[std::min(begun_, kPlaces) - 1]; }
    std::span<const TryRecord> records() const noexcept {
        return {places_.data(), std::min(begun_, kPlaces)};
    }
    // How many stood between the last two of the records, and have gone.
    std::size_t missed() const noexcept { return begun_ - std::min(begun_, kPlaces); }

private:
    std::size_t begun_ = 0;
    std::array<TryRecord, kPlaces> places_;
};

}  // namespace rotary::proxy
