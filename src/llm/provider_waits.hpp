#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// Numbers and waits as providers write them into headers.
namespace rotary::llm {

// Without a sign; too many digits saturate.
struct DecimalNumber {
    std::uint64_t whole = 0;
    std::uint32_t millionths = 0;
};

enum class Grouping { none, thousands };

// The decimal at the start of `text`, which is moved behind it: "30,000" (with thousands), "1.5",
// ".5". nullopt when there is no digit or a group is not three digits; `text` is then as it was.
std::optional<DecimalNumber> take_decimal(std::string_view& text, Grouping grouping) noexcept;

// A plain number of milliseconds, rounded up, capped like parse_wait.
std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text) noexcept;

}  // namespace rotary::llm
