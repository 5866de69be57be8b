#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::config {

// Where a value stands in what the operator wrote. Lines and columns count from 1; line 0 means
// that the value was not written (a default), or that the finding is about the file as a whole.
// path names the value inside its document: spec.services[0].host, listeners[1].port.
struct Mark {
    std::string file;
    int line = 0;
    int column = 0;
    std::string path;

    // The mark of a field below this one: the same place, a longer path.
    Mark below(std::string_view key) const;
};

enum class Severity { error, warning };

// One thing that the operator should know about the configuration. Never holds a secret's value.
struct Finding {
    Severity severity = Severity::error;
    std::string file;
    int line = 0;
    int column = 0;
    std::string path;
    std::string message;
};

Finding error_at(const Mark& mark, std::string message);
Finding warning_at(const Mark& mark, std::string message);

bool has_errors(std::span<const Finding> findings);

// By file (as listed, others behind them), then line, then column; equal places keep their order.
// Drops what is there twice.
void sort_findings(std::vector<Finding>& findings, std::span<const std::string> files);

// `file:line:column: error: path: message`, one line each with its line feed. What is not known
// (no line, no path) is left out.
std::string to_text(std::span<const Finding> findings);

// A JSON array of {severity, file, line, column, path, message}, with a line feed at its end.
std::string to_json(std::span<const Finding> findings);

}  // namespace rotary::config
