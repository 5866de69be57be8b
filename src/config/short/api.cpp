#include "config/short/read.hpp"

#include <algorithm>
#include <set>

#include <rotary/config/yaml/suggest.hpp>
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kFilled{.required = true, .min = 1};

std::vector<std::string> endpoint_names(bool with_model_only) {
    std::vector<std::string> names;
    for (const Endpoint& endpoint : known_endpoints()) {
        if (endpoint.takes_model || !with_model_only) {
            names.emplace_back(endpoint.name);
        }
    }
    return names;
}

void read_endpoints(Fields& fields, bool of_entry, std::vector<std::string>& out) {
    const std::vector<std::string> known = endpoint_names(of_entry);
    fields.each_text("endpoints",
                     [&](const std::string& name, const Mark& mark) {
                         if (std::find(known.begin(), known.end(), name) == known.end()) {
                             fields.reading().findings.push_back(
                                 error_at(mark, "there is no endpoint " + shown(name) +
                                                    (of_entry ? " that takes a model" : "") +
                                                    what_is_there(name, known)));
                         } else if (std::find(out.begin(), out.end(), name) != out.end()) {
                             fields.reading().findings.push_back(error_at(mark, "is named twice"));
                         } else {
                             out.push_back(name);
                         }
                     },
                     {.min = 1}, {.min = 1});
    fields.knows("endpoints", known);
}

