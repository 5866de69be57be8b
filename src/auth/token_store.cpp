#include "auth/token_store.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rotary::auth {

std::size_t TokenStore::growth(std::size_t size) const noexcept {
    const std::size_t wanted = blocks_for(size);
    return (wanted - std::min(wanted, free_count_)) * kBlock;
}

std::uint32_t TokenStore::take() noexcept {
    if (free_ == kNone) return static_cast<std::uint32_t>(touched_++);
    --free_count_;
    return std::exchange(free_, blocks_[free_].next);
}

std::uint32_t TokenStore::keep(std::string_view token) {
    if (token.empty() || touched_ + growth(token.size()) / kBlock > most_blocks_) return kNone;
    // Not zeroed: what no token has used yet is no memory yet.
    if (!blocks_) blocks_ = std::make_unique_for_overwrite<Block[]>(most_blocks_);
    std::uint32_t first = kNone;
    std::uint32_t* link = &first;
    while (!token.empty()) {
        const std::uint32_t index = *link = take();
        Block& block = blocks_[index];
        const std::size_t part = std::min(token.size(), Block::kText);
        std::memcpy(block.text, token.data(), part);
        token.remove_prefix(part);
        block.next = kNone;
        link = &block.next;
    }
    return first;
}

void TokenStore::drop(std::uint32_t handle) noexcept {
    while (handle != kNone) {
        const std::uint32_t next = std::exchange(blocks_[handle].next, free_);
        free_ = std::exchange(handle, next);
        ++free_count_;
    }
}

bool TokenStore::holds(std::uint32_t handle, std::size_t size,
                       std::string_view token) const noexcept {
    if (size != token.size()) return false;
    while (!token.empty()) {
        const Block& block = blocks_[handle];
        const std::size_t part = std::min(token.size(), Block::kText);
        if (std::memcmp(block.text, token.data(), part) != 0) return false;
        token.remove_prefix(part);
        handle = block.next;
    }
    return true;
}

void TokenStore::clear() noexcept {
    blocks_.reset();
    free_ = kNone;
    free_count_ = touched_ = 0;
}

}  // namespace rotary::auth
