#pragma once

#include <string>
#include <utility>
#include <vector>

#include <rotary/config/yaml/node.hpp>

namespace rotary::config {

// Makes nodes that have the place of another one: what they say follows from it.
class NodeAt {
public:
    explicit NodeAt(const Node& place) : line_(place.line), column_(place.column) {}

    // A text as it is meant: a dollar sign in it is none of a variable.
    Node text(std::string_view text) const;
    Node list(std::vector<Node> items) const;
    Node map(std::vector<std::pair<const char*, Node>> members) const;
    // A text with variables, as they were written.
    Node raw(std::string text) const;

private:
    Node of(Node::Kind kind) const;

    int line_;
    int column_;
};

// The YAML of a document, with a `---` before it. Reading it gives the same nodes but for their
// places.
std::string to_yaml(const Node& root);

// The same without the values of Secrets and of providers' keys, but for what names a variable and
// nothing else: `why` says what to do about a value that is left out.
Node redacted(const Node& root, std::string_view why);

}  // namespace rotary::config
