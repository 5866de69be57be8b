#include <rotary/base/task.hpp>

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define ROTARY_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROTARY_PLAIN_FRAMES 1
#endif
#endif

namespace rotary {

namespace {

void* allocate_plain(std::size_t bytes) {
    void* frame = std::malloc(bytes);
    if (frame == nullptr) throw std::bad_alloc();
    return frame;
}

}  // namespace

#ifdef ROTARY_PLAIN_FRAMES

// A recycled frame would hide its use after it ended.
void* allocate_frame(std::size_t bytes) { return allocate_plain(bytes); }

void release_frame(void* frame, std::size_t) noexcept { std::free(frame); }

#else

namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kLargest = 4096;
constexpr std::size_t kClasses = kLargest / kClassBytes;
constexpr std::size_t kKeptBytesAClass = 1u << 20;

struct FreeFrame {
    FreeFrame* next;
};

struct FreeList {
    FreeFrame* head = nullptr;
    std::size_t room = 0;  // for so many more; none before the thread's cleaner and after it
};

// Trivially destructible, so that using it needs no guard and frames may still end while the
// thread's other objects are being destroyed.
constinit thread_local std::array<FreeList, kClasses> lists{};

// Opens the lists, and gives back at thread exit what they kept.
struct FrameCleaner {
    FrameCleaner() noexcept {
        for (std::size_t index = 0; index < kClasses; ++index) {
            lists[index].room = kKeptBytesAClass / ((index + 1) * kClassBytes);
        }
    }
    ~FrameCleaner() {
        for (FreeList& list : lists) {
            while (list.head != nullptr) std::free(std::exchange(list.head, list.head->next));
            list.room = 0;
        }
    }
    void touch() const noexcept {}
};

thread_local FrameCleaner cleaner;

constexpr std::size_t class_of(std::size_t bytes) {
    return (bytes + kClassBytes - 1) / kClassBytes - 1;
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
    if (bytes == 0 || bytes > kLargest) return allocate_plain(bytes);
    const std::size_t index = class_of(bytes);
    FreeList& list = lists[index];
    if (list.head == nullptr) {
        cleaner.touch();
        return allocate_plain((index + 1) * kClassBytes);
    }
    ++list.room;
    return std::exchange(list.head, list.head->next);
}

void release_frame(void* frame, std::size_t bytes) noexcept {
    if (bytes == 0 || bytes > kLargest) return std::free(frame);
    FreeList& list = lists[class_of(bytes)];
    if (list.room == 0) return std::free(frame);
    --list.room;
    list.head = ::new (frame) FreeFrame{list.head};
}

#endif

}  // namespace rotary
