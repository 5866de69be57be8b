#include "proxy/admit.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>
#include <optional>

namespace rotary::proxy {

Result<void> match(Context&, Exchange& exchange) {
    if (policy::has_dot_segment(exchange.path)) {
        return Fault::client(FaultKind::bad_request, "The path holds a \".\" or \"..\" segment.");
    }
    const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
    const auto found = snapshot.table.find(exchange.host, exchange.path, exchange.method);
    if (found.rule == nullptr) {
        return Fault::client(found.path_known ? FaultKind::method_not_allowed
                                              : FaultKind::route_not_found);
    }
    exchange.rule = found.rule;
    exchange.route_index = found.rule->route;
    exchange.route = &snapshot.routes[exchange.route_index];
    return {};
}

namespace {

struct Presented {
    std::string_view token;
    bool from_oauth2 = false;
};

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
            return pair.substr(equals + 1);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return std::nullopt;
}

// Why a token was not good enough. A dependency's failure wins over the caller's: a client that
// hears 401 throws its token away.
struct Refusals {
    std::optional<Fault> first;
    void add(const Fault& fault) {
        if (!first || fault.kind == FaultKind::issuer_unavailable) first = fault;
    }
};

class Authenticator {
public:
    Authenticator(Context& context, const Exchange& exchange, KeyNeed& need)
        : context_(context), exchange_(exchange), rules_(exchange.route->auth), need_(need) {}

    Result<void> run() {
        if (rules_.disabled) return {};
        if (accepts_oauth2() || accepts_jwt() || accepts_api_key()) return {};
        if (refusals_.first) return *refusals_.first;
        // With OAuth2 optional a request without any token passes; with OAuth2 off one of the other
        // kinds must be there, or all of them would be off and the route open.
        const bool may_be_absent = !rules_.oauth2.disabled && !rules_.oauth2.required;
        if (may_be_absent && rules_.scopes.empty()) return {};
        return Fault::client(FaultKind::missing_credentials);
    }

private:
    bool accepts_oauth2() {
        if (rules_.oauth2.disabled) return false;
        const wire::Header* header = context_.scratch.request.headers.find(rules_.oauth2.header);
        if (header == nullptr) return false;
        constexpr std::string_view kScheme = "bearer ";
        if (!text::istarts_with(header->value, kScheme)) {
            refusals_.add(Fault::client(FaultKind::missing_credentials,
                                        "The Authorization header holds no Bearer token."));
            return false;
        }
        return accepts(text::trim(header->value.substr(kScheme.size())), {});
    }

    bool accepts_jwt() {
        if (rules_.jwt.disabled) return false;
        const wire::Header* header = context_.scratch.request.headers.find(rules_.jwt.header);
        return header != nullptr && accepts(header->value, rules_.jwt.audience);
    }

    bool accepts_api_key() {
        for (const config::ApiKeyLocation& place : rules_.api_keys) {
            if (place.in == config::ApiKeyLocation::In::query) {
                const auto value = query_parameter(exchange_.query, place.name);
                if (value && accepts(*value, {})) return true;
                continue;
            }
            const wire::Header* header = context_.scratch.request.headers.find(place.name);
            if (header != nullptr && accepts(header->value, {})) return true;
        }
        return false;
    }

    bool accepts(std::string_view token, std::span<const std::string> audience) {
        const WallTime now = exchange_.started_wall;
        const policy::IssuerTable& issuers = *context_.issuers;
        const policy::Claims* known = context_.tokens.find(token, now, issuers.generation());
        if (known != nullptr) return grants(*known, audience);

        const config::Limits& limits = exchange_.limits();
        policy::JwtLimits jwt_limits;
        jwt_limits.token_bytes = limits.token_bytes;
        jwt_limits.json_depth = limits.json_depth;
        jwt_limits.leeway =
            std::chrono::duration_cast<std::chrono::seconds>(exchange_.timeouts().token_leeway);
        const auto verified = policy::verify(token, issuers.issuers(), now, jwt_limits);
        if (!verified) {
            refusals_.add(lacks_key(context_, exchange_, verified.error(), need_));
            return false;
        }
        context_.tokens.put(token, *verified, now, issuers.generation());
        return grants(**verified, audience);
    }

