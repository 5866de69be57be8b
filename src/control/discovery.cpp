#include "control/discovery.hpp"

#include <algorithm>
#include <optional>

#include <rotary/wire/json_document.hpp>

#include <rotary/control/https_get_url.hpp>

namespace rotary::control {

namespace {

constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kShownBytes = 200;  // of what a document says, in a line of the log

// Never more of it than one line shows.
std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kShownBytes)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out;
}

}  // namespace

std::vector<std::string> discovery_urls(std::string_view issuer) {
    while (issuer.ends_with('/')) issuer.remove_suffix(1);
    const std::string whole(issuer);
    const std::size_t scheme = whole.find("://");
    const std::size_t path =
        scheme == whole.npos ? whole.npos : std::min(whole.find('/', scheme + 3), whole.size());
    std::vector<std::string> urls{whole + "/.well-known/openid-configuration"};
    if (path != whole.npos) {
        urls.push_back(whole.substr(0, path) + "/.well-known/oauth-authorization-server" +
                       whole.substr(path));
    }
    return urls;
}

Discovery read_discovery(std::string_view document, std::string_view issuer, std::size_t most_bytes,
                         bool any_http) {
    wire::JsonLimits limits;
    limits.bytes = most_bytes;
    const auto parsed = wire::JsonDocument::parse(document, limits);
    if (!parsed || !parsed->root().is_object()) return {"", "not a JSON object"};
    const auto said = parsed->root().find("issuer");
    const std::optional<std::string_view> name = said ? said->string() : std::nullopt;
    if (!name) return {"", "it names no issuer"};
    if (*name != issuer) return {"", "it is of another issuer, " + shown(*name)};
    const auto keys = parsed->root().find("jwks_uri");
    const std::optional<std::string_view> uri = keys ? keys->string() : std::nullopt;
    if (!uri) return {"", "it has no jwks_uri"};
    if (uri->size() > kLongestUrl || !parse_http_url(*uri, any_http)) {
        return {"", "its jwks_uri is neither https nor http to a loopback address: " + shown(*uri)};
    }
    return {std::string(*uri), ""};
}

}  // namespace rotary::control
