#include "admin/admin_routes.hpp"

#include "admin/json_as_yaml.hpp"
#include "admin/page.hpp"

#include <rotary/admin/limits.hpp>
#include <rotary/base/json_text.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/base/percent.hpp>
#include <rotary/base/text.hpp>
#include <rotary/wire/query.hpp>

#include <array>
#include <optional>

namespace rotary::admin {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kModels = "/api/v1/models/";
constexpr std::string_view kSuspend = "/suspend";
constexpr std::string_view kResume = "/resume";

struct Call {
    std::string_view path;
    std::string_view query;
    std::string_view body;
    bool has_token;  // or needs none
    const AdminOptions& options;
    const AdminHooks& hooks;
    std::string_view accept;
};

struct Route {
    std::string_view path;
    enum class For : std::uint8_t { all, reader, changer } who;  // a changer's are POST
    AdminAnswer (*run)(const Call& call);
};

AdminAnswer page(std::string_view type, std::string body) {
    AdminAnswer out;
    out.content_type = type;
    out.body = std::move(body);
    return out;
}
AdminAnswer plain(std::string body) { return page(kText, std::move(body)); }
AdminAnswer json(std::string body) { return page(kJson, std::move(body)); }

AdminAnswer health(const Health& health, const Call& call) {
    AdminAnswer out = plain(health.ok ? "ok" : health.reason.empty() ? "not ok" : health.reason);
    if (!health.ok) out.status = 503;
    out.body += '\n';
    if (wire::find_parameter(call.query, "verbose")) {
        for (const auto& [name, state] : health.checks) out.body += name + ": " + state + '\n';
    }
    return out;
}

AdminAnswer live(const Call& call) { return health(call.hooks.live(), call); }
AdminAnswer ready(const Call& call) { return health(call.hooks.ready(), call); }
AdminAnswer status(const Call& call) { return json(call.hooks.status_json()); }
AdminAnswer models(const Call& call) { return json(call.hooks.models_json()); }

// A number of the query's, or `otherwise`; none when it is out of range.
std::optional<std::size_t> number_of(const Call& call, std::string_view name, std::size_t otherwise,
                                     std::size_t most) {
    const auto given = wire::find_parameter(call.query, name);
    if (!given) return otherwise;
    const auto number = text::parse_unsigned(given->value);
    if (!number || *number > most) return std::nullopt;
    return static_cast<std::size_t>(*number);
}

AdminAnswer out_of_range(std::string_view name, std::size_t most) {
    const std::string what(name);
    return admin_problem(400, "invalid_" + what,
                         what + " must be an integer from 0 to " + std::to_string(most));
}

AdminAnswer limits(const Call& call) {
    constexpr std::size_t kUsual = 20;
    const auto callers = number_of(call, "callers", kUsual, kMostCallersShown);
    if (!callers) return out_of_range("callers", kMostCallersShown);
    return json(call.hooks.limits_json(*callers));
}

AdminAnswer consumers(const Call& call) {
    ConsumersAsked asked;
    const auto most = number_of(call, "limit", asked.most, kMostConsumersShown);
    if (!most) return out_of_range("limit", kMostConsumersShown);
    asked.most = *most;
    if (const auto given = wire::find_parameter(call.query, "consumer")) {
        const auto name = text::percent_decoded(given->value);
        if (!name) {
            return admin_problem(400, "invalid_consumer",
                                 "malformed percent-encoding in the consumer's name");
        }
        asked.consumer = *name;
    }
    return json(call.hooks.consumers_json(asked));
}

AdminAnswer requests(const Call& call) {
    constexpr std::size_t kMost = 10'000;
    const auto most = number_of(call, "limit", 100, kMost);
    if (!most) return out_of_range("limit", kMost);
    AdminAnswer out = json("");
    out.then = AdminAnswer::Then::requests;
    out.most = *most;
    return out;
}

// A stream of them, or with ?format=json those that there were.
AdminAnswer events(const Call& call) {
    const auto format = wire::find_parameter(call.query, "format");
    if (format && format->value == "json") return json(call.hooks.events->json());
    if (format) return admin_problem(400, "invalid_format", "format may be json, or left out");
    if (!call.hooks.events->has_room()) {
        return admin_problem(503, "overloaded", "as many listen as limits.admin_subscribers says");
    }
    AdminAnswer out = page("text/event-stream", "");
    out.then = AdminAnswer::Then::events;
    return out;
}

AdminAnswer config(const Call& call) {
    const auto format = wire::find_parameter(call.query, "format");
    if (!format || format->value == "json") return json(call.hooks.config_text());
    if (format->value == "yaml") {
        return page("application/yaml", json_as_yaml(call.hooks.config_text()));
    }
    return admin_problem(400, "invalid_format", "format may be json or yaml");
}

AdminAnswer log_level(const Call& call) {
    std::string body = R"({"level":")";
    body.append(to_string(call.hooks.log_level())).append("\"}\n");
    return json(std::move(body));
}

