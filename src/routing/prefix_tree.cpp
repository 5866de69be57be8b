#include <rotary/routing/prefix_tree.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>
#include <utility>

namespace rotary::routing {

char Backwards::operator[](std::size_t i) const noexcept {
    return text::lower(text_[text_.size() - 1 - i]);
}

std::uint32_t PrefixTree::add_child(std::uint32_t node, std::string_view label) {
    const auto child = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back().label = label;
    nodes_[node].firsts.push_back(label.front());
    nodes_[node].children.push_back(child);
    return child;
}

// The node keeps the first `at` bytes of its label; what it had goes to a child with the rest.
void PrefixTree::split(std::uint32_t node, std::size_t at) {
    Node rest = std::move(nodes_[node]);
    nodes_[node] = Node{rest.label.substr(0, at), {}, {}, kNone};
    rest.label.erase(0, at);
    const std::uint32_t child = add_child(node, rest.label);
    nodes_[child] = std::move(rest);
}

std::uint32_t& PrefixTree::operator[](std::string_view text) {
    std::uint32_t node = 0;
    for (;;) {
        const std::string& label = nodes_[node].label;
        const auto differs = std::mismatch(label.begin(), label.end(), text.begin(), text.end());
        const auto same = static_cast<std::size_t>(differs.first - label.begin());
        if (same < label.size()) split(node, same);
        text.remove_prefix(same);
        if (text.empty()) return nodes_[node].number;
        const std::size_t child = nodes_[node].firsts.find(text.front());
        node = child == std::string::npos ? add_child(node, text) : nodes_[node].children[child];
    }
}

}  // namespace rotary::routing
