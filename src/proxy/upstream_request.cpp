#include "proxy/upstream_request.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <re2/re2.h>

#include <algorithm>

namespace rotary::proxy {

namespace {

using Place = config::ValueLocation::In;

// RFC 3986 section 2.3: what needs no escape in a path segment or a query value.
void append_percent_encoded(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
}

// The first group of `pattern` in `path` becomes the model. Cold: only for providers that name the
// model in the path, and RE2 keeps no state between the calls.
std::string with_model_in_path(std::string_view path, const std::string& pattern,
                               std::string_view model) {
    const re2::RE2 expression(pattern, re2::RE2::Quiet);
    re2::StringPiece groups[2];
    std::string changed(path);
    if (!expression.ok() || expression.NumberOfCapturingGroups() < 1 ||
        !expression.Match(re2::StringPiece(path.data(), path.size()), 0, path.size(),
                          re2::RE2::UNANCHORED, groups, 2) ||
        groups[1].data() == nullptr) {
        return changed;
    }
    std::string encoded;
    append_percent_encoded(encoded, model);
    changed.replace(static_cast<std::size_t>(groups[1].data() - path.data()), groups[1].size(),
                    encoded);
    return changed;
}

// Whether a parameter stays here: it holds the client's credential, or is one that we set.
bool is_withheld(const Exchange& exchange, const policy::ModelPlace* place, std::string_view name) {
    if (place != nullptr && place->in == Place::query && name == place->name) return true;
    for (const config::ApiKeyLocation& key : exchange.route->auth.api_keys) {
        const bool in_query = key.in == config::ApiKeyLocation::In::query;
        if (in_query && !key.send_token_upstream && name == key.name) return true;
    }
    for (const policy::Backend& backend : exchange.wiring->snapshot->backends) {
        const std::string_view own = backend.credential_query;
        if (!own.empty() && own.substr(0, own.find('=')) == name) return true;
    }
    return false;
}

// The client's query as it came, but for what is withheld; then the model and the Backend's key.
void write_query(const Exchange& exchange, const Target& target, const policy::ModelPlace* place,
                 wire::HeadWriter& writer) {
    std::string_view separator = "?";
    const auto add = [&](std::string_view parameter) {
        writer.append(separator);
        writer.append(parameter);
        separator = "&";
    };
    const std::string_view query = exchange.query;
    for (std::size_t at = 0; at <= query.size() && !query.empty();) {
        const std::size_t end = std::min(query.find('&', at), query.size());
        const std::string_view pair = query.substr(at, end - at);
        if (!is_withheld(exchange, place, pair.substr(0, pair.find('=')))) add(pair);
        at = end + 1;
    }
    if (place != nullptr && place->in == Place::query) {
        std::string model = place->name + "=";
        append_percent_encoded(model, target.entry->model);
        add(model);
    }
    const policy::Backend& backend = exchange.wiring->snapshot->backends[target.backend];
    if (!backend.credential_query.empty()) add(backend.credential_query);
}

// The request target: the Backend's base path, the rewritten path, the query, its key.
void write_target(Context& context, const Exchange& exchange, const Target& target,
                  wire::HeadWriter& writer) {
    const policy::Backend& backend = exchange.wiring->snapshot->backends[target.backend];
    const config::PathRewrite* rewrite =
        exchange.route->rewrite ? &*exchange.route->rewrite : nullptr;
    const std::string_view path =
        exchange.rule->pattern.rewritten(exchange.path, rewrite, context.scratch.path);
    const policy::ModelPlace* place =
        target.entry != nullptr && exchange.list != nullptr ? &exchange.list->model_place : nullptr;

    writer.append(exchange.method);
    writer.append(" ");
    writer.append(backend.base_path);
    if (place != nullptr && place->in == Place::path) {
        writer.append(with_model_in_path(path, place->name, target.entry->model));
    } else {
        writer.append(path);
    }
    write_query(exchange, target, place, writer);
    writer.append(" HTTP/1.1\r\n");
}

// The body with the entry's model in it, as up to three pieces; says how long they are together.
std::size_t splice(const Exchange& exchange, const policy::Entry* entry,
                   std::array<std::string_view, 4>& pieces) {
    const std::string_view body = exchange.body;
    const bool in_body = entry != nullptr && exchange.list != nullptr &&
                         exchange.list->model_place.in == Place::body;
    if (!in_body) {
        pieces[1] = body;
        return body.size();
    }
    const wire::ScannedBody& scan = exchange.scan;
    if (scan.model.found) {
        pieces[1] = body.substr(0, scan.model.begin);
        pieces[2] = entry->model_json;
        pieces[3] = body.substr(scan.model.end);
    } else {
        pieces[1] = body.substr(0, scan.object_open);
        pieces[2] = scan.empty_object ? entry->model_member : entry->model_member_comma;
        pieces[3] = body.substr(scan.object_open);
    }
    return pieces[1].size() + pieces[2].size() + pieces[3].size();
}

}  // namespace

UpstreamRequest write_upstream_request(Context& context, const Exchange& exchange,
                                       const Target& target) {
    UpstreamRequest request;
    const policy::Backend& backend = exchange.wiring->snapshot->backends[target.backend];
    std::vector<char>& space = context.scratch.head;
    wire::HeadWriter writer(space.data(), space.size());
    write_target(context, exchange, target, writer);
    writer.header("Host", backend.host_header);
    writer.append(backend.credential_line);
    writer.append(exchange.lines.view());
    if (target.entry != nullptr && exchange.list != nullptr &&
        exchange.list->model_place.in == Place::header) {
        writer.header(exchange.list->model_place.name, target.entry->model);
    }
    const std::size_t length = splice(exchange, target.entry, request.pieces);
    const bool has_body = exchange.framing != wire::Framing::none || exchange.method == "POST" ||
                          exchange.method == "PUT" || exchange.method == "PATCH";
    if (has_body) writer.header("content-length", static_cast<std::uint64_t>(length));
    writer.finish();
    request.pieces[0] = writer.view();
    request.ok = writer.ok();
    return request;
}

}  // namespace rotary::proxy
