#include <rotary/config/kinds/usage_place.hpp>

#include <array>
#include <string_view>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostMembers = 6;  // the reader of answers goes no deeper

struct Names {
    std::string_view camel;  // as APK writes it
    std::string_view snake;  // as OpenAI does
};
constexpr std::array<Names, 3> kNames{{{"promptTokens", "prompt_tokens"},
                                       {"completionTokens", "completion_tokens"},
                                       {"totalTokens", "total_tokens"}}};

// Empty: no path of members.
std::vector<std::string> members_of(std::string_view path) {
    if (path.starts_with('$')) {
        path.remove_prefix(path.starts_with("$.") ? 2 : 1);
    }
    std::vector<std::string> members;
    for (bool more = true; more;) {
        const std::size_t end = path.find('.');
        const std::string_view member = path.substr(0, end);
        if (member.empty() || member.find_first_of("[]*$\"'") != member.npos) {
            return {};
        }
        members.emplace_back(member);
        more = end != path.npos;
        path.remove_prefix(more ? end + 1 : path.size());
    }
    return members.size() > kMostMembers ? std::vector<std::string>{} : members;
}

// A header's, or what keeps the value from being served; false: it stands in the body.
bool is_elsewhere(const ValueLocation& location, UsagePlace& place) {
    if (location.value.empty()) {
        return true;
    }
    if (location.in == ValueLocation::In::header) {
        if (is_token(location.value)) {
            place.header = location.value;
        } else {
            place.finding = "is not served: no header has such a name";
        }
        return true;
    }
    if (location.in != ValueLocation::In::body) {
        place.finding = "is not served: an answer has neither a query nor a path";
        return true;
    }
    return false;
}

std::string no_path(const std::string& value, const std::string& example) {
    return "is not served: " + shown(value) + " is no path of members such as " + example;
}

}  // namespace

UsagePlace response_model_place(const ValueLocation& location) {
    UsagePlace place;
    if (is_elsewhere(location, place)) {
        return place;
    }
    place.members = members_of(location.value);
    if (place.members.empty()) {
        place.finding = no_path(location.value, "$.model");
    }
    return place;
}

UsagePlace usage_place(const ValueLocation& location, UsageField field) {
    UsagePlace place;
    if (is_elsewhere(location, place)) {
        return place;
    }
    place.members = members_of(location.value);
    const Names& names = kNames[static_cast<std::size_t>(field)];
    const bool is_usage = place.members.size() == 2 && place.members[0] == "usage";
    if (place.members.empty()) {
        place.finding = no_path(location.value, "$.usage." + std::string(names.snake));
    } else if (is_usage && place.members[1] == names.camel) {
        place.finding = shown(location.value) + " is read as $.usage." + std::string(names.snake);
        place.members.clear();
    } else if (is_usage && place.members[1] == names.snake) {
        place.members.clear();
    }
    return place;
}

}  // namespace rotary::config
