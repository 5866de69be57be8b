#pragma once

#include <rotary/config/check/effective.hpp>
#include <rotary/routing/snapshot.hpp>

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// The pieces of compile(), which lives in snapshot.cpp.
namespace rotary::routing {

struct ApiContext {
    const config::Api& api;
    Environment environment;
    std::uint32_t api_number;
};

// The entries of a list as one rule sees them: an entry without a backendRef stands for the rule's
// only Backend. Those without any are left out; check() has reported the ones that matter.
struct ListedEntry {
    const config::ModelEntry& model;
    const config::Backend& backend;
};

struct ListSource {
    std::string policy_name;
    const ApiContext& context;
    const config::HttpRouteRule& rule;
    const config::EffectivePolicy& policy;
    const std::vector<ListedEntry>& entries;
};

// A key of shared state: its parts, of which none but the last holds a line feed.
std::string joined(std::initializer_list<std::string_view> parts);

// One run of compile(): where it reads, where it writes, what it has compiled so far.
struct Compiler {
    const config::Loaded& loaded;
    SharedState& shared;
    std::vector<config::Finding>& findings;
    Snapshot* snapshot;
    std::map<std::string, std::size_t> backend_index;            // by name
    std::map<std::string, std::size_t> credential_index;         // by what is sent
    std::map<std::string, std::vector<std::size_t>> list_index;  // by API, policy, environment
    std::map<const config::ModelRotation*, std::string> policy_names;
    std::map<std::string, std::size_t> limit_index;        // by family and amount
    std::map<std::string, std::size_t> subscribers_index;  // by API, environment
    bool failed = false;

    // Once for each place and message, however many rules lead there.
    void error(const config::Mark& mark, std::string_view path, std::string message);
    std::string policy_name(const config::ModelRotation& rotation);
    std::size_t backend(const config::Backend& resource);
    AuthRules auth(const config::Api& api, const config::HttpRouteRule& rule);
    ModelPlace model_place(const config::EffectivePolicy& policy);
    quota::EntryPrice price(const config::EffectivePolicy& policy, const config::ModelEntry& model);
    std::size_t add_list(const ListSource& source);
    void add_backends(Route& route, const ApiContext& context, const config::HttpRouteRule& rule);
    void add_forwarding();
    void add_consumers();  // once all lists are there; consumers.cpp
    // In limits.cpp.
    void add_limits(Route& route, const ApiContext& context, const config::HttpRouteRule& rule);
    void add_custom_limit(Route& route, const ApiContext& context,
                          const config::RateLimitPolicy& policy);
    // Of a Backend, or of one model there.
    LimitSet backend_quotas(const config::Backend& resource, const std::string& model = "");
    void note_counted_tokens();
    // Of limits of single models, which count what lists choose.
    void warn_of_unlisted_models();
    void add_budgets();  // once all routes are there; budgets.cpp
};

}  // namespace rotary::routing
