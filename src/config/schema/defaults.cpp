#include "config/schema/defaults.hpp"

#include "config/schema/shapes.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::config {
namespace {

// config/rotary.yaml shows every key with its default.
Node read_defaults() {
    std::vector<Finding> findings;
    std::string unread;
    Node root = parse_yaml("", kSettingsSample, findings, unread).front().root;
    std::erase_if(root.members, [](const Member& member) {
        constexpr std::string_view kOthers[] = {"listeners", "resources", "tracing"};
        return std::find(std::begin(kOthers), std::end(kOthers), member.key) != std::end(kOthers);
    });
    return root;
}

void fill(Node& map, const Node& usual) {
    for (const Member& member : usual.members) {
        const auto said = std::find_if(map.members.begin(), map.members.end(),
                                       [&](const Member& one) { return one.key == member.key; });
        if (said == map.members.end()) {
            map.members.push_back(member);
        } else if (said->value.kind == Node::Kind::null) {
            said->value = member.value;
        } else if (said->value.kind == Node::Kind::map) {
            fill(said->value, member.value);
        }
    }
}

}  // namespace

Node with_defaults(Node root) {
    static const Node kDefaults = read_defaults();
    fill(root, kDefaults);
    return root;
}

}  // namespace rotary::config
