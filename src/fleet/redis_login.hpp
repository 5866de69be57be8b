#pragma once

#include <rotary/config/settings/state.hpp>
#include <rotary/fleet/reply.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// The first things that are said on a connection, all at once. It is up when each was answered; the
// answer to the last is what it is up for.
struct LoginStep {
    std::vector<std::string> command;
    bool may_be_refused = false;
};

// The name under which CLIENT LIST shows a replica.
std::string client_name(std::string_view replica);
// Where that is published which all replicas of a namespace hear.
std::string channel_of(std::string_view name_space);

std::vector<LoginStep> steps_to_ask(const config::Redis& redis, std::string_view replica);
std::vector<LoginStep> steps_to_hear(const config::Redis& redis, std::string_view replica);
// None of a sentinel's words is a secret: it is asked without a password.
std::vector<LoginStep> steps_to_sentinel(const config::Redis& redis);

// Where a sentinel says that the master is; nothing: it knows none of that name.
std::optional<config::HostPort> master_of(const Reply& reply);

// What an error says of the server, beyond the question that it answers.
enum class Refusal : std::uint8_t {
    none,       // of the question alone: a mistake in it
    away,       // can't answer now: loading, without memory, without its master
    moved,      // the keys are with another of the cluster
    read_only,  // a replica now: its master is elsewhere
    password,   // wrong or missing
    rights,     // the user may not
};
Refusal refusal_of(const Reply& reply);
// What an operator can do about it; empty: nothing that can be said.
std::string_view remedy_of(Refusal refusal);
// Where "MOVED SLOT HOST:PORT" leads; without a host: another port of the one that said it.
std::optional<config::HostPort> moved_to(std::string_view error, std::string_view said_by);

}  // namespace rotary::fleet
