#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace rotary::auth {

// The tokens of one TokenCache, in blocks of one size in one piece of memory: however many tokens
// come and go, and of whatever lengths, nothing is left between them. Memory is touched only as it
// is first used.
class TokenStore {
public:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    static constexpr std::size_t kBlock = 256;

    explicit TokenStore(std::size_t most_bytes) noexcept : most_blocks_(most_bytes / kBlock) {}

    // How much more memory would be touched by keeping a token of this size; what was given back is
    // used first.
    std::size_t growth(std::size_t size) const noexcept;
    // A handle; kNone for the empty token, and when there is no room.
    std::uint32_t keep(std::string_view token);
    void drop(std::uint32_t handle) noexcept;
    bool holds(std::uint32_t handle, std::size_t size, std::string_view token) const noexcept;
    void clear() noexcept;  // gives all memory back; every handle is void

    std::size_t bytes() const noexcept { return touched_ * kBlock; }

private:
    struct Block {
        static constexpr std::size_t kText = kBlock - sizeof(std::uint32_t);
        std::uint32_t next;  // of this token, or of the free ones
        char text[kText];
    };
    static std::size_t blocks_for(std::size_t size) noexcept {
        return (size + Block::kText - 1) / Block::kText;
    }
    std::uint32_t take() noexcept;

    std::size_t most_blocks_;
    std::unique_ptr<Block[]> blocks_;
    std::uint32_t free_ = kNone;
    std::size_t free_count_ = 0;
    std::size_t touched_ = 0;
};

}  // namespace rotary::auth
