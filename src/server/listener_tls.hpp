#pragma once

#include <rotary/config/load.hpp>
#include <rotary/net/tls.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// The TLS of the listeners that are open, as `wanted` now says it, made of the files that were
// loaded: null where one has none, and where `wanted` has none for it. Throws std::runtime_error
// with the setting, the files and OpenSSL's reason.
std::vector<std::shared_ptr<const net::TlsContext>> listeners_tls(
    const std::vector<config::Listener>& open, const std::vector<config::Listener>& wanted,
    const config::NamedFiles& files, const std::string& ticket_keys);

}  // namespace rotary::server
