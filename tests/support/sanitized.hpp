#pragma once

namespace rotary::test {

// Whether this build runs under ASan or TSan, several times slower and with other memory: times and
// sizes say nothing there, orders and counts do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// TSan has a thread of its own in each process.
#if defined(__SANITIZE_THREAD__)
inline constexpr int kSanitizerThreads = 1;
#else
inline constexpr int kSanitizerThreads = 0;
#endif

}  // namespace rotary::test
