#pragma once

#include <demo/check.hpp>

#include <cstddef>
#include <string>
#include <string_view>

// The demo's tables: a row for each thing that was seen.
namespace rotary::demo {

inline constexpr std::size_t kModelWidth = 13;
inline constexpr std::size_t kBackendWidth = 12;

// `text`, filled with blanks up to `width`.
std::string column(std::string_view text, std::size_t width);

std::string call_titles();
std::string call_row(std::size_t number, const Served& call);

// A call and what it cost, in nanodollars.
std::string cost_row(std::size_t number, const Served& call, std::int64_t nanos);
std::string model_row(const ModelState& model);

}  // namespace rotary::demo
