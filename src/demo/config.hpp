#pragma once

#include <array>
#include <cstdint>
#include <string>

// What the demo's gateway is configured with, as files would hold it: relative paths are those of
// make_dev_certificates() in the same folder.
namespace rotary::demo {

inline constexpr const char* kIssuer = "https://issuer.rotary.dev";

std::string process_yaml(std::uint16_t port);

// WSO2's shape: one API, a list of three models for each environment, two backends.
std::string resources_yaml(const std::array<std::uint16_t, 2>& ports,
                           const std::array<std::string, 2>& keys);

// The price list: what a token costs, whichever model answers.
std::string prices_yaml();
// A team's key, by its hash, and what the team may spend.
std::string team_yaml(const std::string& key_hash);

}  // namespace rotary::demo
