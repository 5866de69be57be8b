#pragma once

#include <cstddef>
#include <string_view>

namespace rotary::config {

inline constexpr std::size_t kLeastAdminToken = 16;
inline constexpr std::size_t kMostAdminToken = 512;

// What of the text of admin.token_file is the token: all but the line's end.
std::string_view admin_token(std::string_view text) noexcept;

}  // namespace rotary::config