void read_entry(Fields& fields, const ShortForm& form, std::vector<ShortEntry>& out) {
    ShortEntry entry;
    std::string model;
    if (fields.text("model", model, kFilled)) {
        entry.model = written(fields, "model");
    }
    std::vector<std::string> known;
    for (const ShortProvider& provider : form.providers) {
        known.push_back(provider.name);
    }
    if (fields.has("provider") || known.size() != 1) {
        if (fields.text("provider", entry.provider, kFilled)) {
            entry.provider_place = written(fields, "provider");
            if (std::find(known.begin(), known.end(), entry.provider) == known.end()) {
                fields.error("provider", "there is no provider " + shown(entry.provider) +
                                             what_is_there(entry.provider, known));
            }
        }
    } else {
        entry.provider = known[0];  // the only one need not be named
        entry.provider_place = entry.model;
    }
    std::uint32_t weight = 1;
    if (fields.number("weight", weight, {.min = 0, .max = 1'000'000'000})) {
        entry.weight = written(fields, "weight");
    }
    read_endpoints(fields, true, entry.endpoints);
    if (!fields.has("endpoints")) {
        for (const Endpoint& endpoint : known_endpoints()) {
            if (endpoint.by_default) {
                entry.endpoints.emplace_back(endpoint.name);
            }
        }
    }
    out.push_back(std::move(entry));
}

// A list of entries, or a mapping of hosts and models.
std::optional<ShortSide> read_side(Fields& fields, const char* key, bool required,
                                   const ShortForm& form) {
    ShortSide side;
    const auto read_list = [&](Fields& from, const char* list) {
        from.each(list, [&](Fields& entry) { read_entry(entry, form, side.entries); },
                  {.required = true, .min = 1});
    };
    if (!fields.has(key) && !required) {
        fields.tolerate({key});
        return std::nullopt;
    }
    if (!fields.is_map(key)) {
        read_list(fields, key);
        return side;
    }
    fields.object(
        key,
        [&](Fields& inner) {
            std::vector<std::string> hosts;
            inner.texts("hosts", hosts, {.min = 1, .max = 64}, {.min = 1});
            if (inner.has("hosts") && written(inner, "hosts").kind == Node::Kind::list) {
                side.hosts = written(inner, "hosts").items;
            }
            read_list(inner, "models");
        },
        required);
    return side;
}

Shape hashes_by_consumer() {
    Shape hash;
    hash.kind = Shape::Kind::text;
    Shape hashes;
    hashes.kind = Shape::Kind::list;
    hashes.list.min = 1;
    hashes.item.push_back(hash);
    hash.others.push_back(std::move(hashes));
    Shape shape;
    shape.kind = Shape::Kind::object;
    shape.list.min = 1;
    shape.named.push_back(std::move(hash));
    return shape;
}

// Of a consumer one hash or several. Hashes themselves are looked at where they are read.
void read_keys(Fields& fields, ShortApi& api) {
    fields.takes("keys", hashes_by_consumer());
    if (!fields.has("keys")) {
        return;
    }
    if (!fields.is_map("keys") || written(fields, "keys").members.empty()) {
        fields.error("keys",
                     "must be a mapping of consumers to the hashes of their keys, which "
                     "`rotary key new --consumer NAME` prints");
        return;
    }
    for (const Member& member : written(fields, "keys").members) {
        const bool is_list = member.value.kind == Node::Kind::list && !member.value.items.empty();
        const std::vector<Node> hashes =
            is_list ? member.value.items : std::vector<Node>{member.value};
        for (const Node& hash : hashes) {
            if (hash.kind == Node::Kind::scalar) {
                api.keys.emplace_back(member.key, hash);
            } else if (hash.kind != Node::Kind::broken) {
                fields.reading().findings.push_back(
                    error_at({fields.reading().file, hash.line, hash.column,
                              fields.mark_of("keys").path + '.' + member.key},
                             "expected the hash of a key, or a list of hashes"));
            }
        }
    }
}

void read_issuer(Fields& fields, ShortApi& api) {
    if (fields.text("issuer", api.issuer, {.min = 1})) {
        api.issuer_place = written(fields, "issuer");
    }
    if (fields.text("jwks", api.jwks, {.min = 1})) {
        api.jwks_place = written(fields, "jwks");
        constexpr std::string_view kFile = "file:";
        if (api.jwks.starts_with(kFile) && api.jwks.size() > kFile.size() &&
            !api.jwks.starts_with("file:/")) {
            api.jwks = std::string(kFile) + absolute_path(fields, api.jwks.substr(kFile.size()));
        }
        if (!fields.has("issuer")) {
            fields.error("jwks", "are the keys of an issuer: `issuer` is missing");
        }
    }
}

void read_path(Fields& fields, ShortApi& api) {
    if (fields.text("path", api.path, kFilled)) {
        api.path_place = written(fields, "path");
        const std::string last = api.path.substr(api.path.rfind('/') + 1);
        const bool is_v = last.size() > 1 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9';
        api.version = is_v ? last.substr(1) : last;
        if (!api.path.starts_with('/') || last.empty()) {
            fields.error("path", "must begin with '/' and end with the API's version, such as /v1");
        }
    }
    for (const char c : api.path) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        api.name += fits || lower != c ? lower : '-';
    }
    api.name.erase(0, api.name.find_first_not_of("-."));
    fields.text("name", api.name,
                {.min = 1, .max = 60, .fits = is_object_name, .shape = kNameShape});
}

// What the API has: what it names, or what its entries have.
void settle_endpoints(Fields& fields, ShortApi& api) {
    std::set<std::string> had;
    for (const ShortSide* side : {&api.production, api.sandbox ? &*api.sandbox : nullptr}) {
        for (std::size_t i = 0; side != nullptr && i < side->entries.size(); ++i) {
            had.insert(side->entries[i].endpoints.begin(), side->entries[i].endpoints.end());
        }
    }
    const auto is_named = [&](const std::string& name) {
        return std::find(api.endpoints.begin(), api.endpoints.end(), name) != api.endpoints.end();
    };
    if (!fields.has("endpoints")) {
        for (const Endpoint& endpoint : known_endpoints()) {
            if (had.contains(endpoint.name)) {
                api.endpoints.emplace_back(endpoint.name);
            }
        }
        return;
    }
    for (const Endpoint& endpoint : known_endpoints()) {
        if (endpoint.takes_model && is_named(endpoint.name) && !had.contains(endpoint.name)) {
            fields.error("endpoints", std::string("no model has the endpoint ") +
                                          shown(endpoint.name) + ": give one `endpoints: [" +
                                          endpoint.name + "]`");
        }
        if (endpoint.takes_model && !endpoint.by_default && had.contains(endpoint.name) &&
            !is_named(endpoint.name)) {
            fields.error("endpoints",
                         "leaves out " + shown(endpoint.name) + ", which a model names");
        }
    }
}

void read_api(Fields& fields, ShortForm& form) {
    ShortApi api;
    api.place = fields.node();
    api.place.members.clear();
    read_path(fields, api);
    read_issuer(fields, api);
    read_keys(fields, api);
    std::uint32_t seconds = 0;
    if (fields.number("suspend_seconds", seconds, {.min = 0, .max = 366LL * 24 * 3600})) {
        api.suspend_seconds = written(fields, "suspend_seconds");
    }
    read_endpoints(fields, false, api.endpoints);
    api.production = read_side(fields, "production", true, form).value_or(ShortSide{});
    api.sandbox = read_side(fields, "sandbox", false, form);
    if (api.sandbox && api.sandbox->hosts.empty()) {
        fields.error("sandbox",
                     "needs `hosts`, which tell its requests from production's: "
                     "{hosts: [sandbox.example.com], models: […]}");
    }
    settle_endpoints(fields, api);
    for (const ShortApi& other : form.apis) {
        if (other.name == api.name && !api.name.empty()) {
            fields.error("", "another API is called " + shown(api.name) + ", on line " +
                                 std::to_string(other.place.line) +
                                 "; `name` gives this one another name");
        }
    }
    form.apis.push_back(std::move(api));
}

void add_places(const Node& node, const std::string& path, ShortPlaces& places) {
    places.emplace(std::pair(node.line, node.column), path);
    for (const Member& member : node.members) {
        const std::string below = path.empty() ? member.key : path + '.' + member.key;
        places.emplace(std::pair(member.line, member.column), below);
        add_places(member.value, below, places);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        add_places(node.items[i], path + '[' + std::to_string(i) + ']', places);
    }
}

}  // namespace

ShortForm read_short_form(Fields& top) {
    ShortForm form;
    std::vector<Finding>& findings = top.reading().findings;
    const std::size_t before = findings.size();
    read_providers(top, form);
    top.each("apis", [&](Fields& fields) { read_api(fields, form); }, {.min = 1, .max = 1000});
    form.broken = has_errors(std::span(findings).subspan(before));
    return form;
}

ShortPlaces places_of_short_form(const Node& root) {
    ShortPlaces places;
    for (const char* key : {"providers", "apis"}) {
        if (const Node* node = root.find(key)) {
            add_places(*node, key, places);
        }
    }
    return places;
}

}  // namespace rotary::config
