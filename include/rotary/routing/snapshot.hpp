#pragma once

#include <rotary/auth/credentials.hpp>
#include <rotary/auth/key_table.hpp>
#include <rotary/config/load.hpp>
#include <rotary/llm/usage_reader.hpp>
#include <rotary/quota/consumer_use.hpp>
#include <rotary/quota/price_table.hpp>
#include <rotary/rotation/retry_budget.hpp>
#include <rotary/rotation/rotation.hpp>
#include <rotary/rotation/verdict.hpp>
#include <rotary/routing/budgets.hpp>
#include <rotary/routing/cors.hpp>
#include <rotary/routing/in_flight.hpp>
#include <rotary/routing/limits.hpp>
#include <rotary/routing/model_place.hpp>
#include <rotary/routing/name_set.hpp>
#include <rotary/routing/passages.hpp>
#include <rotary/routing/route_table.hpp>
#include <rotary/routing/shared_state.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {

enum class Environment : std::uint8_t { production, sandbox };
std::string_view to_string(Environment environment) noexcept;

// Backend.retry: further tries at the same Backend.
struct RetryRules {
    unsigned count = 1;
    std::chrono::milliseconds base_interval{25};
    std::vector<std::uint16_t> statuses;  // which answers; never empty
};

// A Backend resource, compiled: what it takes to reach it and to be let in.
struct Backend {
    std::string name;
    std::string host;
    std::uint16_t port = 0;
    bool tls = false;
    std::string ca_pem;                       // empty: the system's
    std::string host_header;                  // with the port when it is not the scheme's own
    std::string base_path;                    // without a trailing slash
    std::string credential_line;              // "Authorization: Bearer ...\r\n"; never logged
    std::string credential_name;              // that header's name: the client's own is withheld
    std::string credential_query;             // "key=..."; never logged
    std::size_t credential = 0;               // equal numbers: equal credentials
    bool has_credential = false;              // one of the gateway's own is sent
    std::chrono::milliseconds first_byte{0};  // Backend.timeout; 0: the process's
    std::chrono::milliseconds event_gap{0};   // idem
    rotation::BackendLimits limits;           // Backend.circuitBreaker, else the process's
    std::optional<RetryRules> retry;
    std::optional<config::HealthCheck> health_check;
    LimitSet quotas;
    std::shared_ptr<rotation::BackendState> state;
};

struct Entry {
    std::string model;
    ModelTexts texts;
    std::size_t backend = 0;
    std::uint32_t weight = 1;
    quota::EntryPrice price;  // into the snapshot's `prices`
    std::string id;           // stable name for operators: API/environment/model@Backend
    LimitSet quotas{};        // of its model at its Backend
};

// One environment's list of one API.
struct EntryList {
    std::string policy;
    std::string api;
    Environment environment = Environment::production;
    std::vector<Entry> entries;
    rotation::Rotation rotation;
    rotation::SuspendRules rules;
    ModelPlace model_place;
    std::shared_ptr<rotation::RetryReserve> retry_reserve;

    // For consumers that may have some of its models only: each such part of the list has an order
    // of its own, shared by all whose lists of models come to it.
    static constexpr std::uint32_t kWhole = auth::KeyOwner::kAllModels;
    static constexpr std::uint32_t kNothing = kWhole - 1;
    std::vector<std::uint32_t> parts{};  // for each number of a model set: kWhole, kNothing, or
    std::vector<rotation::Rotation> narrowed{};  // a place in here
    std::size_t dearest = 0;  // of its entries: what an answer may cost, where there are budgets

    // Null for those who may have none of it.
    const rotation::Rotation* rotation_for(std::uint32_t model_set) const noexcept;
};

struct AuthRules {
    bool disabled = false;     // open: the only way
    std::string organization;  // of the API, and its environment: whose issuers are trusted
    std::string environment;
    auth::CredentialUses uses;
    config::OAuth2 oauth2;
    config::JwtAuth jwt;
    std::vector<config::ApiKeyLocation> api_keys;
    std::vector<std::vector<std::string>> scopes;  // a token needs one of each
};

