#include "base/metrics_page.hpp"

#include <rotary/base/text.hpp>

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

void append_exemplar(std::string& out, const Exemplar& exemplar) {
    constexpr double kSecond = 1e9;
    TraceIdText text;
    out.append(" # {trace_id=\"").append(to_hex(exemplar.trace, text)).append("\"} ");
    append_real(out, static_cast<double>(exemplar.nanoseconds) / kSecond);
    // Seconds with three digits: a double's shortest form may have an exponent.
    const std::int64_t milliseconds = exemplar.at / 1'000'000;
    std::string fraction = std::to_string(1000 + milliseconds % 1000);
    fraction.front() = '.';
    out.append(" ").append(std::to_string(milliseconds / 1000)).append(fraction);
}

Format format_for(std::string_view accept) noexcept {
    constexpr std::string_view kType = "application/openmetrics-text";
    for (std::size_t at = 0; at + kType.size() <= accept.size(); ++at) {
        if (!text::iequals(accept.substr(at, kType.size()), kType)) continue;
        std::string_view rest = accept.substr(at + kType.size());
        rest = rest.substr(0, rest.find(','));
        const bool is_refused =
            rest.find("q=0") != rest.npos &&
            rest.substr(rest.find("q=0") + 3).find_first_of("123456789") == rest.npos;
        return is_refused ? Format::text : Format::open_metrics;
    }
    return Format::text;
}

std::string_view content_type(Format format) noexcept {
    return format == Format::open_metrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

void Page::add(const Sample& sample) {
    append_sample(family(sample.type, sample.name, sample.help), sample.name,
                  render_labels(sample.labels), sample.value);
}

// OpenMetrics calls a counter's family what stands before _total; one whose name does not end so
// can't be one there.
std::string Page::head_of(Type type, std::string_view name, std::string_view help) const {
    constexpr std::string_view kTotal = "_total";
    const bool is_open = format_ == Format::open_metrics;
    std::string_view kind = type_name(type);
    if (is_open && type == Type::counter) {
        if (name.ends_with(kTotal)) {
            name.remove_suffix(kTotal.size());
        } else {
            kind = "unknown";
        }
    }
    std::string head;
    head.append("# HELP ").append(name) += ' ';
    append_escaped(head, help, is_open);
    head.append("\n# TYPE ").append(name).append(" ").append(kind) += '\n';
    return head;
}

std::string& Page::family(Type type, std::string_view name, std::string_view help) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        Family family;
        family.head = head_of(type, name, help);
        found = families_.emplace(std::string(name), std::move(family)).first;
    }
    return found->second.samples;
}

std::string Page::text() const {
    std::string out;
    for (const auto& [name, family] : families_) {
        if (!family.samples.empty()) out.append(family.head).append(family.samples);
    }
    if (format_ == Format::open_metrics) out += "# EOF\n";
    return out;
}

}  // namespace rotary::metrics
