#include "support/wall_clock.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

constexpr std::int64_t kGoesOn = INT64_MIN;
constexpr std::int64_t kSecond = 1'000'000'000;

std::atomic<std::int64_t> stands_at{kGoesOn};  // in nanoseconds since 1970

}  // namespace

// In place of the C library's, which std::chrono asks too.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const std::int64_t at = stands_at.load(std::memory_order_relaxed);
    const bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (at == kGoesOn || !is_wall) {
        return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
    }
    time->tv_sec = static_cast<time_t>(at / kSecond);
    time->tv_nsec = static_cast<long>(at % kSecond);
    return 0;
}

namespace rotary::test {

void StandingWallClock::put(WallTime time) {
    const std::chrono::nanoseconds since = time.time_since_epoch();
    stands_at.store(since.count(), std::memory_order_relaxed);
}

StandingWallClock::~StandingWallClock() { stands_at.store(kGoesOn, std::memory_order_relaxed); }

}  // namespace rotary::test
