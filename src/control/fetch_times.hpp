#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/control/jwks.hpp>

#include <chrono>

namespace rotary::control {

// When the keys of one issuer are fetched again, and how long the last good ones are trusted. Times
// are passed in; options are what they are at the moment.
class FetchTimes {
public:
    // After a fetch: how long to wait for the next one.
    std::chrono::milliseconds succeeded(SteadyTime now, const JwksOptions& options) noexcept;
    std::chrono::milliseconds failed(const JwksOptions& options) noexcept;
    // A refresh takes place before the time that it is named for: a fetch needs some itself.
    static std::chrono::milliseconds refresh(const JwksOptions& options) noexcept;

    bool failing() const noexcept { return failures_ > 0; }
    // The keys have outlived their last success by too much.
    bool stale(SteadyTime now, const JwksOptions& options) const noexcept;

    // A token named a key that is not known. True, and the cooldown begins: a fetch is due.
    bool unknown_key(SteadyTime now, const JwksOptions& options) noexcept;
    // From when on unknown_key() would say so again.
    SteadyTime not_before(const JwksOptions& options) const noexcept;

private:
    SteadyTime last_success_;
    SteadyTime last_unknown_key_;
    bool asked_for_unknown_key_ = false;
    unsigned failures_ = 0;  // in a row
};

}  // namespace rotary::control
