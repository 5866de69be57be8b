#include <rotary/app/explain.hpp>

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/json_writer.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rotary::app {

namespace {

std::string body_of(const AskedOptions& options) {
    if (!options.body.starts_with('@')) return options.body;
    const std::string path = options.body.substr(1);
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::invalid_argument("-d: can't read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Header {
    std::string_view name;
    std::string_view value;
};

Header header_of(const std::string& line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument("-H: '" + line + "' is no 'name: value'");
    }
    const std::string_view text = line;
    const Header header{text.substr(0, colon), text::trim(text.substr(colon + 1))};
    if (!wire::is_token(header.name) || !wire::is_field_value(header.value)) {
        throw std::invalid_argument("-H: '" + line + "' can't be a header");
    }
    return header;
}

bool has_header(const AskedOptions& options, std::string_view name) {
    for (const std::string& line : options.headers) {
        if (text::iequals(header_of(line).name, name)) return true;
    }
    return false;
}

struct Url {
    bool is_tls = true;
    std::string authority;
    std::string target = "/";
};

Url url_of(const std::string& text) {
    Url url;
    std::string rest = text;
    for (const char* scheme : {"https://", "http://"}) {
        if (!text::istarts_with(text, scheme)) continue;
        url.is_tls = std::string_view(scheme) == "https://";
        rest = text.substr(std::string_view(scheme).size());
        break;
    }
    if (rest.find("://") < rest.find('/')) {
        throw std::invalid_argument("'" + text + "': the URL begins with neither https nor http");
    }
    rest = rest.substr(0, rest.find('#'));
    const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
    url.authority = rest.substr(0, path);
    if (url.authority.empty()) throw std::invalid_argument("'" + text + "' names no host");
    if (path < rest.size()) url.target = (rest[path] == '?' ? "/" : "") + rest.substr(path);
    return url;
}

void write_try(const proxy::ExplainedTry& one, wire::JsonWriter& json) {
    json.begin_object();
    if (!one.entry.empty()) json.string("entry", one.entry).string("model", one.model);
    json.string("backend", one.backend).string("method", one.method).string("url", one.url);
    json.begin_array("headers");
    for (const auto& [name, value] : one.headers) {
        json.begin_object().string("name", name).string("value", value).end_object();
    }
    json.end_array().number("body_bytes", one.body_bytes).end_object();
}

void write_rule(const proxy::Explanation& told, wire::JsonWriter& json) {
    const auto name = [&](const char* key, const std::string& value) {
        if (!value.empty()) json.string(key, value);
    };
    name("api", told.api);
    name("environment", told.environment);
    name("route", told.route);
    name("path", told.path);
    name("policy", told.policy);
    json.boolean("open", told.is_open);
    name("consumer", told.consumer);
    name("subject", told.subject);
}

std::string own_answer_text(const proxy::Explanation& told) {
    std::string text = "answer:      " + std::to_string(told.status);
    if (!told.code.empty()) text += " " + told.code;
    text += ", by Rotary itself\n";
    if (!told.message.empty()) text += "  message:   " + told.message + "\n";
    if (!told.reason.empty()) text += "  because:   " + told.reason + "\n";
    if (!told.location.empty()) text += "  location:  " + told.location + "\n";
    return text;
}

std::string caller_text(const proxy::Explanation& told) {
    if (told.is_open) return "anyone: the route is open";
    if (told.consumer.empty() && told.subject.empty()) return "not known";
    std::string text = told.consumer;
    if (!told.subject.empty() && told.subject != told.consumer) {
        text += " (subject " + told.subject + ")";
    }
    return text;
}

std::string rule_text(const proxy::Explanation& told) {
    if (told.api.empty()) return "route:       none\n";
    std::string text = "route:       " + told.path + " of HTTPRoute " + told.route + "\n";
    text += "api:         " + told.api + ", " + told.environment + "\n";
    if (!told.policy.empty()) text += "policy:      " + told.policy + "\n";
    text += "caller:      " + caller_text(told) + "\n";
    for (const proxy::ExplainedLimit& limit : told.limits) {
        text += "limit:       " + std::to_string(limit.amount) + " " + limit.what + " a " +
                limit.unit + " for " + limit.subject + " (" + limit.policy + ")\n";
    }
    return text;
}

std::string tries_text(const proxy::Explanation& told) {
    std::string text;
    for (std::size_t i = 0; i < told.tries.size(); ++i) {
        const proxy::ExplainedTry& one = told.tries[i];
        text += "\ntry " + std::to_string(i + 1) + ":       ";
        text += one.entry.empty() ? "Backend " + one.backend : one.entry;
        text += "\n  " + one.method + " " + one.url + "\n";
        for (const auto& [name, value] : one.headers) text += "  " + name + ": " + value + "\n";
    }
    return text;
}

}  // namespace

proxy::Asked asked_of(const AskedOptions& options) {
    const Url url = url_of(options.url);
    proxy::Asked asked;
    asked.is_tls = url.is_tls;
    asked.client_address = options.client_address;
    if (options.has_body) asked.body = body_of(options);
    const std::string method =
        !options.method.empty() ? options.method : (options.has_body ? "POST" : "GET");
    if (!wire::is_token(method)) throw std::invalid_argument("-X: '" + method + "' is no method");
    asked.head = method + " " + url.target + " HTTP/1.1\r\n";
    if (!has_header(options, "host")) asked.head += "Host: " + url.authority + "\r\n";
    for (const std::string& line : options.headers) {
        const Header header = header_of(line);
        asked.head.append(header.name).append(": ").append(header.value).append("\r\n");
    }
    if (options.has_body) {
        if (!has_header(options, "content-type")) {
            asked.head += "content-type: application/json\r\n";
        }
        if (!has_header(options, "content-length")) {
            asked.head += "content-length: " + std::to_string(asked.body.size()) + "\r\n";
        }
    }
    asked.head += "\r\n";
    return asked;
}

std::string to_text(const proxy::Explanation& told) {
    std::string text = rule_text(told);
    if (told.status != 0) text += own_answer_text(told);
    if (told.rotates) text += "entries:\n";
    for (const proxy::ExplainedEntry& entry : told.entries) {
        const std::string turn = entry.turn == 0 ? "-" : std::to_string(entry.turn);
        text += "  " + turn + "  " + entry.id + " (weight " + std::to_string(entry.weight) +
                "): " + entry.why + "\n";
    }
    return text + tries_text(told);
}

std::string to_json(const proxy::Explanation& told) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object();
    json.string("answered_by", told.status != 0 ? "rotary" : "provider");
    if (told.status != 0) json.number("status", told.status);
    if (!told.code.empty()) json.string("code", told.code).string("message", told.message);
    if (!told.reason.empty()) json.string("reason", told.reason);
    if (!told.location.empty()) json.string("location", told.location);
    write_rule(told, json);
    json.boolean("rotates", told.rotates).number("max_attempts", told.max_attempts);
    json.begin_array("limits");
    for (const proxy::ExplainedLimit& limit : told.limits) {
        json.begin_object().string("policy", limit.policy).string("for", limit.subject);
        json.string("counts", limit.what).number("amount", limit.amount);
        json.string("per", limit.unit).end_object();
    }
    json.end_array().begin_array("entries");
    for (const proxy::ExplainedEntry& entry : told.entries) {
        json.begin_object().string("id", entry.id).number("weight", entry.weight);
        json.number("turn", entry.turn).string("why", entry.why).end_object();
    }
    json.end_array().begin_array("tries");
    for (const proxy::ExplainedTry& one : told.tries) write_try(one, json);
    json.end_array().end_object();
    return out + "\n";
}

}  // namespace rotary::app