AdminAnswer set_log_level(const Call& call) {
    const auto given = wire::find_parameter(call.query, "level");
    for (const LogLevel level :
         {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
        if (!given || given->value != to_string(level)) continue;
        call.hooks.set_log_level(level);
        return log_level(call);
    }
    return admin_problem(400, "invalid_level",
                         "level must be trace, debug, info, warning or error: ?level=debug");
}

AdminAnswer drain(const Call& call) {
    call.hooks.drain();
    AdminAnswer out = json("{\"draining\":true}\n");
    out.status = 202;
    return out;
}

AdminAnswer metrics(const Call& call) {
    const metrics::Format format = metrics::format_for(call.accept);
    return page(metrics::content_type(format), call.hooks.metrics(format));
}

// The request was fine; a configuration that is not says so by its status. `as` is the member that
// tells which.
AdminAnswer judged(const ReloadOutcome& outcome, std::string_view as) {
    AdminAnswer out = json("{\"");
    out.body.append(as).append(outcome.ok ? "\":true" : "\":false").append(R"(,"findings":)");
    if (!outcome.ok) out.status = 422;
    text::append_json_string(out.body, outcome.findings);
    out.body += "}\n";
    return out;
}

// When it fails the old configuration is still in use.
AdminAnswer reload(const Call& call) { return judged(call.hooks.reload(), "reloaded"); }

AdminAnswer validate(const Call& call) { return judged(call.hooks.validate(call.body), "valid"); }

AdminAnswer operator_page(const Call& call) {
    AdminAnswer out =
        page(kHtml, call.has_token ? page_with(call.hooks.status_json(), call.hooks.models_json())
                                   : page_without());
    out.is_page = true;
    return out;
}
AdminAnswer page_style(const Call&) { return page("text/css; charset=utf-8", page_css()); }
AdminAnswer page_script(const Call&) { return page("text/javascript; charset=utf-8", page_js()); }

AdminAnswer changed(std::string_view id, std::string_view what) {
    std::string body = R"({"id":)";
    text::append_json_string(body, id);
    body.append(",").append(what).append("}\n");
    return json(std::move(body));
}

AdminAnswer suspend(const Call& call, std::string_view id) {
    auto duration = call.options.suspend_default;
    if (const auto given = wire::find_parameter(call.query, "seconds")) {
        const auto seconds = text::parse_unsigned(given->value);
        const auto most = static_cast<std::uint64_t>(call.options.suspend_max.count());
        if (!seconds || *seconds == 0 || *seconds > most) {
            return admin_problem(400, "invalid_seconds",
                                 "seconds must be an integer from 1 to " + std::to_string(most));
        }
        duration = std::chrono::seconds(*seconds);
    }
    if (!call.hooks.suspend(id, duration)) {
        return admin_problem(404, "model_not_found", "no entry of that id; see /api/v1/models");
    }
    return changed(id, R"("suspended":true,"seconds":)" + std::to_string(duration.count()));
}

AdminAnswer resume(const Call& call, std::string_view id) {
    if (!call.hooks.resume(id)) {
        return admin_problem(404, "model_not_found", "no entry of that id; see /api/v1/models");
    }
    return changed(id, R"("suspended":false)");
}

AdminAnswer change_model(const Call& call) {
    const bool suspends = call.path.ends_with(kSuspend);
    const std::size_t tail = (suspends ? kSuspend : kResume).size();
    const std::size_t size = call.path.size() - kModels.size() - tail;
    const auto id = text::percent_decoded(call.path.substr(kModels.size(), size));
    if (!id) return admin_problem(400, "invalid_id", "malformed percent-encoding in the id");
    return suspends ? suspend(call, *id) : resume(call, *id);
}

using For = Route::For;
constexpr std::array kRoutes = {
    Route{"/", For::all, operator_page},
    Route{"/page.css", For::all, page_style},
    Route{"/page.js", For::all, page_script},
    Route{"/livez", For::all, live},
    Route{"/healthz", For::all, live},
    Route{"/readyz", For::all, ready},
    Route{"/metrics", For::all, metrics},
    Route{"/api/v1/status", For::reader, status},
    Route{"/api/v1/models", For::reader, models},
    Route{"/api/v1/limits", For::reader, limits},
    Route{"/api/v1/consumers", For::reader, consumers},
    Route{"/api/v1/requests", For::reader, requests},
    Route{"/api/v1/events", For::reader, events},
    Route{"/api/v1/config", For::reader, config},
    Route{"/api/v1/reload", For::changer, reload},
    Route{"/api/v1/validate", For::changer, validate},
    Route{"/api/v1/drain", For::changer, drain},
};
// One path for both methods.
constexpr Route kReadLevel{"/api/v1/log-level", For::reader, log_level};
constexpr Route kSetLevel{"/api/v1/log-level", For::changer, set_log_level};
constexpr Route kModelRoute{"/api/v1/models/ID/suspend", For::changer, change_model};

const Route* find_route(std::string_view path, std::string_view method) {
    if (path == kReadLevel.path) return method == "POST" ? &kSetLevel : &kReadLevel;
    for (const Route& route : kRoutes) {
        if (route.path == path) return &route;
    }
    if (!path.starts_with(kModels)) return nullptr;
    const auto rest = path.substr(kModels.size());
    const bool known = (rest.ends_with(kSuspend) && rest.size() > kSuspend.size()) ||
                       (rest.ends_with(kResume) && rest.size() > kResume.size());
    return known ? &kModelRoute : nullptr;
}

AdminAnswer not_found() {
    AdminAnswer out = admin_problem(404, "not_found", "no such path");
    out.body.erase(out.body.rfind('}'));
    out.body += R"(,"paths":[)";
    for (const Route& route : kRoutes) {
        text::append_json_string(out.body, route.path);
        out.body += ',';
    }
    out.body += R"("/api/v1/log-level",)";
    out.body += R"("/api/v1/models/ID/suspend?seconds=60","/api/v1/models/ID/resume"]})";
    out.body += '\n';
    return out;
}

std::string_view error_type(unsigned status) noexcept {
    if (status == 401) return "authentication_error";
    if (status == 403) return "permission_error";
    return status < 500 ? "invalid_request_error" : "server_error";
}

bool names_loopback(std::string_view host) noexcept {
    for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
        if (!text::istarts_with(host, name)) continue;
        const auto rest = host.substr(name.size());
        if (rest.empty()) return true;
        if (rest.front() == ':' && text::parse_unsigned(rest.substr(1))) return true;
    }
    return false;
}

