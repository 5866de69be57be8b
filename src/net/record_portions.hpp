#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace rotary::net {

inline constexpr std::size_t kMostRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;  // RFC 8446 section 5.1

// Walks over pieces in portions of one TLS record each; the pieces outlive it.
class RecordPortions {
public:
    explicit RecordPortions(std::span<const std::string_view> pieces) noexcept : pieces_(pieces) {
        skip_empty();
    }
    bool empty() const noexcept { return pieces_.empty(); }

    // The next record's bytes: where they lie, if one piece fills it or is all there is left, or
    // put together in `space`.
    std::string_view next(std::array<char, kMostRecordBytes>& space) noexcept {
        const std::string_view front = pieces_.front().substr(offset_);
        if (front.size() >= kMostRecordBytes || is_last()) return take(kMostRecordBytes);
        std::size_t filled = 0;
        while (!empty() && filled < space.size()) {
            const std::string_view part = take(space.size() - filled);
            std::memcpy(space.data() + filled, part.data(), part.size());
            filled += part.size();
        }
        return {space.data(), filled};
    }

private:
    bool is_last() const noexcept {
        return std::all_of(pieces_.begin() + 1, pieces_.end(),
                           [](std::string_view piece) { return piece.empty(); });
    }
    std::string_view take(std::size_t most) noexcept {
        const std::string_view part = pieces_.front().substr(offset_, most);
        offset_ += part.size();
        skip_empty();
        return part;
    }
    void skip_empty() noexcept {
        while (!pieces_.empty() && offset_ == pieces_.front().size()) {
            pieces_ = pieces_.subspan(1);
            offset_ = 0;
        }
    }

    std::span<const std::string_view> pieces_;
    std::size_t offset_ = 0;
};

}  // namespace rotary::net
