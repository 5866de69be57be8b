#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/tidy/source_text.hpp"

// Every rule is a pure function from text to findings: tried first on a table of snippets, in which
// it must find what is written beside each, and then on the tree, in which it must find nothing.
namespace rotary::tidy {

// Every file of text below the root, read once.
const std::vector<File>& tree();

// The path of every file and folder, and each of its endings: of a/b/c, that, b/c and c.
const std::set<std::string, std::less<>>& known_paths();

// The list of rooms, which CMake reads too, with their floors.
using Floors = std::map<std::string, int, std::less<>>;
const Floors& floors();

// What lies below include/rotary/net or src/net belongs to net; other files to no room.
std::string room_of(std::string_view path);

struct Snippet {
    std::string_view name;
    std::string path;
    std::string text;
    std::size_t findings;
};

// A rule about one file at a time.
using Rule = Findings (*)(const File&);
void expect_rule_finds(Rule rule, const std::vector<Snippet>& snippets);
void expect_tree_keeps(Rule rule);

// A rule about all files together: what one of them says of another.
struct Placed {
    std::string path;
    std::size_t line;
    std::string what;
};
using TreeRule = std::vector<Placed> (*)(const std::vector<File>&);
struct SmallTree {
    std::string_view name;
    std::vector<File> files;
    std::size_t findings;
};
void expect_rule_finds(TreeRule rule, const std::vector<SmallTree>& trees);
void expect_tree_keeps(TreeRule rule);

std::string repeated(std::string_view text, int times);

}  // namespace rotary::tidy