// A page may send from its visitor's browser to loopback: its name is then in Origin, or, when its
// name server has rebound it to 127.0.0.1, in Host.
bool from_a_page(const AdminRequest& request) noexcept {
    if (request.bound_to_loopback && !request.host.empty() && !names_loopback(request.host)) {
        return true;
    }
    if (request.origin.empty()) return false;
    constexpr std::string_view scheme = "http://";
    return !text::istarts_with(request.origin, scheme) ||
           !text::iequals(request.origin.substr(scheme.size()), request.host);
}

bool is_local(const AdminRequest& request) noexcept {
    const bool named = request.host.empty() || names_loopback(request.host);
    return request.bound_to_loopback && request.from_loopback && named;
}

// Takes as long whichever byte differs.
bool same_token(std::string_view given, std::string_view token) noexcept {
    unsigned different = given.size() == token.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const bool same = given[i] == token[i % token.size()];
        different += same ? 0u : 1u;
    }
    return different == 0;
}

bool may_pass(const AdminRequest& request, const AdminOptions& options) noexcept {
    if (options.token.empty()) return is_local(request);
    constexpr std::string_view kScheme = "Bearer ";
    return text::istarts_with(request.authorization, kScheme) &&
           same_token(request.authorization.substr(kScheme.size()), options.token);
}

AdminAnswer turned_away(const AdminRequest& request) {
    if (!request.authorization.empty()) {
        return admin_problem(403, "forbidden", "that is not the admin token");
    }
    AdminAnswer out =
        admin_problem(401, "unauthorized", "all but health and metrics needs the admin token here");
    out.challenge = true;
    return out;
}

}  // namespace

AdminAnswer admin_problem(unsigned status, std::string_view code, std::string_view message) {
    AdminAnswer out;
    out.status = status;
    out.content_type = kJson;
    out.body = R"({"error":{"message":)";
    text::append_json_string(out.body, message);
    out.body += R"(,"type":")";
    out.body += error_type(status);
    out.body += R"(","param":null,"code":)";
    text::append_json_string(out.body, code);
    out.body += "}}\n";
    return out;
}

AdminAnswer answer(const AdminRequest& request, const AdminOptions& options,
                   const AdminHooks& hooks) {
    if (from_a_page(request)) {
        return admin_problem(403, "forbidden_host",
                             "ask for localhost, 127.0.0.1 or [::1], and not from another site");
    }
    const auto mark = request.target.find('?');
    const bool passes = may_pass(request, options);
    const Call call{
        request.target.substr(0, mark),
        mark == request.target.npos ? std::string_view{} : request.target.substr(mark + 1),
        request.body,
        passes,
        options,
        hooks,
        request.accept};
    const Route* route = find_route(call.path, request.method);
    if (route == nullptr) return not_found();
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool changes = route->who == For::changer;
    if (changes ? request.method != "POST" : !reads) {
        AdminAnswer out = admin_problem(405, "method_not_allowed", "reads are GET, changes POST");
        out.allow = changes ? "POST" : "GET, HEAD";
        if (route == &kReadLevel) out.allow = "GET, HEAD, POST";
        return out;
    }
    if (route->who != For::all && !passes) return turned_away(request);
    return route->run(call);
}

}  // namespace rotary::admin
