#include "net/tls_memory.hpp"

#include <openssl/crypto.h>

#include <malloc.h>
#include <array>
#include <cstdint>
#include <cstdlib>

// OpenSSL takes and gives back its record buffers around every read and write of a connection that
// holds none while idle (SSL_MODE_RELEASE_BUFFERS): six times a request. Blocks that it gives back
// are kept by size on their thread, so a warm request takes them from there. Sanitizers see plain
// malloc, or they would see nothing.
namespace rotary::net {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

constexpr std::size_t kStep = 16;             // glibc's own granularity: nothing is wasted
constexpr std::size_t kLargest = 32768;       // a record's buffer is 17 KB
constexpr std::size_t kKeptBytes = 1u << 20;  // a thread: a batch of events needs some 40 buffers

struct Free {
    Free* next;
};

// Trivially destructible: OpenSSL's own clean-up at a thread's end may still free after Closer ran.
struct Bins {
    std::array<Free*, kLargest / kStep + 1> bins;
    std::size_t kept;
    bool closed;
};
thread_local constinit Bins t_bins{};

struct Closer {
    ~Closer() {
        t_bins.closed = true;
        for (Free*& bin : t_bins.bins) {
            while (bin != nullptr) {
                Free* const block = bin;
                bin = block->next;
                std::free(block);
            }
        }
    }
};

Bins& bins() {
    thread_local const Closer kCloser;
    static_cast<void>(kCloser);
    return t_bins;
}

// Blocks of glibc hold 8 bytes more than a multiple of 16: bin i has blocks of 16 i + 8 bytes.
std::size_t bin_for(std::size_t bytes) { return bytes <= 24 ? 1 : (bytes - 8 + kStep - 1) / kStep; }

void* take(std::size_t bytes, const char*, int) {
    if (bytes == 0) return nullptr;
    const std::size_t bin = bin_for(bytes);
    if (bin <= kLargest / kStep) {
        Bins& own = bins();
        if (Free* const block = own.bins[bin]; block != nullptr) {
            own.bins[bin] = block->next;
            own.kept -= bin * kStep + 8;
            return block;
        }
    }
    return std::malloc(bytes);
}

void give_back(void* memory, const char*, int) {
    if (memory == nullptr) return;
    const std::size_t usable = malloc_usable_size(memory);
    const std::size_t bin = (usable - 8) / kStep;
    Bins& own = bins();
    const bool fits = bin <= kLargest / kStep && usable == bin * kStep + 8;
    if (own.closed || !fits || own.kept + usable > kKeptBytes) {
        std::free(memory);
        return;
    }
    Free* const block = static_cast<Free*>(memory);
    block->next = own.bins[bin];
    own.bins[bin] = block;
    own.kept += usable;
}

void* resize(void* memory, std::size_t bytes, const char*, int) {
    if (bytes == 0) {
        give_back(memory, nullptr, 0);
        return nullptr;
    }
    return std::realloc(memory, bytes);
}

// Before any constructor of C++: Asio's own sets OpenSSL up, and then it is too late.
[[gnu::constructor(101)]] void install() {
    if (kRecycle) CRYPTO_set_mem_functions(take, resize, give_back);
}

}  // namespace

void keep_tls_memory_linked() noexcept {}

}  // namespace rotary::net
