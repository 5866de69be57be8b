#include "fleet/redis_login.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>
#include <utility>

namespace rotary::fleet {

namespace {

constexpr std::uint64_t kMostPort = 65'535;

std::optional<config::HostPort> place_of(std::string_view host, std::string_view port) {
    const auto number = text::parse_unsigned(port);
    if (host.empty() || !number || *number == 0 || *number > kMostPort) return std::nullopt;
    return config::HostPort{std::string(host), static_cast<std::uint16_t>(*number)};
}

std::vector<LoginStep> first_steps(const config::Redis& redis, std::string_view replica) {
    std::vector<LoginStep> steps;
    if (!redis.password.empty()) {
        std::vector<std::string> words{"AUTH"};
        if (!redis.user.empty()) words.push_back(redis.user);
        words.emplace_back(redis.password.reveal());
        steps.push_back({std::move(words), false});
    }
    steps.push_back({{"CLIENT", "SETNAME", client_name(replica)}, true});
    return steps;
}

}  // namespace

// A client's name has no spaces.
std::string client_name(std::string_view replica) {
    std::string name = "rotary-" + std::string(replica);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c <= ' ' || c >= '\x7f'; }, '_');
    return name;
}

std::string channel_of(std::string_view name_space) {
    return "{rotary:" + std::string(name_space) + "}:ev";
}

std::vector<LoginStep> steps_to_ask(const config::Redis& redis, std::string_view replica) {
    std::vector<LoginStep> steps = first_steps(redis, replica);
    if (redis.database != 0) {
        steps.push_back({{"SELECT", std::to_string(redis.database)}, false});
    }
    steps.push_back({{"PING"}, false});
    return steps;
}

std::vector<LoginStep> steps_to_hear(const config::Redis& redis, std::string_view replica) {
    std::vector<LoginStep> steps = first_steps(redis, replica);
    steps.push_back({{"SUBSCRIBE", channel_of(redis.name_space)}, false});
    return steps;
}

std::vector<LoginStep> steps_to_sentinel(const config::Redis& redis) {
    return {{{"SENTINEL", "get-master-addr-by-name", redis.master_name}, false}};
}

std::optional<config::HostPort> master_of(const Reply& reply) {
    if (reply.kind != Reply::Kind::array || reply.elements.size() != 2) return std::nullopt;
    return place_of(reply.elements[0].text, reply.elements[1].text);
}

Refusal refusal_of(const Reply& reply) {
    constexpr std::pair<std::string_view, Refusal> kCodes[] = {
        {"LOADING", Refusal::away},       {"MASTERDOWN", Refusal::away},
        {"OOM", Refusal::away},           {"BUSY", Refusal::away},
        {"NOREPLICAS", Refusal::away},    {"MISCONF", Refusal::away},
        {"CLUSTERDOWN", Refusal::away},   {"TRYAGAIN", Refusal::away},
        {"ASK", Refusal::away},           {"MOVED", Refusal::moved},
        {"READONLY", Refusal::read_only}, {"WRONGPASS", Refusal::password},
        {"NOAUTH", Refusal::password},    {"NOPERM", Refusal::rights},
    };
    for (const auto& [code, refusal] : kCodes) {
        if (reply.is_error(code)) return refusal;
    }
    return Refusal::none;
}

std::string_view remedy_of(Refusal refusal) {
    switch (refusal) {
        case Refusal::password:
            return "state.redis.password_file must hold the password of the user in "
                   "state.redis.url";
        case Refusal::rights:
            return "give the user the rights that docs/several-replicas.md lists";
        default:
            return "";
    }
}

std::optional<config::HostPort> moved_to(std::string_view error, std::string_view said_by) {
    std::string_view place = error.substr(std::min(error.rfind(' ') + 1, error.size()));
    const std::size_t colon = place.rfind(':');  // of an IPv6 address without brackets too
    if (!error.starts_with("MOVED ") || colon == place.npos) return std::nullopt;
    const std::string_view host = place.substr(0, colon);
    return place_of(host.empty() || host == "?" ? said_by : host, place.substr(colon + 1));
}

}  // namespace rotary::fleet
