#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace rotary::net {

// Views of what follows the first `done` bytes of the pieces, as many as there is room for; says
// how many.
constexpr std::size_t rest_of(std::span<const std::string_view> pieces, std::size_t done,
                              std::span<std::string_view> rest) noexcept {
    std::size_t count = 0;
    for (const std::string_view piece : pieces) {
        if (count == rest.size()) break;
        if (done >= piece.size()) {
            done -= piece.size();
            continue;
        }
        rest[count++] = piece.substr(done);
        done = 0;
    }
    return count;
}

}  // namespace rotary::net
