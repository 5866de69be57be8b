#pragma once

#include <cstddef>
#include <string>

#include "config/short/form.hpp"

namespace rotary::config {

// What the readers of providers and of APIs share.
inline constexpr std::size_t kLongestName = 200;
inline constexpr const char* kNameShape =
    "be made of lower case letters, digits, '-' and '.', and begin and end with a letter or digit";

// A field as it was written; nothing when it is not there.
Node written(const Fields& fields, std::string_view key);

// A path as written in the file, from the root on.
std::string absolute_path(const Fields& fields, const std::string& path);

void read_providers(Fields& top, ShortForm& form);

}  // namespace rotary::config
