#include <rotary/app/explain.hpp>

#include <rotary/wire/json_writer.hpp>

#include <algorithm>
#include <array>

namespace rotary::app {

namespace {

using Line = std::array<std::string, 5>;

std::uint64_t weights_of(const routing::EntryList& list) {
    std::uint64_t sum = 0;
    for (const routing::Entry& entry : list.entries) sum += entry.weight;
    return sum;
}

bool is_list_of_models(const routing::Route& route, const routing::RouteTable::Rule& rule) {
    return (route.endpoints & config::kListOfModels) != 0 && rule.pattern.is_fixed() &&
           config::endpoint_of(rule.pattern.shown()) == config::kListOfModels;
}

// "gpt-4o@openai 5, gpt-4o-mini@openai 3": what an entry's weight is of the sum is its share.
std::string target_text(const routing::Snapshot& snapshot, const routing::RouteTable::Rule& rule) {
    const routing::Route& route = snapshot.routes[rule.route];
    if (is_list_of_models(route, rule)) return "the list of models, by Rotary";
    if (route.redirect) return "redirect " + std::to_string(route.redirect->status);
    std::string text;
    if (route.list) {
        for (const routing::Entry& entry : snapshot.lists[*route.list].entries) {
            if (!text.empty()) text += ", ";
            text += entry.model + "@" + snapshot.backends[entry.backend].name + " " +
                    std::to_string(entry.weight);
        }
        return text;
    }
    for (const std::size_t backend : route.backends) {
        text += (text.empty() ? "" : ", ") + snapshot.backends[backend].name;
    }
    return text + " (no rotation)";
}

void write_entries(const routing::Snapshot& snapshot, const routing::EntryList& list,
                   wire::JsonWriter& json) {
    const auto sum = static_cast<double>(weights_of(list));
    json.begin_array("entries");
    for (const routing::Entry& entry : list.entries) {
        json.begin_object().string("id", entry.id).string("model", entry.model);
        json.string("backend", snapshot.backends[entry.backend].name);
        json.number("weight", entry.weight);
        json.real("share", sum > 0 ? static_cast<double>(entry.weight) / sum : 0.0).end_object();
    }
    json.end_array();
}

}  // namespace

std::string routes_text(const routing::Snapshot& snapshot) {
    std::vector<Line> lines{{"METHOD", "HOST", "PATH", "API", "TO"}};
    snapshot.table.each([&](const std::string& host, const routing::RouteTable::Rule& rule) {
        const routing::Route& route = snapshot.routes[rule.route];
        std::string api = route.api + " " + std::string(to_string(route.environment));
        if (route.auth.disabled) api += ", open";
        lines.push_back({rule.method.empty() ? "*" : rule.method, host.empty() ? "*" : host,
                         rule.pattern.shown(), std::move(api), target_text(snapshot, rule)});
    });
    std::array<std::size_t, 5> widths{};
    for (const Line& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            widths[i] = std::max(widths[i], line[i].size());
        }
    }
    std::string text;
    for (const Line& line : lines) {
        for (std::size_t i = 0; i + 1 < line.size(); ++i) {
            text.append(line[i]).append(widths[i] + 2 - line[i].size(), ' ');
        }
        text.append(line.back()).append("\n");
    }
    return text;
}

std::string routes_json(const routing::Snapshot& snapshot) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_array();
    snapshot.table.each([&](const std::string& host, const routing::RouteTable::Rule& rule) {
        const routing::Route& route = snapshot.routes[rule.route];
        json.begin_object().string("host", host.empty() ? "*" : host);
        json.string("method", rule.method.empty() ? "*" : rule.method);
        json.string("path", rule.pattern.shown()).string("api", route.api);
        json.string("environment", to_string(route.environment)).string("route", route.name);
        if (!route.policy.empty()) json.string("policy", route.policy);
        json.boolean("open", route.auth.disabled);
        if (route.redirect) json.number("redirect", route.redirect->status);
        if (is_list_of_models(route, rule)) {
            json.boolean("list_of_models", true).begin_array("backends").end_array().end_object();
            return;
        }
        if (route.list) write_entries(snapshot, snapshot.lists[*route.list], json);
        json.begin_array("backends");
        for (const std::size_t backend : route.backends) {
            json.string(snapshot.backends[backend].name);
        }
        json.end_array().end_object();
    });
    json.end_array();
    return out + "\n";
}

}  // namespace rotary::app