// One rule of one HTTPRoute.
struct Route {
    std::string api;
    std::uint32_t api_number = 0;       // as KeyOwner::apis has it
    std::uint32_t max_concurrent = 0;   // requests in flight of the API; 0: any
    std::uint64_t in_flight_key = 0;    // the API's
    std::string policy;                 // "" without one
    config::EndpointSet endpoints = 0;  // what its policy serves; 0: all
    std::string name;                   // HTTPRoute's
    std::string provider;               // AIProvider.providerName, "" without one
    Environment environment = Environment::production;
    AuthRules auth;
    std::optional<config::PathRewrite> rewrite;
    std::optional<config::Redirect> redirect;  // then no Backend is asked
    std::optional<Cors> cors;
    LimitSet quotas;                         // of the API and of the rule
    std::optional<std::size_t> subscribers;  // who may pass, where subscriptions are validated
    bool counts_tokens = false;              // a limit depends on what its answers use
    config::HeaderModifier request_headers;
    config::HeaderModifier response_headers;
    Passages request_passages;          // which headers of a client go on to a provider
    Passages answer_passages;           // which of a provider go on to the client
    std::optional<std::size_t> list;    // index of the EntryList, when the rule has a rotation
    std::vector<std::size_t> backends;  // for requests without a rotation
    std::shared_ptr<rotation::Cursor> backend_cursor;  // over `backends`; null when all weigh 0
    llm::UsagePlaces usage_places;                     // the AIProvider's rateLimitFields
    // Where requests have no rotation and there are prices: where they name their model, and what
    // the provider takes for it.
    std::shared_ptr<const ModelPlace> asked_model;
    quota::ProviderPrices prices;
    rotation::BudgetRules budget_rules;
    std::shared_ptr<rotation::RetryReserve> retry_reserve;  // the list's, else the HTTPRoute's own
};

// What of a client's request goes on to whichever Backend, and what never does. Lower case.
struct Forwarding {
    std::vector<std::string> header_globs;  // routing.forward_headers
    NameSet credential_headers;             // of Backends' own keys
    NameSet withheld_query;                 // routing.withheld_query, and of Backends' own keys

    // Whether a field of that name, which brings no token, may go on at all.
    bool lets_through(std::string_view name) const noexcept;
};

// The compiled configuration: immutable, shared by pointer with every worker, freed on the control
// thread. What changes while it is in force (suspensions, positions) is behind its shared states.
struct Snapshot {
    config::Config config;
    std::shared_ptr<const quota::PriceTable> prices;  // null: no price list is configured
    std::vector<Backend> backends;
    std::vector<EntryList> lists;
    std::vector<Route> routes;
    std::vector<quota::Limit> limits;
    std::vector<Subscribers> subscribers;
    std::array<ConsumerBudgets, 2> consumer_budgets;  // by Environment
    std::vector<BudgetPlace> budgets;
    quota::CounterTable* counters = nullptr;     // of callers; outlives all snapshots
    quota::ConsumerUse* consumer_use = nullptr;  // idem; null: what consumers use is not summed
    std::vector<std::string> limit_claims;       // of tokens, that limits ask for
    RouteTable table;
    std::string unknown_host;  // what a request for a host that is not served is told, if it may
    Forwarding forwarding;
    auth::KeyTable keys;
    std::shared_ptr<InFlight> in_flight;
    ConcurrencyLimits consumer_limits;
    std::vector<config::TokenIssuer> issuers;
    std::vector<std::string> issuer_ca_pem;           // of issuers' JWKS servers
    std::vector<std::string> issuer_certificate_pem;  // of issuers without JWKS
    struct EntryPlace {
        std::size_t list = 0;
        std::size_t entry = 0;
    };
    // For each credential number, the entries that use it, on all lists.
    std::vector<std::vector<EntryPlace>> by_credential;
    // For each Backend, the states of the entries that use it: its health check's to change.
    std::vector<std::vector<std::shared_ptr<rotation::EntryState>>> by_backend;
};

// What the configuration says of every entry's suspensions.
rotation::EntryState::Limits entry_limits(const config::Config& config) noexcept;

// Compiles what load() found to be right. Cross-checks that only compiling can make (regular
// expressions, headers that can't be sent, model places that can't be written) are appended to
// `findings`; with an error among them the result is null. Control thread.
std::shared_ptr<const Snapshot> compile(const config::Loaded& loaded, SharedState& shared,
                                        std::vector<config::Finding>& findings);

}  // namespace rotary::routing
