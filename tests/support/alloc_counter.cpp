#include <support/alloc_counter.hpp>

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

// glibc's own, under the names that stay when malloc is replaced.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* p);
}

namespace {

// One writer, its thread; read by anybody.
struct Slot {
    std::atomic<pid_t> thread{0};
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::int64_t> bytes{0};  // allocated and not freed by it
};

constexpr std::size_t kSlots = 1024;
// Constant-initialised: used before the first constructor runs.
constinit std::array<Slot, kSlots> slots{};
constinit std::atomic<std::size_t> used{0};

// In the static block, so that asking for it never allocates.
constinit thread_local Slot* mine __attribute__((tls_model("initial-exec"))) = nullptr;
constinit thread_local bool aborts __attribute__((tls_model("initial-exec"))) = false;

Slot& own_slot() {
    if (mine == nullptr) {
        const std::size_t index = used.fetch_add(1, std::memory_order_relaxed);
        mine = &slots[index < kSlots ? index : kSlots - 1];
        mine->thread.store(::gettid(), std::memory_order_relaxed);
    }
    return *mine;
}

void count_one() {
    own_slot().count.fetch_add(1, std::memory_order_relaxed);
    if (aborts) {
        aborts = false;
        std::abort();
    }
}

std::int64_t bytes_of(void* p) { return static_cast<std::int64_t>(::malloc_usable_size(p)); }

void* given(void* p) {
    if (p != nullptr) own_slot().bytes.fetch_add(bytes_of(p), std::memory_order_relaxed);
    return p;
}

void taken_back(void* p) {
    if (p != nullptr) own_slot().bytes.fetch_sub(bytes_of(p), std::memory_order_relaxed);
}

bool is_power_of_two(std::size_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    count_one();
    return given(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) {
    count_one();
    return given(__libc_calloc(count, size));
}

void* realloc(void* old, std::size_t size) {
    count_one();
    taken_back(old);
    return given(__libc_realloc(old, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count_one();
    return given(__libc_memalign(alignment, size));
}

void* memalign(std::size_t alignment, std::size_t size) {
    count_one();
    return given(__libc_memalign(alignment, size));
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    if (!is_power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
    count_one();
    void* const memory = given(__libc_memalign(alignment, size));
    if (memory == nullptr) return ENOMEM;
    *out = memory;
    return 0;
}

void free(void* p) {
    taken_back(p);
    __libc_free(p);
}

}  // extern "C"

namespace rotary::test {

std::vector<ThreadAllocations> allocations_by_thread() {
    std::vector<ThreadAllocations> all;
    const std::size_t count = std::min(used.load(std::memory_order_relaxed), kSlots);
    for (std::size_t i = 0; i < count; ++i) {
        ThreadAllocations one;
        one.thread = slots[i].thread.load(std::memory_order_relaxed);
        one.count = slots[i].count.load(std::memory_order_relaxed);
        const std::string path = "/proc/self/task/" + std::to_string(one.thread) + "/comm";
        if (std::FILE* file = std::fopen(path.c_str(), "r")) {
            std::array<char, 32> name{};
            if (std::fgets(name.data(), static_cast<int>(name.size()), file) != nullptr) {
                one.name = name.data();
                if (!one.name.empty() && one.name.back() == '\n') one.name.pop_back();
            }
            std::fclose(file);
        }
        all.push_back(std::move(one));
    }
    return all;
}

std::uint64_t allocations_of(pid_t thread) {
    std::uint64_t sum = 0;
    for (const Slot& slot : slots) {
        if (slot.thread.load(std::memory_order_relaxed) == thread) {
            sum += slot.count.load(std::memory_order_relaxed);
        }
    }
    return sum;
}

std::int64_t bytes_held_by(pid_t thread) {
    std::int64_t sum = 0;
    for (const Slot& slot : slots) {
        if (slot.thread.load(std::memory_order_relaxed) == thread) {
            sum += slot.bytes.load(std::memory_order_relaxed);
        }
    }
    return sum;
}

AllocationScope::AllocationScope() : AllocationScope(::gettid()) {}

AllocationScope::AllocationScope(pid_t thread) : thread_(thread), before_(allocations_of(thread)) {}

std::uint64_t AllocationScope::count() const { return allocations_of(thread_) - before_; }

void abort_on_allocation(bool on) { aborts = on; }

}  // namespace rotary::test
