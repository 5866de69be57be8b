#include "admin/page.hpp"

#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

namespace rotary::admin {

namespace {

using wire::JsonValue;

constexpr std::size_t kMostModelsBytes = std::size_t{16} << 20;

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

// As text, ready for the page; empty where there is none.
std::string text_of(const JsonValue& object, std::string_view name) {
    const auto value = object.find(name);
    if (!value) return "";
    if (const auto text = value->string()) return escaped(*text);
    return std::string(value->number_text());
}

bool truth_of(const JsonValue& object, std::string_view name) {
    const auto value = object.find(name);
    return value && value->boolean().value_or(false);
}

double number_of(const JsonValue& object, std::string_view name) {
    const auto value = object.find(name);
    return value ? value->number().value_or(0.0) : 0.0;
}

std::string with_one_decimal(double value) {
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::fixed, 1);
    return {buffer.data(), end.ptr};
}

std::string tile(std::string_view name, const std::string& value) {
    std::string out = "<div><dt>";
    out.append(name).append("</dt><dd>").append(value).append("</dd></div>");
    return out;
}

// Those that end soon.
std::string certificates(const JsonValue& status) {
    constexpr double kSoon = 30;
    std::string out;
    const auto list = status.find("certificates");
    if (!list) return out;
    for (const JsonValue one : list->elements()) {
        if (number_of(one, "days_left") >= kSoon) continue;
        out += tile("Certificate of " + text_of(one, "listener"),
                    text_of(one, "days_left") + " d left");
    }
    return out;
}

// Of several replicas: how many there are, or since when this one is on its own.
std::string fleet(const JsonValue& status) {
    const auto fleet = status.find("fleet");
    if (!fleet) return "";
    const std::string state = text_of(*fleet, "state");
    if (state == "connected") return tile("Replicas", text_of(*fleet, "replicas"));
    return tile("Redis", state + " since " + text_of(*fleet, "since") + ": on its own");
}

std::string strip(const JsonValue& status) {
    return tile("Requests/s", with_one_decimal(number_of(status, "requests_per_second"))) +
           tile("In flight", text_of(status, "in_flight")) +
           tile("Overhead p50", text_of(status, "overhead_p50_us") + " µs") +
           tile("Overhead p99", text_of(status, "overhead_p99_us") + " µs") +
           tile("4xx", with_one_decimal(number_of(status, "client_errors_percent")) + " %") +
           tile("5xx", with_one_decimal(number_of(status, "server_errors_percent")) + " %") +
           tile("Configuration", "#" + text_of(status, "generation")) +
           tile("Up", text_of(status, "uptime_seconds") + " s") + fleet(status) +
           certificates(status);
}

std::string cell(std::string_view label, std::string_view names, const std::string& html) {
    std::string out = "<td data-label=\"";
    out.append(label).append("\" class=\"").append(names).append("\">");
    out.append(html).append("</td>");
    return out;
}

std::string share_cell(const JsonValue& model, double weights) {
    const double share = 100.0 * number_of(model, "share");
    const double due = weights > 0 ? 100.0 * number_of(model, "weight") / weights : 0.0;
    std::string out =
        "<div class=\"share\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\"><rect class=\"back\" width=\"100\" height=\"10\"/>"
        "<rect class=\"part\" height=\"10\" width=\"";
    out.append(with_one_decimal(share)).append("\"/><rect class=\"due\" width=\"0.8\" ");
    out.append("height=\"10\" x=\"").append(with_one_decimal(std::min(due, 99.0)));
    out.append("\"/></svg><span>").append(with_one_decimal(share)).append(" % ");
    out.append("<span class=\"key\">").append(text_of(model, "weight")).append(" · ");
    out.append(with_one_decimal(due)).append(" %</span></span></div>");
    return cell("Share (weight)", "wide", out);
}

std::string state_cell(const JsonValue& model) {
    const std::string state = text_of(model, "state");
    const bool is_active = state == "active";
    std::string out = is_active ? "<span class=\"chip\">" : "<span class=\"chip bad\">";
    out.append(state);
    if (!is_active) out.append(" ").append(text_of(model, "seconds_left")).append(" s");
    out.append("</span>");
    if (!is_active) {
        out.append("<span class=\"why\">").append(text_of(model, "reason")).append("</span>");
    }
    return cell("State", "", out);
}

std::string limits_cell(const JsonValue& model) {
    std::string out;
    const auto limits = model.find("limits");
    if (limits) {
        for (const JsonValue limit : limits->elements()) {
            out.append("<div>").append(text_of(limit, "remaining")).append(" ");
            out.append(text_of(limit, "counts")).append("</div>");
        }
    }
    return cell("Left of limits", "", out.empty() ? "–" : out);
}

std::string latency(const JsonValue& model) {
    if (!model.find("latency_p95_ms")) return "–";
    return with_one_decimal(number_of(model, "latency_p50_ms")) + " · " +
           with_one_decimal(number_of(model, "latency_p95_ms")) + " ms";
}

std::string row(const JsonValue& model, double weights) {
    std::string backend = text_of(model, "backend");
    backend.append("<span class=\"why\">").append(text_of(model, "host")).append("</span>");
    std::string out = "<tr>";
    out.append(cell("Model", "name", text_of(model, "model")));
    out.append(cell("Backend", "soft", backend));
    out.append(share_cell(model, weights)).append(state_cell(model));
    out.append(cell("Requests", "number", text_of(model, "requests")));
    out.append(cell("Answers in", "number", latency(model)));
    out.append(cell("Tokens/min", "number", text_of(model, "tokens_per_minute")));
    out.append(limits_cell(model)).append("<td></td></tr>\n");
    return out;
}

std::string bodies(const JsonValue& models) {
    std::vector<std::pair<std::string, std::vector<JsonValue>>> groups;
    for (const JsonValue model : models.elements()) {
        const std::string name = text_of(model, "api") + " · " + text_of(model, "env");
        if (groups.empty() || groups.back().first != name) groups.push_back({name, {}});
        groups.back().second.push_back(model);
    }
    std::string out;
    for (const auto& [name, group] : groups) {
        double weights = 0;
        for (const JsonValue& model : group) weights += number_of(model, "weight");
        out.append("<tbody><tr><th class=\"group\" colspan=\"9\" scope=\"rowgroup\">");
        out.append(name).append("</th></tr>\n");
        for (const JsonValue& model : group) out += row(model, weights);
        out.append("</tbody>\n");
    }
    if (!out.empty()) return out;
    return "<tbody><tr><td colspan=\"9\" class=\"nothing\">No API has a list of models.</td></tr>"
           "</tbody>\n";
}

using Values = std::map<std::string_view, std::string>;

// Each @@NAME@@ of the page by its value; what a value holds is not looked at again.
std::string filled(const Values& values) {
    std::string_view rest = page_html();
    std::string out;
    while (true) {
        const std::size_t begin = rest.find("@@");
        out.append(rest.substr(0, begin));
        if (begin == rest.npos) return out;
        const std::size_t end = rest.find("@@", begin + 2);
        const auto value = values.find(rest.substr(begin + 2, end - begin - 2));
        if (value != values.end()) out.append(value->second);
        rest.remove_prefix(end + 2);
    }
}

}  // namespace

std::string page_with(std::string_view status_json, std::string_view models_json) {
    const auto status = wire::JsonDocument::parse(status_json);
    const auto models = wire::JsonDocument::parse(models_json, {64, kMostModelsBytes});
    if (!status || !models) return page_without();
    const JsonValue root = status->root();
    const bool reload_failed = root.find("last_reload_ok") && !truth_of(root, "last_reload_ok");
    Values values;
    values["STATE"] = truth_of(root, "draining") ? "draining"
                      : truth_of(root, "ready")  ? "ready"
                                                 : "not ready";
    values["STRIP"] = strip(root);
    values["BANNER_HIDDEN"] = reload_failed ? "" : " hidden";
    values["BANNER"] = reload_failed ? text_of(root, "last_reload") : "";
    const auto list = models->root().find("models");
    values["MODELS"] = list ? bodies(*list) : "";
    return filled(values);
}

std::string page_without() {
    return filled({{"STATE", "…"}, {"STRIP", ""}, {"BANNER_HIDDEN", " hidden"}, {"BANNER", ""}});
}

}  // namespace rotary::admin
