#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {

// A text read from its end, its letters in lower case: of two hosts that end alike, one is a prefix
// of the other so.
class Backwards {
public:
    explicit Backwards(std::string_view text) noexcept : text_(text) {}
    std::size_t size() const noexcept { return text_.size(); }
    char operator[](std::size_t i) const noexcept;

private:
    std::string_view text_;
};

// Texts, each with a number. A walk along another text meets those that it begins with, the
// shortest first, and takes at most a step a byte of it, however many texts there are. Built once;
// then immutable, any thread.
class PrefixTree {
public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    // The text's number, kNone until it is set. The reference holds until the next call.
    std::uint32_t& operator[](std::string_view text);

    // Calls visit(number, how many bytes its text has); returns the steps that were taken.
    template <class Text, class Visit>
    unsigned walk(const Text& text, const Visit& visit) const {
        std::uint32_t node = 0;
        std::size_t at = 0;
        for (unsigned steps = 0;; ++steps) {
            const Node& here = nodes_[node];
            if (!goes_on(text, at, here.label)) return steps;
            at += here.label.size();
            if (here.number != kNone) visit(here.number, at);
            if (at == text.size()) return steps;
            const std::size_t child = here.firsts.find(text[at]);
            if (child == std::string::npos) return steps;
            node = here.children[child];
        }
    }

private:
    struct Node {
        std::string label;                    // what its texts have beyond its parent's
        std::string firsts;                   // the first byte of each child's label
        std::vector<std::uint32_t> children;  // in the order of `firsts`
        std::uint32_t number = kNone;
    };

    template <class Text>
    static bool goes_on(const Text& text, std::size_t at, const std::string& label) noexcept {
        if (text.size() - at < label.size()) return false;
        for (std::size_t i = 0; i < label.size(); ++i) {
            if (text[at + i] != label[i]) return false;
        }
        return true;
    }
    static bool goes_on(std::string_view text, std::size_t at, const std::string& label) noexcept {
        return text.substr(at).starts_with(label);
    }
    std::uint32_t add_child(std::uint32_t node, std::string_view label);
    void split(std::uint32_t node, std::size_t at);

    std::vector<Node> nodes_ = std::vector<Node>(1);
};

}  // namespace rotary::routing
