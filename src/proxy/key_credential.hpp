#pragma once

#include "proxy/exchange.hpp"

#include <rotary/auth/key_table.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/wire/message.hpp>

#include <optional>
#include <string_view>

// API keys as requests bring them.
namespace rotary::proxy {

// The credential of an Authorization header, or nothing when it is of another scheme than Bearer.
std::optional<std::string_view> bearer_of(std::string_view value) noexcept;

// Whether the value of a header or, encoded, of a parameter is or means to be an API key.
bool holds_key(std::string_view value) noexcept;
bool holds_encoded_key(std::string_view value) noexcept;

// Whether the request shows several credentials of which one is an API key. Who of them is asking
// would be a guess.
bool shows_several(const Exchange& exchange, const wire::HeaderTable& headers) noexcept;

// Looks the key up and notes its id for the log.
auth::KeyTable::Found find_key(Exchange& exchange, std::string_view key) noexcept;

// What the client hears of a key that is not good.
Fault fault_of(auth::KeyDefect defect) noexcept;

}  // namespace rotary::proxy
