#include "app/summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <variant>

#include <rotary/config/check/effective.hpp>

namespace rotary::app {

namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kOff = "\x1b[0m";

class Page {
public:
    explicit Page(bool coloured) : coloured_(coloured) {}

    Page& text(std::string_view text) {
        out_ += text;
        return *this;
    }
    Page& in(const char* colour, std::string_view text) {
        if (coloured_) out_ += colour;
        out_ += text;
        if (coloured_) out_ += kOff;
        return *this;
    }
    // Behind at least one space, from this column of the field on.
    Page& padded(std::string_view text, std::size_t width) {
        out_ += text;
        out_.append(text.size() < width ? width - text.size() : 1, ' ');
        return *this;
    }
    std::string take() { return std::move(out_); }

private:
    bool coloured_;
    std::string out_;
};

std::string origin_of(const config::Listener& listener, const std::string& host) {
    const bool is_v6 = host.find(':') != host.npos;
    std::string origin = listener.tls ? "https://" : "http://";
    origin += is_v6 ? "[" + host + "]" : host;
    origin += ':';
    return origin + (listener.port == 0 ? "PORT" : std::to_string(listener.port));
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%5.1f %%",
                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
    return text.data();
}

// One environment of an API, as it is called and listed.
struct Side {
    const char* name;
    const std::vector<config::Reference>* routes;
    std::vector<config::ModelEntry> config::ModelRotation::*list;
};

std::array<Side, 2> sides_of(const config::Api& api) {
    return {Side{"production", &api.production, &config::ModelRotation::production},
            Side{"sandbox", &api.sandbox, &config::ModelRotation::sandbox}};
}

void add_entries(Page& page, const std::vector<config::ModelEntry>& entries) {
    std::uint64_t whole = 0;
    for (const config::ModelEntry& entry : entries) whole += entry.weight;
    for (const config::ModelEntry& entry : entries) {
        page.text("      ").in(kGreen, whole == 0 ? "    0 %" : percent(entry.weight, whole));
        page.text("  ").padded(entry.model, 32);
        page.padded(entry.backend ? entry.backend->name : "the route's provider", 20);
        page.text("weight " + std::to_string(entry.weight) + "\n");
    }
}

// A route of an API.
struct Place {
    const config::Api& api;
    const Side& side;
    const config::HttpRoute& route;
};

void add_rule(Page& page, const config::Loaded& loaded, const Place& place,
              const config::HttpRouteRule& rule) {
    const config::Api& api = place.api;
    const std::string host = place.route.hostnames.empty() ? "*" : place.route.hostnames[0];
    const config::EffectivePolicy policy = config::effective_policy(loaded.resources, api, rule);
    const bool lists =
        policy.rotation != nullptr && (policy.rotation->endpoints & config::kListOfModels) != 0;
    for (const config::RouteMatch& match : rule.matches) {
        page.text("  ").in(kBold, match.method.empty() ? "any " : match.method + " ");
        page.text(host + api.base_path + match.path.value);
        if (match.path.type == config::PathType::prefix) page.text("/...");
        if (lists && config::endpoint_of(match.path.value) == config::kListOfModels) {
            page.text(", answered here");
        }
        page.in(kDim, "  (" + api.metadata.name + ", " + place.side.name + ")").text("\n");
    }
    const auto list = place.side.list;
    if (policy.rotation != nullptr && !(policy.rotation->*list).empty()) {
        add_entries(page, policy.rotation->*list);
    } else if (rule.redirect) {
        page.text("      a redirect\n");
    } else {
        page.text("      ").in(kYellow, "no rotation: its clients name the model").text("\n");
    }
}

template <class Visit>
void each_rule(const config::Loaded& loaded, const Visit& visit) {
    for (const config::Api& api : loaded.resources.apis) {
        for (const Side& side : sides_of(api)) {
            for (const config::Reference& reference : *side.routes) {
                const config::HttpRoute* route = loaded.resources.find_route(reference.name);
                if (route == nullptr) continue;
                for (const config::HttpRouteRule& rule : route->rules) {
                    visit(Place{api, side, *route}, rule);
                }
            }
        }
    }
}

std::string key_source(const config::Loaded& loaded, const config::Backend& backend) {
    const config::KeyReference* reference = nullptr;
    if (const auto* key = std::get_if<config::ApiKeySecurity>(&backend.security)) {
        reference = &key->value;
    } else if (const auto* basic = std::get_if<config::BasicSecurity>(&backend.security)) {
        reference = &basic->password;
    }
    if (reference == nullptr) return "no key";
    const config::SecretObject* secret = loaded.resources.find_secret(reference->name);
    std::string file;
    if (secret != nullptr && secret->values.contains(reference->key)) {
        file = secret->values.find(reference->key)->second.file;
    }
    return "key: secret " + reference->name + "/" + reference->key +
           (file.empty() ? "" : ", from " + file);
}

void add_providers(Page& page, const config::Loaded& loaded) {
    for (const config::Backend& backend : loaded.resources.backends) {
        const bool is_tls = backend.protocol == config::Protocol::https;
        page.text("  ").padded(backend.metadata.name, 20);
        page.text(std::string(is_tls ? "https://" : "http://") + backend.host + ":" +
                  std::to_string(backend.port) + backend.base_path + "  ");
        page.in(kDim, key_source(loaded, backend)).text("\n");
    }
}

// For the first route that takes a chat's requests.
void add_line_to_paste(Page& page, const config::Loaded& loaded) {
    if (loaded.config.listeners.empty()) return;
    const config::Listener& listener = loaded.config.listeners[0];
    std::string line;
    each_rule(loaded, [&](const Place& place, const config::HttpRouteRule& rule) {
        const std::vector<std::string>& hosts = place.route.hostnames;
        for (const config::RouteMatch& match : rule.matches) {
            const std::string& path = match.path.value;
            if (!line.empty() || !path.ends_with("/chat/completions")) continue;
            const bool any_host = hosts.empty() || hosts[0].starts_with('*');
            line = "curl ";
            if (!any_host) {
                line += "--connect-to ::127.0.0.1:" + std::to_string(listener.port) + ' ';
            }
            line += origin_of(listener, any_host ? "localhost" : hosts[0]);
            line += place.api.base_path + path;
        }
    });
    if (line.empty()) return;
    page.in(kBold, "Try it").text("\n  ").text(line);
    page.text(" -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'");
    page.text(" -d '{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}'\n");
}

}  // namespace

