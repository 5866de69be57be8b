#include "proxy/explained_try.hpp"

#include "proxy/upstream_request.hpp"

#include <rotary/base/text.hpp>
#include <rotary/upstream/http1_provider.hpp>

#include <algorithm>
#include <array>

namespace rotary::proxy {

namespace {

constexpr std::string_view kHidden = "***";

// Of a header that the route sets, by its name alone.
bool sounds_secret(std::string_view name) {
    constexpr std::array<std::string_view, 8> kParts{
        "authorization", "cookie", "key", "password", "credential", "secret", "signature", "token"};
    std::string lower;
    for (const char c : name) lower.push_back(text::lower(c));
    return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
        return lower.find(part) != std::string::npos;
    });
}

bool is_secret(const Exchange& exchange, std::string_view name) {
    const routing::AuthRules& auth = exchange.match.route->auth;
    return sounds_secret(name) || text::iequals(name, exchange.backend()->credential_name) ||
           text::iequals(name, auth.oauth2.header) || text::iequals(name, auth.jwt.header) ||
           exchange.snapshot().forwarding.credential_headers.contains(name) ||
           std::any_of(auth.api_keys.begin(), auth.api_keys.end(),
                       [&](const auto& key) { return text::iequals(name, key.name); });
}

// The Backend's own key stands behind all else.
std::string without_key(std::string target, const routing::Backend& backend) {
    const std::string& key = backend.credential_query;
    if (!key.empty() && target.ends_with(key)) {
        target.resize(target.size() - key.size());
        target += key.substr(0, key.find('=') + 1);
        target += kHidden;
    }
    return target;
}

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    return line;
}

}  // namespace

ExplainedTry explain_try(Context& context, const Exchange& exchange) {
    ExplainedTry told;
    const routing::Backend& backend = *exchange.backend();
    told.backend = backend.name;
    if (exchange.entry() != nullptr) {
        told.entry = exchange.entry()->id;
        told.model = exchange.entry()->model;
    }
    upstream::Http1Provider provider(context.providers);
    wire::Pieces pieces;
    std::fill(context.scratch.head.begin(), context.scratch.head.end(), '\0');
    if (!write_upstream_request(context, exchange, provider, pieces)) return told;
    told.body_bytes = pieces.payload_bytes();
    std::string_view head(context.scratch.head.data(), context.scratch.head.size());
    head = head.substr(0, head.find("\r\n\r\n") + 2);

    const std::string_view line = take_line(head);
    const std::size_t begin = line.find(' ') + 1;
    told.method = line.substr(0, begin - 1);
    told.url = (backend.tls ? "https://" : "http://") + backend.host_header +
               without_key(std::string(line.substr(begin, line.rfind(' ') - begin)), backend);
    while (!head.empty()) {
        const std::string_view field = take_line(head);
        const std::size_t colon = field.find(':');
        const std::string_view name = field.substr(0, colon);
        const std::string_view value = text::trim(field.substr(std::min(colon + 1, field.size())));
        told.headers.emplace_back(name, is_secret(exchange, name) ? kHidden : value);
    }
    return told;
}

}  // namespace rotary::proxy
