#pragma once

#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

// Either url (https, or http on loopback or where that is allowed) or file is set, ready to be
// opened; with neither the issuer is asked where its keys are (discovery).
struct JwksSource {
    std::string url;
    bool allow_http = false;  // to any host: rotary/allow-http-jwks
    std::string file;
    PemSource ca;
    Mark mark;  // of url
};

struct TokenIssuer {
    Metadata metadata;
    std::string name;
    std::string issuer;  // compared exactly with `iss`
    std::string organization;
    std::string consumer_key_claim = "azp";
    std::string scopes_claim = "scope";
    std::optional<JwksSource> jwks;  // preferred when both are there
    PemSource certificate;
    std::vector<std::string> environments;  // of APIs it is for; empty, or with "*": of all
    TargetRef target;
    Mark issuer_mark;
    Mark validation_mark;
};

struct OAuth2 {
    bool required = true;  // mandatory; else an alternative to the other types that are on
    bool disabled = false;
    std::string header = "authorization";
    bool send_token_upstream = false;
};

// A raw JWT in a header of its own.
struct JwtAuth {
    bool disabled = true;
    std::string header = "internal-key";
    std::vector<std::string> audience;
    bool send_token_upstream = false;
};

struct ApiKeyLocation {
    using In = KeyIn;
    In in = In::header;
    std::string name;
    bool send_token_upstream = false;
    Mark mark{};  // of in
};

struct ApiKeyAuth {
    bool required = false;
    std::vector<ApiKeyLocation> keys;
    Mark mark;
};

struct MtlsAuth {
    bool required = false;
    bool disabled = false;
    std::vector<PemSource> certificates;
    Mark mark;
};

struct AuthTypes {
    std::optional<OAuth2> oauth2;
    std::optional<JwtAuth> jwt;
    std::optional<ApiKeyAuth> api_key;
    std::optional<MtlsAuth> mtls;
};

struct AuthSpec {
    std::optional<bool> disabled;
    std::optional<AuthTypes> types;
    Mark types_mark;
};

struct Authentication {
    Metadata metadata;
    AuthSpec defaults;
    AuthSpec overrides;
    TargetRef target;
};

// A token with any one of the names passes; a rule that refers to several Scopes needs each.
struct Scope {
    Metadata metadata;
    std::vector<std::string> names;
};

}  // namespace rotary::config
