#include "proxy/upstream_request.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <re2/re2.h>

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

// The query with every parameter called `name` left out.
void append_query_without(std::string& out, std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        if (pair.substr(0, pair.find('=')) != name) {
            if (!out.empty()) out.push_back('&');
            out.append(pair);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
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
    if (place != nullptr && place->in == Place::query) {
        std::string query;
        append_query_without(query, exchange.query, place->name);
        if (!query.empty()) query.push_back('&');
        query.append(place->name).push_back('=');
        append_percent_encoded(query, target.entry->model);
        writer.append("?");
        writer.append(query);
    } else if (!exchange.query.empty()) {
        writer.append("?");
        writer.append(exchange.query);
    }
    if (!backend.credential_query.empty()) {
        const bool has_query = !exchange.query.empty() ||
                               (place != nullptr && place->in == Place::query);
        writer.append(has_query ? "&" : "?");
        writer.append(backend.credential_query);
    }
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
