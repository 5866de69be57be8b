#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/secret.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// A place that is dialed: a name or an address (IPv6 without brackets), and its port.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const HostPort&) const = default;
};

// The Redis in which replicas keep what they share.
struct Redis {
    std::string url;  // as it is written: redis:// or rediss://
    HostPort place;   // with sentinels: whose certificate a master shows
    bool tls = false;
    std::string user;  // empty: the default one
    unsigned database = 0;
    std::string password_file;  // ready to be opened, as the next one
    std::string ca;             // who may vouch for it; empty: the system's
    Secret password;            // what the first file holds; empty: none is asked for
    std::string ca_pem;         // and the second
    std::string name_space = "default";
    std::chrono::milliseconds deadline{20};  // of one question
    std::vector<HostPort> sentinels;         // asked one after another who the master is
    std::string master_name;                 // as they call it
    Mark url_mark;
    Mark password_file_mark;
    Mark ca_mark;
};

// Whether both lead to the same keys in the same way: a client of one serves for the other.
bool connects_alike(const Redis& one, const Redis& other);

// What replicas share, and where; without it each is alone.
struct State {
    std::optional<Redis> redis;
};

bool connects_alike(const State& one, const State& other);

}  // namespace rotary::config
