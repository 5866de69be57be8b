#pragma once

#include <cstddef>
#include <initializer_list>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

// Reading C++ just well enough for rules about its text.
namespace rotary::tidy {

struct File {
    std::string path;  // from the root of the tree, with slashes
    std::string text;
};

struct Finding {
    std::size_t line;  // from 1; 0 for the file as a whole
    std::string what;
};

using Findings = std::vector<Finding>;

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings);
bool starts_with_any(std::string_view path, std::initializer_list<std::string_view> beginnings);
bool is_cpp(const File& file);
bool is_word(char c);

enum class Blank { strings, strings_and_comments };

// The text with what is not code turned into spaces; lines and columns stay.
std::string blanked(std::string_view text, Blank blank);

std::vector<std::string> lines_of(std::string_view text);
std::size_t line_at(std::string_view text, std::size_t offset);

// A finding for each line that matches.
Findings matches(std::string_view text, const std::regex& pattern, std::string_view what);

}  // namespace rotary::tidy
