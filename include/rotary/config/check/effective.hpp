#pragma once

#include <string>
#include <vector>

#include <rotary/config/kinds/resources.hpp>

namespace rotary::config {

// Where the API is served: its basePath, and without the version at its end too where
// isDefaultVersion says so. The version may stand there with a "v" before it.
std::vector<std::string> base_paths(const Api& api);

// What the policies of all levels come to for one rule of one API. Field by field, highest first:
// the API's override, the rule's override, the rule's default, the API's default. Pointers lead
// into the Resources.
struct EffectivePolicy {
    const Reference* ai_provider = nullptr;
    const ModelRotation* rotation = nullptr;
    const CorsPolicy* cors = nullptr;  // also one that is not enabled
    bool subscription_validation = false;
};
EffectivePolicy effective_policy(const Resources& resources, const Api& api,
                                 const HttpRouteRule& rule);

// The same for Authentication. Without any, OAuth2 is mandatory. With authTypes, what they leave
// out is off, except OAuth2: it stays on, as an alternative, unless it says `disabled: true`. When
// every type is off, disabled is true.
struct EffectiveAuthentication {
    bool disabled = false;
    OAuth2 oauth2;
    JwtAuth jwt;
    const ApiKeyAuth* api_key = nullptr;
    const MtlsAuth* mtls = nullptr;
};
EffectiveAuthentication effective_authentication(const Resources& resources, const Api& api,
                                                 const HttpRouteRule& rule);

// The Scopes that the rule refers to; a token must satisfy each one. Missing ones are left out:
// check() has reported them.
std::vector<const Scope*> required_scopes(const Resources& resources, const HttpRouteRule& rule);

// The API's organization and environment; APK's own ("default", "Default") where it names none.
const std::string& organization_of(const Api& api);
const std::string& environment_of(const Api& api);

// Whether the issuer is for APIs of this API's organization and environment.
bool is_for(const TokenIssuer& issuer, const Api& api);

// Whether the keys are good for the API.
bool may_call(const ConsumerKey& key, const Api& api);

// The Backend of an entry: its own, or the rule's only one. nullptr when there is none.
const Backend* entry_backend(const Resources& resources, const HttpRouteRule& rule,
                             const ModelEntry& entry);

}  // namespace rotary::config
