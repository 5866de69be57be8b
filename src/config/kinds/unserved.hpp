#pragma once

#include <string_view>

namespace rotary::config {

// What is known and not served yet, though its want lets in what the operator wanted to keep out or
// leaves out what a backend counts on: an error until it is accepted by its name.
struct UnservedRow {
    const char* name;   // of the kind or field
    const char* group;  // of the kind; nullptr: a field
    const char* consequence;
};

// nullptr when there is no such row. Fields have no group.
const UnservedRow* find_unserved(std::string_view name, std::string_view group);
const UnservedRow& unserved_field(std::string_view name);

}  // namespace rotary::config
