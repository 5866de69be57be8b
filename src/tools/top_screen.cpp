#include "tools/top_screen.hpp"

#include <rotary/wire/json_document.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

namespace rotary::tools {

namespace {

using wire::JsonDocument;
using wire::JsonValue;

constexpr wire::JsonLimits kLimits{64, std::size_t{64} << 20};

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

// Control characters would be commands to the terminal, C1's too, which are C2 80 to C2 9F.
std::string shown(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
        const bool is_c1 = byte == 0xC2 && next >= 0x80 && next <= 0x9F;
        out += is_c1 || byte < ' ' || byte == 0x7f ? '?' : text[i];
        if (is_c1) ++i;
    }
    return out;
}

std::string text_of(const JsonValue& object, std::string_view name) {
    const auto value = object.find(name);
    if (!value) return "";
    if (const auto text = value->string()) return shown(*text);
    if (const auto flag = value->boolean()) return *flag ? "yes" : "no";
    return std::string(value->number_text());
}

double number_of(const JsonValue& object, std::string_view name) {
    const auto value = object.find(name);
    return value ? value->number().value_or(0.0) : 0.0;
}

std::string fixed(double value, int decimals) {
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::fixed, decimals);
    return {buffer.data(), end.ptr};
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

// To so many columns, cut where it is longer.
std::string padded(std::string text, std::size_t width, bool to_the_right = false) {
    while (columns_of(text) > width && !text.empty()) {
        while ((static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
        text.pop_back();
    }
    const std::size_t missing = width - columns_of(text);
    if (to_the_right) {
        text.insert(0, missing, ' ');
    } else {
        text.append(missing, ' ');
    }
    return text;
}

std::string styled(std::string_view before, std::string text, const TerminalStyle& style) {
    std::string out(before);
    out.append(text).append(before.empty() ? "" : style.plain());
    return out;
}

std::vector<JsonValue> in_order(const JsonValue& root, TopOrder order) {
    std::vector<JsonValue> models;
    if (const auto list = root.find("models")) {
        for (const JsonValue model : list->elements()) models.push_back(model);
    }
    const auto before = [order](const JsonValue& one, const JsonValue& other) {
        if (order == TopOrder::requests) {
            return number_of(one, "requests") > number_of(other, "requests");
        }
        return text_of(one, "state") != "active" && text_of(other, "state") == "active";
    };
    if (order != TopOrder::as_configured) {
        std::stable_sort(models.begin(), models.end(), before);
    }
    return models;
}

std::string state_of(const JsonValue& model) {
    std::string state = text_of(model, "state");
    if (state == "active") return state;
    state.append(" ").append(text_of(model, "seconds_left")).append("s ");
    return state.append(text_of(model, "reason"));
}

// A line, where the process is one of several.
void add_fleet(std::vector<std::string>& lines, const JsonValue& status, const TopView& view,
               const TerminalStyle& style) {
    const auto fleet = status.find("fleet");
    if (!fleet) return;
    const std::string state = text_of(*fleet, "state");
    const std::string redis = "Redis " + text_of(*fleet, "redis") + " ";
    if (state == "connected") {
        lines.push_back(
            padded(text_of(*fleet, "replicas") + " replicas, " + redis + state, view.width));
        return;
    }
    std::string alone = "on its own: " + redis + state + " since " + text_of(*fleet, "since");
    const std::string why = text_of(*fleet, "last_error");
    if (!why.empty()) alone.append(": ").append(why);
    lines.push_back(styled(style.bad(), padded(std::move(alone), view.width), style));
}

std::string head_line(const JsonValue& status, const TopView& view, const TerminalStyle& style) {
    const bool is_ready = text_of(status, "ready") == "yes";
    std::string state = text_of(status, "draining") == "yes" ? "draining"
                        : is_ready                           ? "ready"
                                                             : "not ready";
    std::string rest = "  up " + text_of(status, "uptime_seconds") + "s";
    rest.append("  configuration #").append(text_of(status, "generation"));
    rest.append("  in flight ").append(text_of(status, "in_flight"));
    rest.append("  ").append(fixed(number_of(status, "requests_per_second"), 1)).append(" req/s");
    rest.append("  overhead p50 ").append(text_of(status, "overhead_p50_us"));
    rest.append(" p99 ").append(text_of(status, "overhead_p99_us")).append(" us");
    rest.append("  4xx ").append(fixed(number_of(status, "client_errors_percent"), 1));
    rest.append("% 5xx ").append(fixed(number_of(status, "server_errors_percent"), 1)).append("%");
    if (view.paused) rest += "  PAUSED";
    const std::size_t taken = std::min(view.width, 7 + state.size());
    std::string line = styled(style.strong(), "rotary", style) + " ";
    line += styled(is_ready ? style.good() : style.bad(), std::move(state), style);
    return line + padded(std::move(rest), view.width - taken);
}

struct Widths {
    std::size_t place, model, backend, state;
};

// What is left of the line goes to the names.
Widths widths_of(std::size_t width) {
    constexpr std::size_t kNumbers = 6 + 8 + 8 + 10 + 8 + 8 + 9 + 9;
    const std::size_t names = width > kNumbers + 40 ? width - kNumbers : 40;
    return {names * 22 / 100, names * 25 / 100, names * 20 / 100, names * 33 / 100};
}

std::string model_line(const JsonValue& model, double weights, const Widths& widths) {
    const double due = weights > 0 ? number_of(model, "weight") / weights : 0.0;
    std::string line = padded(text_of(model, "api") + "/" + text_of(model, "env"), widths.place);
    line.append(" ").append(padded(text_of(model, "model"), widths.model));
    line.append(" ").append(padded(text_of(model, "backend"), widths.backend));
    line.append(" ").append(padded(text_of(model, "weight"), 6, true));
    line.append(padded(fixed(100 * due, 1) + "%", 8, true));
    line.append(padded(fixed(100 * number_of(model, "share"), 1) + "%", 8, true));
    line.append(padded(text_of(model, "requests"), 10, true));
    for (const char* name : {"latency_p50_ms", "latency_p95_ms"}) {
        const bool is_known = model.find(name).has_value();
        line.append(padded(is_known ? fixed(number_of(model, name), 0) : "-", 8, true));
    }
    line.append(padded(text_of(model, "tokens_per_minute"), 9, true)).append("  ");
    return line.append(padded(state_of(model), widths.state));
}

std::string model_heading(const Widths& widths) {
    std::string line = padded("API", widths.place) + " " + padded("MODEL", widths.model);
    line.append(" ").append(padded("BACKEND", widths.backend)).append(" ");
    line.append(padded("WEIGHT", 6, true)).append(padded("DUE", 8, true));
    line.append(padded("SHARE", 8, true)).append(padded("REQUESTS", 10, true));
    line.append(padded("P50 MS", 8, true)).append(padded("P95 MS", 8, true));
    return line.append(padded("TOK/MIN", 9, true)).append("  STATE");
}

double weights_beside(const std::vector<JsonValue>& models, const JsonValue& model) {
    double sum = 0;
    for (const JsonValue& other : models) {
        if (text_of(other, "api") == text_of(model, "api") &&
            text_of(other, "env") == text_of(model, "env")) {
            sum += number_of(other, "weight");
        }
    }
    return sum;
}

std::string request_line(const JsonValue& request) {
    std::string line = text_of(request, "time") + "  " + text_of(request, "status") + "  ";
    const std::string model = text_of(request, "model");
    line.append(model.empty() ? text_of(request, "client_model") : model);
    line.append("  tries ").append(text_of(request, "attempts"));
    line.append("  ").append(text_of(request, "duration_ms")).append(" ms  ");
    line.append(text_of(request, "consumer")).append("  ").append(text_of(request, "error"));
    return line;
}

void add_models(std::vector<std::string>& lines, const JsonValue& root, const TopView& view,
                const TerminalStyle& style) {
    const std::vector<JsonValue> models = in_order(root, view.order);
    const Widths widths = widths_of(view.width);
    lines.push_back(styled(style.soft(), padded(model_heading(widths), view.width), style));
    for (std::size_t i = 0; i < models.size(); ++i) {
        const double weights = weights_beside(models, models[i]);
        const bool is_out = text_of(models[i], "state") != "active";
        std::string line = padded(model_line(models[i], weights, widths), view.width);
        const bool is_chosen = view.shows_choice && i == view.chosen;
        lines.push_back(styled(is_chosen ? style.chosen()
                               : is_out  ? style.bad()
                                         : "",
                               std::move(line), style));
    }
}

void add_requests(std::vector<std::string>& lines, const JsonValue& root, const TopView& view,
                  const TerminalStyle& style) {
    lines.emplace_back();
    lines.push_back(
        styled(style.soft(), view.only_errors ? "LAST ERRORS" : "LAST REQUESTS", style));
    const auto list = root.find("requests");
    std::size_t room = 10;
    for (const JsonValue request : list->elements()) {
        if (view.only_errors && number_of(request, "status") < 400) continue;
        lines.push_back(padded(request_line(request), view.width));
        if (--room == 0) return;
    }
}

}  // namespace

TerminalStyle style_for(int fd) {
    if (is_set("NO_COLOR")) return {false};
    if (is_set("CLICOLOR_FORCE")) return {true};
    const char* term = std::getenv("TERM");
    const bool is_dumb = term == nullptr || std::string_view(term) == "dumb";
    return {::isatty(fd) != 0 && !is_dumb};
}

std::vector<std::string> top_lines(const TopSnapshot& snapshot, const TopView& view,
                                   const TerminalStyle& style) {
    const auto status = JsonDocument::parse(snapshot.status, kLimits);
    const auto models = JsonDocument::parse(snapshot.models, kLimits);
    const auto requests = JsonDocument::parse(snapshot.requests, kLimits);
    std::vector<std::string> lines;
    if (!status || !models) return {"what answered is no admin listener"};
    lines.push_back(head_line(status->root(), view, style));
    if (text_of(status->root(), "last_reload_ok") == "no") {
        std::string why = "the last reload failed: " + text_of(status->root(), "last_reload");
        lines.push_back(styled(style.bad(), padded(std::move(why), view.width), style));
    }
    add_fleet(lines, status->root(), view, style);
    lines.emplace_back();
    add_models(lines, models->root(), view, style);
    if (requests && requests->root().find("requests")) {
        add_requests(lines, requests->root(), view, style);
    }
    if (view.height != 0) lines.resize(view.height - 1);
    if (!view.note.empty() || view.height != 0) lines.push_back(padded(view.note, view.width));
    return lines;
}

std::vector<std::string> top_ids(const TopSnapshot& snapshot, TopOrder order) {
    std::vector<std::string> ids;
    const auto models = JsonDocument::parse(snapshot.models, kLimits);
    if (!models) return ids;
    for (const JsonValue& model : in_order(models->root(), order)) {
        const auto id = model.find("id");
        ids.emplace_back(id ? id->string().value_or("") : "");
    }
    return ids;
}

std::string_view take_key(std::string_view& typed) noexcept {
    constexpr std::string_view kSequence = "\x1b[";
    std::size_t size = std::min<std::size_t>(typed.size(), 1);
    if (typed.starts_with(kSequence)) {
        // Parameters, then the letter that ends it.
        const std::size_t last = typed.find_first_not_of("0123456789;?", kSequence.size());
        size = last == typed.npos ? typed.size() : last + 1;
    }
    const std::string_view key = typed.substr(0, size);
    typed.remove_prefix(size);
    return key;
}

std::string top_json(const TopSnapshot& snapshot) {
    const auto trimmed = [](std::string text) {
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text.empty() ? std::string("null") : text;
    };
    std::string out = R"({"status":)" + trimmed(snapshot.status);
    out.append(R"(,"models":)").append(trimmed(snapshot.models));
    out.append(R"(,"requests":)").append(trimmed(snapshot.requests)).append("}\n");
    return out;
}

}  // namespace rotary::tools
