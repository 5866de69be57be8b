#pragma once

#include <demo/call.hpp>

#include <cstdint>
#include <string>

// What the demo's client asks, and who it says it is.
namespace rotary::demo {

// A chat with the gateway; without a token if that is empty.
Call chat_call(const std::string& host, const std::string& token, bool streams);

// The same token with another signature: its first character is another one.
std::string forged(std::string token);

// How a person makes the same call: a command that a shell takes as it is.
std::string curl_line(std::uint16_t port, const std::string& ca_file, const std::string& token);

}  // namespace rotary::demo
