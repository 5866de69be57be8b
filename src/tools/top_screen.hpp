#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::tools {

// Escapes for colour, or nothing.
struct TerminalStyle {
    bool colour = false;

    std::string_view bad() const noexcept { return colour ? "\x1b[31m" : ""; }
    std::string_view good() const noexcept { return colour ? "\x1b[32m" : ""; }
    std::string_view soft() const noexcept { return colour ? "\x1b[2m" : ""; }
    std::string_view strong() const noexcept { return colour ? "\x1b[1m" : ""; }
    std::string_view chosen() const noexcept { return colour ? "\x1b[7m" : ""; }
    std::string_view plain() const noexcept { return colour ? "\x1b[0m" : ""; }
};

// NO_COLOR forbids it, CLICOLOR_FORCE asks for it wherever the output goes; otherwise a terminal
// that is not dumb has it.
TerminalStyle style_for(int fd);

// What the admin listener said of one moment, each the JSON text of its answer.
struct TopSnapshot {
    std::string status;
    std::string models;
    std::string requests;
};

enum class TopOrder { as_configured, requests, state };

struct TopView {
    TopOrder order = TopOrder::as_configured;
    std::size_t chosen = 0;  // a row of the models
    bool only_errors = true;
    bool paused = false;
    std::size_t width = 100;
    std::size_t height = 0;  // of lines; 0: as many as there are
    bool shows_choice = false;
    std::string note{};  // the last line: what came of a key
};

// The lines, without their ends; none is wider than the view.
std::vector<std::string> top_lines(const TopSnapshot& snapshot, const TopView& view,
                                   const TerminalStyle& style);
// The ids of the models, in the order of the view.
std::vector<std::string> top_ids(const TopSnapshot& snapshot, TopOrder order);
// Takes the first key off what was typed: a letter, or an arrow's sequence whole.
std::string_view take_key(std::string_view& typed) noexcept;
// All of it as one JSON object.
std::string top_json(const TopSnapshot& snapshot);

}  // namespace rotary::tools
