#include <rotary/base/json_text.hpp>
#include <rotary/config/yaml/finding.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace rotary::config {
namespace {

const char* name_of(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

void append_json(std::string& out, std::string_view text) {
    text::write_json_string(out, text, {.del = "\x7f", .short_escapes = false});
}

Finding finding_at(Severity severity, const Mark& mark, std::string message) {
    return {severity, mark.file, mark.line, mark.column, mark.path, std::move(message)};
}

}  // namespace

Mark Mark::below(std::string_view key) const {
    Mark mark = *this;
    mark.path += path.empty() ? "" : ".";
    mark.path += key;
    return mark;
}

Finding error_at(const Mark& mark, std::string message) {
    return finding_at(Severity::error, mark, std::move(message));
}

Finding warning_at(const Mark& mark, std::string message) {
    return finding_at(Severity::warning, mark, std::move(message));
}

bool has_errors(std::span<const Finding> findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& f) { return f.severity == Severity::error; });
}

void sort_findings(std::vector<Finding>& findings, std::span<const std::string> files) {
    std::map<std::string, std::size_t> order;
    for (const std::string& file : files) {
        order.emplace(file, order.size());
    }
    for (const Finding& finding : findings) {
        order.emplace(finding.file, order.size());
    }
    std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
        return std::tuple(order.at(a.file), a.line, a.column) <
               std::tuple(order.at(b.file), b.line, b.column);
    });
    const auto same = [](const Finding& a, const Finding& b) {
        return a.file == b.file && a.line == b.line && a.column == b.column && a.path == b.path &&
               a.message == b.message;
    };
    findings.erase(std::unique(findings.begin(), findings.end(), same), findings.end());
}

std::string to_text(std::span<const Finding> findings) {
    std::string out;
    for (const Finding& finding : findings) {
        out += finding.file + ':';
        if (finding.line > 0) {
            out += std::to_string(finding.line) + ':' + std::to_string(finding.column) + ':';
        }
        out += std::string(" ") + name_of(finding.severity) + ": ";
        if (!finding.path.empty()) {
            out += finding.path + ": ";
        }
        out += finding.message + '\n';
    }
    return out;
}

std::string to_json(std::span<const Finding> findings) {
    std::string out = "[";
    for (const Finding& finding : findings) {
        out += out.size() == 1 ? "\n" : ",\n";
        out += "  {\"severity\": \"" + std::string(name_of(finding.severity)) + "\", \"file\": ";
        append_json(out, finding.file);
        out += ", \"line\": " + std::to_string(finding.line);
        out += ", \"column\": " + std::to_string(finding.column) + ", \"path\": ";
        append_json(out, finding.path);
        out += ", \"message\": ";
        append_json(out, finding.message);
        out += '}';
    }
    return out + (findings.empty() ? "]\n" : "\n]\n");
}

}  // namespace rotary::config
