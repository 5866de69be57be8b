#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>
#include <vector>

namespace rotary {

class BufferPool;

// How much memory all buffers that count may take together. Shared by all workers: one atomic,
// exact. A bound that is lowered takes nothing back.
class MemoryBudget {
public:
    explicit MemoryBudget(std::size_t most) noexcept : most_(most) {}

    bool take(std::size_t bytes) noexcept;  // false, and nothing taken, when there is not so much
    void give(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    void set_most(std::size_t most) noexcept { most_.store(most, std::memory_order_relaxed); }
    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> most_;
    std::atomic<std::size_t> used_{0};
};

// A block of memory borrowed from a worker's pool, with the part of it that is filled: bytes
// [begin, end) wait to be consumed, [end, capacity) is free. Gives itself back when destroyed.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer() { reset(); }

    explicit operator bool() const noexcept { return data_ != nullptr; }
    void reset() noexcept;  // back to the pool

    std::string_view view() const noexcept { return {data_ + begin_, end_ - begin_}; }
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    std::size_t capacity() const noexcept { return capacity_; }
    char* data() noexcept { return data_; }  // start of the block
    char* begin() noexcept { return data_ + begin_; }
    char* space() noexcept { return data_ + end_; }
    std::size_t space_size() const noexcept { return capacity_ - end_; }
    void produced(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept {  // an emptied buffer starts at its front again
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void compact() noexcept;  // moves what is left to the front

private:
    friend class BufferPool;
    Buffer(BufferPool* pool, char* data, std::size_t capacity) noexcept
        : pool_(pool), data_(data), capacity_(capacity) {}

    BufferPool* pool_ = nullptr;
    char* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t counted_ = 0;  // of the pool's budget, given back with the block
};

// One worker's free blocks, single-threaded. Two kinds: read buffers of one size, which idle
// connections do not hold, and bodies in powers of two. Each block has 64 readable bytes behind its
// capacity for SIMD scans. What is kept for reuse is bounded; beyond that blocks go back to malloc.
class BufferPool {
public:
    struct Limits {
        std::size_t read_bytes = 32768;  // size of a read buffer
        std::size_t kept_read_buffers = 1024;
        std::size_t kept_body_bytes = 64u << 20;
        bool operator==(const Limits&) const = default;
    };
    // `budget`: of what grow() hands out; null: without bounds.
    explicit BufferPool(const Limits& limits, MemoryBudget* budget = nullptr);
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    // What is kept is given up, and what is out now is kept no more unless it still fits.
    void set_limits(const Limits& limits);
    const Limits& limits() const noexcept { return limits_; }

    Buffer read_buffer();
    Buffer body(std::size_t bytes);  // capacity >= bytes
    // Makes a buffer, an empty one too, at least so large and keeps what is in it. All its memory
    // is counted. False: the budget does not reach, and the buffer is as it was.
    bool grow(Buffer& buffer, std::size_t bytes);
    std::size_t kept_bytes() const noexcept;

private:
    friend class Buffer;
    void give_back(char* data, std::size_t capacity) noexcept;
    void reserve();
    void free_kept() noexcept;

    Limits limits_;
    MemoryBudget* budget_;
    std::vector<char*> read_free_;
    std::vector<std::vector<char*>> body_free_;  // by log2 of the capacity
    std::size_t kept_body_bytes_ = 0;
};

}  // namespace rotary
