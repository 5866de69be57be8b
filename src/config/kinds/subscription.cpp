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

}  // namespace

void read_subscription(Object& object) {
    Subscription subscription;
    subscription.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
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
        },
        true);
    object.resources.subscriptions.push_back(std::move(subscription));
}

void read_application(Object& object) {
    Application application;
    application.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
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
        },
        true);
    object.resources.applications.push_back(std::move(application));
}

void read_application_mapping(Object& object) {
    ApplicationMapping mapping;
    mapping.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            read_reference(spec, "applicationRef", mapping.application);
            read_reference(spec, "subscriptionRef", mapping.subscription);
        },
        true);
    object.resources.application_mappings.push_back(std::move(mapping));
}

}  // namespace rotary::config
