#pragma once

#include "proxy/exchange.hpp"

#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/problem.hpp>

#include <array>
#include <chrono>
#include <string_view>

namespace rotary::proxy {

// Whether a limit of ours applies to it.
bool is_limited(const Exchange& exchange) noexcept;

// How its tightest limits stand, in the words that quotas.headers says, and which one would have
// refused it had it not only counted. Nothing where none applies.
void write_limit_headers(const Exchange& exchange, wire::HeadWriter& head);

// Of a request that a limit refused: how long it is to wait, and what it is told.
std::chrono::milliseconds limit_wait(const Exchange& exchange, SteadyTime now) noexcept;
std::string_view write_limit_message(const Exchange& exchange, std::chrono::milliseconds wait,
                                     std::array<char, 256>& text) noexcept;
// To ask again soon is of no use: it asks for more than the limit has, or its money is spent.
bool is_in_vain(const quota::Reached& reached) noexcept;
// The fault's row, with APK's number for the limit that refused.
wire::Problem problem_of(const Exchange& exchange, FaultKind kind) noexcept;

}  // namespace rotary::proxy
