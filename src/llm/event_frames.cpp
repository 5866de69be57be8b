#include <rotary/llm/event_frames.hpp>

#include <algorithm>

namespace rotary::llm {

namespace {

constexpr std::uint32_t kMostFrame = 24u << 20;  // of Amazon's own libraries

std::uint32_t big_endian(const unsigned char* at) noexcept {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
           std::uint32_t{at[3]};
}

// As much of what is `left` as there is.
std::string_view take(std::string_view& bytes, std::uint64_t& left) noexcept {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size()));
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    left -= size;
    return taken;
}

}  // namespace

void EventFrames::read_prelude() noexcept {
    const std::uint32_t total = big_endian(prelude_.data());
    const std::uint32_t headers = big_endian(prelude_.data() + 4);
    is_broken_ = total > kMostFrame || total < kPrelude + kChecksum ||
                 headers > total - kPrelude - kChecksum;
    if (is_broken_) return;
    headers_ = headers;
    payload_ = total - kPrelude - kChecksum - headers;
    checksum_ = kChecksum;
    is_fresh_ = true;
}

std::string_view EventFrames::next(std::string_view& bytes) noexcept {
    begins_ = false;
    while (!bytes.empty() && !is_broken_) {
        if (prelude_size_ < kPrelude) {
            prelude_[prelude_size_++] = static_cast<unsigned char>(bytes.front());
            bytes.remove_prefix(1);
            if (prelude_size_ == kPrelude) read_prelude();
        } else if (headers_ > 0) {
            take(bytes, headers_);
        } else if (payload_ > 0) {
            begins_ = is_fresh_;
            is_fresh_ = false;
            return take(bytes, payload_);
        } else {
            take(bytes, checksum_);
            if (checksum_ == 0) prelude_size_ = 0;
        }
    }
    return {};
}

}  // namespace rotary::llm
