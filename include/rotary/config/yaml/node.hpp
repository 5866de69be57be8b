#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

struct Member;

// A YAML value as it was written: scalars are text, whatever they look like, and places count
// from 1. `broken` stands for what was reported already (an alias).
struct Node {
    enum class Kind { null, scalar, list, map, broken };
    Kind kind = Kind::null;
    int line = 0;
    int column = 0;
    std::string text;
    std::vector<Node> items;
    std::vector<Member> members;  // in the order written, keys differ

    const Node* find(std::string_view key) const;
};

struct Member {
    std::string key;
    int line = 0;
    int column = 0;
    Node value;
};

// One YAML document that could be read.
struct Document {
    Node root;
};

// What the safety of the loader rests on: bounds that no configuration can change.
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxNodes = 100'000;

// Reads every document of a text. One that can't be read is reported and left out; those after it
// are read all the same. Refuses anchors, aliases and duplicate keys; ignores tags.
// The text of those left out is appended to unread.
std::vector<Document> parse_yaml(const std::string& file, std::string_view text,
                                 std::vector<Finding>& findings, std::string& unread);

}  // namespace rotary::config
