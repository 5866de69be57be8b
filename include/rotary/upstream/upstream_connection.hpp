#pragma once

#include <rotary/net/stream.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace rotary::upstream {

class UpstreamPool;

// A place among a Backend's connections and, once it is dialled, the connection that stands there.
// Wherever it is destroyed the socket is closed first and the place given on then: to the next of
// this worker's waiters, or back for any request. Made by an UpstreamPool, which outlives it; one
// worker's.
class UpstreamConnection {
public:
    UpstreamConnection() = default;
    UpstreamConnection(UpstreamConnection&& other) noexcept { take_over(other); }
    UpstreamConnection& operator=(UpstreamConnection&& other) noexcept {
        if (this == &other) return *this;
        reset();
        take_over(other);
        return *this;
    }
    ~UpstreamConnection() { reset(); }

    // Whether there is a stream; like the pointer that it stands for.
    explicit operator bool() const noexcept { return stream_ != nullptr; }
    net::Stream* operator->() const noexcept { return stream_.get(); }
    net::Stream& operator*() const noexcept { return *stream_; }

    bool has_place() const noexcept { return pool_ != nullptr; }
    void open(std::unique_ptr<net::Stream> stream) noexcept { stream_ = std::move(stream); }
    void close() noexcept { stream_.reset(); }  // the place is kept, for another stream
    void reset() noexcept {
        if (pool_ != nullptr) give_up();
    }

    // Counts among the Backend's requests until it goes back to the pool. False: over its limit.
    bool begin_use() noexcept;

private:
    friend class UpstreamPool;
    UpstreamConnection(UpstreamPool& pool, std::size_t bucket) noexcept
        : pool_(&pool), bucket_(bucket) {}
    void take_over(UpstreamConnection& other) noexcept {
        pool_ = std::exchange(other.pool_, nullptr);
        bucket_ = other.bucket_;
        counted_ = std::exchange(other.counted_, false);
        stream_ = std::move(other.stream_);
    }
    void end_use() noexcept;
    void give_up() noexcept;

    UpstreamPool* pool_ = nullptr;  // null: nothing at all
    std::size_t bucket_ = 0;
    bool counted_ = false;  // among the requests
    std::unique_ptr<net::Stream> stream_;
};

}  // namespace rotary::upstream
