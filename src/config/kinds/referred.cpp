#include <rotary/config/kinds/resources.hpp>

#include <set>
#include <variant>

namespace rotary::config {
namespace {

using Names = std::set<NamedObject>;

void add(Names& names, NamedObject::Kind kind, const std::string& identity) {
    if (!identity.empty()) names.insert({kind, identity});
}

void add(Names& names, const PemSource& source) {
    if (source.secret) add(names, NamedObject::Kind::secret, source.secret->name);
    if (source.config_map) add(names, NamedObject::Kind::config_map, source.config_map->name);
}

}  // namespace

std::vector<NamedObject> referred_objects(const Resources& resources) {
    Names names;
    for (const Backend& backend : resources.backends) {
        add(names, backend.ca);
        if (const auto* key = std::get_if<ApiKeySecurity>(&backend.security)) {
            add(names, NamedObject::Kind::secret, key->value.name);
        } else if (const auto* basic = std::get_if<BasicSecurity>(&backend.security)) {
            add(names, NamedObject::Kind::secret, basic->username.name);
            add(names, NamedObject::Kind::secret, basic->password.name);
        }
    }
    for (const TokenIssuer& issuer : resources.issuers) {
        add(names, issuer.certificate);
        if (issuer.jwks) add(names, issuer.jwks->ca);
    }
    for (const Authentication& authentication : resources.authentications) {
        for (const AuthSpec* spec : {&authentication.defaults, &authentication.overrides}) {
            if (!spec->types || !spec->types->mtls) continue;
            for (const PemSource& source : spec->types->mtls->certificates) add(names, source);
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace rotary::config
