#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kSome{.required = true, .min = 1};

Application::Client read_client(Fields& fields) {
    Application::Client client;
    client.mark = fields.mark_of("appId");
    fields.text("appId", client.id, kSome);
    fields.text("envId", client.environment, kSome);
    fields.choice<bool>("keyType", client.is_sandbox, {{"PRODUCTION", false}, {"SANDBOX", true}},
                        true);
    return client;
}

void read_reference(Fields& spec, const char* key, Reference& reference) {
    reference.mark = spec.mark_of(key);
    std::string name;
    if (spec.text(key, name, kReferenceName)) {
        reference.name = identity_of(spec, name);
    }
}

void read_subscription_spec(Fields& spec, Subscription& subscription) {
    spec.text("organization", subscription.organization, kSome);
    // As in APK, whatever it says.
    spec.tolerate({"subscriptionStatus"});
    spec.object(
        "api",
        [&](Fields& api) {
            api.text("name", subscription.api, kSome);
            subscription.api_version_mark = api.mark_of("version");
            api.text("version", subscription.api_version, kSome);
        },
        true);
    spec.object(
        "ratelimitRef",
        [&](Fields& tier) {
            std::string name;
            subscription.tier_mark = tier.mark_of("name");
            tier.tolerate({"level"});
            tier.text("name", name, {.required = true, .max = 253});
            const bool is_limited = !name.empty() && name != "Unlimited";
            subscription.tier = is_limited ? identity_of(tier, name) : "";
        },
        true);
}

void read_application_spec(Fields& spec, Application& application) {
    spec.text("name", application.name, kSome);
    spec.text("organization", application.organization, kSome);
    spec.tolerate({"owner", "attributes"});
    spec.object("securitySchemes", [&](Fields& schemes) {
        schemes.object("oauth2", [&](Fields& oauth2) {
            oauth2.each("environments", [&](Fields& fields) {
                application.clients.push_back(read_client(fields));
            });
        });
    });
}

void read_mapping_spec(Fields& spec, ApplicationMapping& mapping) {
    read_reference(spec, "applicationRef", mapping.application);
    read_reference(spec, "subscriptionRef", mapping.subscription);
}

// An object that is its metadata and its spec.
template <class Kind>
void read_into(Object& object, std::vector<Kind>& all, void (*read_spec)(Fields&, Kind&)) {
    Kind one;
    one.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_spec(spec, one); }, true);
    all.push_back(std::move(one));
}

}  // namespace

void read_subscription(Object& object) {
    read_into(object, object.resources.subscriptions, read_subscription_spec);
}

void read_application(Object& object) {
    read_into(object, object.resources.applications, read_application_spec);
}

void read_application_mapping(Object& object) {
    read_into(object, object.resources.application_mappings, read_mapping_spec);
}

}  // namespace rotary::config