    bool grants(const policy::Claims& claims, std::span<const std::string> audience) {
        if (!claims.meant_for(audience)) {
            refusals_.add(
                Fault::client(FaultKind::invalid_token, "The token is for another audience."));
            return false;
        }
        for (const std::vector<std::string>& any_of : rules_.scopes) {
            const bool has_one = std::any_of(any_of.begin(), any_of.end(), [&](const auto& scope) {
                return claims.has_scope(scope);
            });
            if (!has_one) {
                refusals_.add(Fault::client(FaultKind::scope_denied));
                return false;
            }
        }
        return true;
    }

    Context& context_;
    const Exchange& exchange_;
    const policy::AuthRules& rules_;
    KeyNeed& need_;
    Refusals refusals_;
};

// Whether a client's field goes on: not what belongs to this connection, not its credentials, not
// what a Backend's own key will be sent as.
bool goes_on(const Exchange& exchange, const wire::HeaderTable& headers,
             const wire::Header& header) {
    const policy::AuthRules& auth = exchange.route->auth;
    const config::HeaderModifier& edits = exchange.route->request_headers;
    const auto is_named = [&](const std::string& name) { return text::iequals(name, header.name); };

    if (std::any_of(edits.remove.begin(), edits.remove.end(), is_named)) return false;
    for (const config::HeaderEdit& edit : edits.set) {
        if (is_named(edit.name)) return false;
    }
    for (const policy::Backend& backend : exchange.wiring->snapshot->backends) {
        if (!backend.credential_name.empty() && is_named(backend.credential_name)) return false;
    }
    if (!auth.oauth2.disabled && is_named(auth.oauth2.header))
        return auth.oauth2.send_token_upstream;
    if (!auth.jwt.disabled && is_named(auth.jwt.header)) return auth.jwt.send_token_upstream;
    for (const config::ApiKeyLocation& key : auth.api_keys) {
        if (key.in == config::ApiKeyLocation::In::header && is_named(key.name)) {
            return key.send_token_upstream;
        }
    }
    if (wire::is_withheld_from_upstream(header.name)) return false;
    if (exchange.list != nullptr &&
        exchange.list->model_place.in == config::ValueLocation::In::header &&
        is_named(exchange.list->model_place.name)) {
        return false;
    }
    if (exchange.list != nullptr && text::iequals(header.name, "accept-encoding")) return false;
    return !wire::is_hop_by_hop(header.name, headers);
}

// The header lines for the provider, put together once for all tries.
Result<void> write_forwarded_lines(Context& context, Exchange& exchange) {
    exchange.lines = context.buffers.read_buffer();
    wire::HeadWriter writer(exchange.lines.space(), exchange.lines.space_size());
    const wire::HeaderTable& headers = context.scratch.request.headers;
    for (const wire::Header& header : headers) {
        if (goes_on(exchange, headers, header)) writer.header(header.name, header.value);
    }
    if (exchange.list != nullptr) writer.append("accept-encoding: identity\r\n");
    const config::HeaderModifier& edits = exchange.route->request_headers;
    for (const config::HeaderEdit& edit : edits.set) writer.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) writer.header(edit.name, edit.value);
    writer.header("x-client-request-id", exchange.request_id());
    if (!writer.ok()) {
        return Fault::client(FaultKind::headers_too_large, "The headers are too large to go on.");
    }
    exchange.lines.produced(writer.size());
    return {};
}

}  // namespace

Result<void> authenticate(Context& context, Exchange& exchange, KeyNeed& need) {
    return Authenticator(context, exchange, need).run();
}

Result<void> admit(Context& context, Exchange& exchange) {
    const bool has_body = exchange.framing != wire::Framing::none;
    if (exchange.framing == wire::Framing::content_length &&
        exchange.content_length > exchange.limits().body_bytes) {
        return Fault::client(FaultKind::request_too_large);
    }
    // A method that needs no body, or a body that is no JSON, has no model to choose.
    const bool rotates = exchange.route->list.has_value() && exchange.is_json &&
                         (has_body || exchange.method == "POST");
    if (rotates) {
        exchange.list = &exchange.wiring->snapshot->lists[*exchange.route->list];
        if (exchange.is_encoded) return Fault::client(FaultKind::unsupported_content_encoding);
    }
    return write_forwarded_lines(context, exchange);
}

}  // namespace rotary::proxy
