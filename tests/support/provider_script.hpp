#pragma once

#include <support/faulty_provider.hpp>

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

namespace rotary::test {

// What the threads of a FaultyProvider's connections share with those who ask it. All but
// `bytes_sent` is guarded by `mutex`.
struct ProviderBoard {
    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    ProviderPlan plan;
    FaultyProvider::Planner planner;
    std::vector<ProviderRequest> requests;
    std::size_t faults = 0;
    std::set<std::uint64_t> open;
    std::map<std::uint64_t, FaultyProvider::Clock::time_point> closed;  // by the peer
    std::atomic<std::uint64_t> bytes_sent{0};
};

struct AcceptedConnection {
    std::uint64_t id = 0;
    int fd = -1;  // the script's from now on
    int stop_fd = -1;
    SSL_CTX* tls = nullptr;
};

// One connection, from accept to its end, as the board's plans say.
void run_provider_script(ProviderBoard& board, const AcceptedConnection& accepted);

}  // namespace rotary::test
