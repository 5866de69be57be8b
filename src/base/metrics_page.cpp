#include "base/metrics_page.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace rotary::metrics {

namespace {

// Text format 0.0.4: label values escape the quote too, help texts do not.
void append_escaped(std::string& out, std::string_view value, bool quoted) {
    for (const char c : value) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quoted)
            out += "\\\"";
        else
            out += c;
    }
}

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

void append_name(std::string& out, std::string_view name, std::string_view labels) {
    out += name;
    if (!labels.empty()) {
        out += '{';
        out += labels;
        out += '}';
    }
    out += ' ';
}

std::string_view type_name(Type type) noexcept {
    switch (type) {
        case Type::counter:
            return "counter";
        case Type::gauge:
            return "gauge";
        case Type::histogram:
            return "histogram";
    }
    return "untyped";
}

}  // namespace

std::string render_labels(const Labels& labels) {
    std::string out;
    for (const Label& label : labels) {
        if (!out.empty()) out += ',';
        out += label.name;
        out += "=\"";
        append_escaped(out, label.value, true);
        out += '"';
    }
    return out;
}

void append_real(std::string& out, double value) {
    if (std::isnan(value))
        out += "NaN";
    else if (std::isinf(value))
        out += value > 0 ? "+Inf" : "-Inf";
    else
        append_number(out, value);
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::uint64_t value) {
    append_name(out, name, labels);
    append_number(out, value);
    out += '\n';
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::int64_t value) {
    append_name(out, name, labels);
    append_number(out, value);
    out += '\n';
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
    append_name(out, name, labels);
    append_real(out, value);
    out += '\n';
}

void Page::add(const Sample& sample) {
    append_sample(family(sample.type, sample.name, sample.help), sample.name,
                  render_labels(sample.labels), sample.value);
}

std::string& Page::family(Type type, std::string_view name, std::string_view help) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        Family family;
        family.head.append("# HELP ").append(name) += ' ';
        append_escaped(family.head, help, false);
        family.head.append("\n# TYPE ").append(name).append(" ").append(type_name(type)) += '\n';
        found = families_.emplace(std::string(name), std::move(family)).first;
    }
    return found->second.samples;
}

std::string Page::text() const {
    std::string out;
    for (const auto& [name, family] : families_) {
        if (!family.samples.empty()) out.append(family.head).append(family.samples);
    }
    return out;
}

}  // namespace rotary::metrics