bool wants_colour(bool is_terminal, const config::Environment& environment) {
    const auto is_set = [&](const char* name) { return !environment(name).value_or("").empty(); };
    if (is_set("NO_COLOR")) return false;
    if (is_set("CLICOLOR_FORCE") && environment("CLICOLOR_FORCE") != "0") return true;
    return is_terminal && environment("TERM").value_or("dumb") != "dumb";
}

std::string start_summary(const config::Loaded& loaded, bool coloured) {
    Page page(coloured);
    page.in(kBold, "Listening").text("\n");
    for (const config::Listener& listener : loaded.config.listeners) {
        page.text("  ").padded(origin_of(listener, listener.address), 32);
        if (!listener.tls) page.in(kYellow, "unencrypted");
        page.text("\n");
    }
    config::Listener admin;
    admin.port = loaded.config.admin.port;
    page.text("  ").padded(origin_of(admin, loaded.config.admin.address), 32);
    page.in(kDim, "health, metrics, status").text("\n");
    page.in(kBold, "Routes").text("\n");
    each_rule(loaded, [&](const Place& place, const config::HttpRouteRule& rule) {
        add_rule(page, loaded, place, rule);
    });
    page.in(kBold, "Providers").text("\n");
    add_providers(page, loaded);
    add_line_to_paste(page, loaded);
    return page.take();
}

std::string short_summary(const config::Loaded& loaded) {
    std::size_t rules = 0;
    std::size_t entries = 0;
    each_rule(loaded, [&](const Place& place, const config::HttpRouteRule& rule) {
        ++rules;
        const auto policy = config::effective_policy(loaded.resources, place.api, rule);
        entries += policy.rotation == nullptr ? 0 : (policy.rotation->*place.side.list).size();
    });
    const auto count = [](std::size_t number, const char* one, const char* more) {
        return std::to_string(number) + " " + (number == 1 ? one : more);
    };
    return count(loaded.resources.apis.size(), "API", "APIs") + ", " +
           count(rules, "rule", "rules") + ", " + count(entries, "model entry", "model entries") +
           ", " + count(loaded.resources.backends.size(), "provider", "providers");
}

}  // namespace rotary::app
