#pragma once

#include <rotary/base/fault.hpp>

#include <cstdint>
#include <string_view>

namespace rotary::wire {

// How a fault looks to a client: one row a kind, in one table.
struct Problem {
    std::uint16_t status;
    std::string_view type;     // OpenAI's error.type
    std::string_view code;     // error.code
    std::string_view message;  // error.message when the fault has no detail
    std::uint32_t apk_code;    // WSO2's number, 0 for none
};

const Problem& problem_of(FaultKind kind) noexcept;

// Writes {"error": {...}} into `out` and returns its length; 0 when it does not fit. `message` may
// be empty (the table's is used); it is escaped.
std::size_t write_problem(const Problem& problem, std::string_view message, char* out,
                          std::size_t capacity) noexcept;

}  // namespace rotary::wire
