#include <rotary/base/buffers.hpp>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace rotary {

namespace {

constexpr std::size_t kTail = 64;  // readable bytes behind each block, for SIMD scans
constexpr std::size_t kSmallestBody = 4096;
constexpr std::size_t kKeptBodiesAClass = 4096;

char* allocate_block(std::size_t capacity) {
    char* data = static_cast<char*>(std::malloc(capacity + kTail));
    if (data == nullptr) throw std::bad_alloc();
    std::memset(data + capacity, 0, kTail);
    return data;
}

char* take(std::vector<char*>& free_list, std::size_t capacity) {
    char* data = free_list.back();
    free_list.pop_back();
    ASAN_UNPOISON_MEMORY_REGION(data, capacity);
    return data;
}

// The lists never grow beyond what they reserved: giving back must not allocate.
void keep(std::vector<char*>& free_list, char* data, std::size_t capacity) noexcept {
    ASAN_POISON_MEMORY_REGION(data, capacity);
    free_list.push_back(data);
}

void free_all(std::vector<char*>& free_list, std::size_t capacity) noexcept {
    for (char* data : free_list) {
        ASAN_UNPOISON_MEMORY_REGION(data, capacity);
        std::free(data);
    }
}

}  // namespace

bool MemoryBudget::take(std::size_t bytes) noexcept {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
        const std::size_t most = most_.load(std::memory_order_relaxed);
        if (used > most || bytes > most - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
}

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)),
      counted_(std::exchange(other.counted_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    reset();
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    counted_ = std::exchange(other.counted_, 0);
    return *this;
}

void Buffer::reset() noexcept {
    if (data_ != nullptr) pool_->give_back(data_, capacity_);
    if (counted_ > 0) pool_->budget_->give(counted_);
    pool_ = nullptr;
    data_ = nullptr;
    capacity_ = begin_ = end_ = counted_ = 0;
}

void Buffer::compact() noexcept {
    if (begin_ == 0) return;
    std::memmove(data_, data_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
}

BufferPool::BufferPool(const Limits& limits, MemoryBudget* budget)
    : limits_(limits),
      budget_(budget),
      body_free_(static_cast<std::size_t>(std::bit_width(~std::size_t{0}))) {
    reserve();
}

BufferPool::~BufferPool() { free_kept(); }

void BufferPool::reserve() {
    read_free_.reserve(limits_.kept_read_buffers);
    const auto smallest = static_cast<std::size_t>(std::countr_zero(kSmallestBody));
    for (std::size_t log = smallest; log < body_free_.size(); ++log) {
        const std::size_t fitting = limits_.kept_body_bytes >> log;
        if (fitting == 0) break;
        body_free_[log].reserve(std::min(fitting, kKeptBodiesAClass));
    }
}

void BufferPool::free_kept() noexcept {
    free_all(read_free_, limits_.read_bytes);
    read_free_.clear();
    for (std::size_t log = 0; log < body_free_.size(); ++log) {
        free_all(body_free_[log], std::size_t{1} << log);
        body_free_[log].clear();
    }
    kept_body_bytes_ = 0;
}

void BufferPool::set_limits(const Limits& limits) {
    free_kept();
    limits_ = limits;
    reserve();
}

Buffer BufferPool::read_buffer() {
    const std::size_t capacity = limits_.read_bytes;
    char* data = read_free_.empty() ? allocate_block(capacity) : take(read_free_, capacity);
    return Buffer(this, data, capacity);
}

Buffer BufferPool::body(std::size_t bytes) {
    const std::size_t capacity = std::bit_ceil(std::max(bytes, kSmallestBody));
    if (capacity == limits_.read_bytes) return read_buffer();
    std::vector<char*>& free_list =
        body_free_[static_cast<std::size_t>(std::countr_zero(capacity))];
    if (free_list.empty()) return Buffer(this, allocate_block(capacity), capacity);
    kept_body_bytes_ -= capacity;
    return Buffer(this, take(free_list, capacity), capacity);
}

bool BufferPool::grow(Buffer& buffer, std::size_t bytes) {
    const std::size_t capacity = std::bit_ceil(std::max(bytes, kSmallestBody));
    if (capacity <= buffer.capacity()) return true;
    // Both are there while the bytes move; only the larger one stays.
    if (budget_ != nullptr && !budget_->take(capacity - buffer.counted_)) return false;
    const std::size_t counted = budget_ == nullptr ? 0 : capacity;
    buffer.counted_ = 0;
    Buffer larger = body(capacity);
    larger.counted_ = counted;
    if (!buffer.empty()) std::memcpy(larger.space(), buffer.begin(), buffer.size());
    larger.produced(buffer.size());
    buffer = std::move(larger);
    return true;
}

std::size_t BufferPool::kept_bytes() const noexcept {
    return read_free_.size() * limits_.read_bytes + kept_body_bytes_;
}

void BufferPool::give_back(char* data, std::size_t capacity) noexcept {
    if (capacity == limits_.read_bytes) {
        if (read_free_.size() < limits_.kept_read_buffers) return keep(read_free_, data, capacity);
        return std::free(data);
    }
    if (!std::has_single_bit(capacity)) return std::free(data);  // a read buffer's size of before
    std::vector<char*>& free_list =
        body_free_[static_cast<std::size_t>(std::countr_zero(capacity))];
    const bool fits = kept_body_bytes_ + capacity <= limits_.kept_body_bytes;
    if (!fits || free_list.size() == free_list.capacity()) return std::free(data);
    kept_body_bytes_ += capacity;
    keep(free_list, data, capacity);
}

}  // namespace rotary
