#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rotary/config/check/check.hpp>
#include <rotary/config/check/effective.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include "config/yaml/scalars.hpp"

namespace rotary::config {

// What the sentence "there is no …" goes on with: the object of that name in another namespace, or
// what else is there.
std::string where_else(std::string_view kind, const std::string& identity,
                       const std::vector<std::string>& known);

// What every check needs. Lives on check()'s stack.
struct Checker {
    const Config& config;
    const Resources& resources;
    const NamedFiles& files;
    std::vector<Finding>& findings;
    std::map<const void*, std::set<std::string_view>> known_names = {};  // of each kind's objects

    void error(const Mark& mark, std::string message) {
        findings.push_back(error_at(mark, std::move(message)));
    }
    void warning(const Mark& mark, std::string message) {
        findings.push_back(warning_at(mark, std::move(message)));
    }

    // What is known and asks for something that is not done: an error, unless the configuration's
    // accept_unserved has its name.
    void unserved(const Mark& mark, const std::string& name, const std::string& consequence);

    // Whether something was not read at all, or that which has the given name may not have been.
    bool anything_unread() const { return resources.incomplete || !resources.unread.empty(); }
    bool may_be_unread(const std::string& identity) const {
        const std::string name = identity.substr(identity.rfind('/') + 1);  // as it is written
        return resources.incomplete || resources.unread.find(name) != std::string::npos;
    }

    // Reports a name that no object of the kind has, unless it may have stood in a document that
    // could not be read. Fields that failed to load have no name and were reported.
    template <class Object>
    void must_exist(const char* kind, const std::string& name, const Mark& mark,
                    const std::vector<Object>& objects) {
        std::set<std::string_view>& known = known_names[&objects];
        if (known.empty()) {
            for (const Object& object : objects) {
                known.insert(object.metadata.name);
            }
        }
        if (known.contains(name)) {
            return;
        }
        if (!name.empty() && !may_be_unread(name)) {
            std::vector<std::string> names;
            for (const Object& object : objects) {
                names.push_back(object.metadata.name);
            }
            error(mark, std::string("there is no ") + kind + " " + shown(name) +
                            where_else(kind, name, names));
        }
    }

    // The value of a Secret's key; reports a missing one. nullptr when it is missing or broken.
    const Secret* value_of(const KeyReference& reference);

    void pem_must_exist(const PemSource& source);
};

// The identities of the given kind that rules refer to by an ExtensionRef.
std::set<std::string_view> attached_to_rules(const Resources& resources, const char* kind);

// Reports a policy's target that is missing, has no effect or is in another namespace.
void check_target(Checker& checker, const Metadata& policy, const TargetRef& target,
                  bool is_attached);

// Reports what is wrong with the files of a listener's certificate and key.
void check_tls_files(Checker& checker, const TlsFiles& files);
// Reports what is wrong with the certificates of the authorities to trust.
void check_authorities(Checker& checker, const PemSource& source);

// Reports hosts of routes that a listener's certificate is not for.
void check_hosts(Checker& checker);

void check_settings(Checker& checker);   // settings.cpp
void check_state(Checker& checker);      // state.cpp
void check_apis(Checker& checker);       // routes.cpp
void check_overlaps(Checker& checker);   // overlaps.cpp
void check_backends(Checker& checker);   // backends.cpp
void check_policies(Checker& checker);   // policies.cpp
void check_providers(Checker& checker);  // providers.cpp
void check_rotations(Checker& checker);
void check_quotas(Checker& checker);    // quotas.cpp
void check_unserved(Checker& checker);  // kinds/unserved.cpp
void check_issuers(Checker& checker);   // auth.cpp
void check_authentications(Checker& checker);
void check_budgets(Checker& checker);        // budgets.cpp
void check_consumer_keys(Checker& checker);  // consumer_keys.cpp

}  // namespace rotary::config
