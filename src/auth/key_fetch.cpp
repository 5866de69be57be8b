#include <rotary/auth/key_fetch.hpp>

namespace rotary::auth {

KeyHope KeyFetch::hope(std::uint64_t have, SteadyTime now) noexcept {
    if (pending(have)) return KeyHope::pending;
    if (now.time_since_epoch().count() < not_before_.load(std::memory_order_relaxed)) {
        return KeyHope::none;
    }
    const bool others_were_first = under_way_.exchange(true, std::memory_order_acq_rel);
    return others_were_first ? KeyHope::pending : KeyHope::ask;
}

bool KeyFetch::pending(std::uint64_t have) const noexcept {
    return under_way_.load(std::memory_order_acquire) ||
           newest_.load(std::memory_order_relaxed) != have;
}

void KeyFetch::has_keys(std::uint64_t generation) noexcept {
    newest_.store(generation, std::memory_order_relaxed);
}

void KeyFetch::ended(bool failed, SteadyTime not_before) noexcept {
    failed_.store(failed, std::memory_order_relaxed);
    not_before_.store(not_before.time_since_epoch().count(), std::memory_order_relaxed);
    under_way_.store(false, std::memory_order_release);
}

}  // namespace rotary::auth
