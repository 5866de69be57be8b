#include "config/settings/read_settings.hpp"

#include <rotary/config/kinds/consumer_key.hpp>
#include <rotary/config/settings/setting_keys.hpp>
#include <rotary/config/yaml/suggest.hpp>

#include <algorithm>

#include "config/settings/read_kubernetes.hpp"
#include "config/settings/read_state.hpp"
#include "config/settings/read_tracing.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kPath{.required = true, .min = 1};
constexpr TextRule kAddress{
    .min = 1, .fits = is_ip_address, .shape = "be an IP address, such as 127.0.0.1, 0.0.0.0 or ::"};
constexpr TextRule kAddressRange{
    .min = 1, .fits = is_ip_range, .shape = "be an address or a range of addresses: 10.0.0.0/8"};
constexpr TextRule kHeaderGlob{.min = 1,
                               .max = 256,
                               .fits = is_token,
                               .shape = "be a header's name, in which '*' stands for any letters"};
constexpr TextRule kNameServer{
    .min = 1,
    .fits = is_name_server,
    .shape = "be the address of a name server, such as 10.0.0.2, 127.0.0.1:5353 or [::1]:53"};
constexpr NumberRule kPort{.min = 0, .max = 65535};
constexpr long long kMostWorkers = 1024;

void read_file_path(Fields& fields, const char* key, std::string& out, Mark& mark) {
    fields.path(key, out, kPath);
    mark = fields.mark_of(key);
}

Listener read_listener(Fields& fields) {
    Listener listener;
    listener.mark = fields.mark();
    listener.port_mark = fields.mark_of("port");
    listener.plaintext_mark = fields.mark_of("plaintext");
    fields.text("address", listener.address, kAddress);
    fields.number("port", listener.port, kPort);
    fields.flag("plaintext", listener.plaintext);
    fields.object("tls", [&](Fields& tls) {
        TlsFiles& files = listener.tls.emplace();
        read_file_path(tls, "certificate", files.certificate, files.certificate_mark);
        read_file_path(tls, "key", files.key, files.key_mark);
    });
    return listener;
}

bool is_everybody(const IpRange& range) {
    return range.bits == 0 || (is_ipv4(range.base) && range.bits <= 96);
}

void read_proxies(Fields& fields, Proxies& proxies) {
    std::vector<Finding>& findings = fields.reading().findings;
    const std::size_t before = findings.size();
    std::vector<Mark> everybody;
    fields.each_text(
        "trusted",
        [&](const std::string& range, const Mark& mark) {
            proxies.trusted.push_back(*parse_ip_range(range));
            if (is_everybody(proxies.trusted.back())) everybody.push_back(mark);
        },
        {.max = 256}, kAddressRange);
    fields.flag("protocol", proxies.protocol);
    fields.choice<ForwardedField>("field", proxies.field,
                                  {{"off", ForwardedField::off},
                                   {"x-forwarded-for", ForwardedField::x_forwarded_for},
                                   {"forwarded", ForwardedField::forwarded}});
    const bool is_read = findings.size() == before;
    const bool tells = proxies.protocol || proxies.field != ForwardedField::off;
    if (is_read && tells && proxies.trusted.empty()) {
        fields.error("trusted", "must name the proxies whose word is taken: nobody's is without");
    }
    if (is_read && !tells && !proxies.trusted.empty()) {
        fields.error("trusted", "takes nothing from them: set proxies.protocol or proxies.field");
    }
    for (const Mark& mark : everybody) {
        findings.push_back(
            warning_at(mark, "holds every address: each client may say where it comes from"));
    }
}

void read_admin(Fields& fields, Admin& admin) {
    admin.address_mark = fields.mark_of("address");
    fields.text("address", admin.address, kAddress);
    fields.number("port", admin.port, kPort);
    admin.token_file_mark = fields.mark_of("token_file");
    fields.path("token_file", admin.token_file);
}

void read_routing(Fields& fields, Routing& routing) {
    fields.number("max_attempts", routing.max_attempts, {.min = 1, .max = 64});
    fields.choice<OnAllSuspended>(
        "on_all_suspended", routing.on_all_suspended,
        {{"reject", OnAllSuspended::reject}, {"passthrough", OnAllSuspended::passthrough}});
    fields.choice<HintUse>(
        "retry_after", routing.retry_after,
        {{"extend", HintUse::extend}, {"prefer", HintUse::prefer}, {"ignore", HintUse::ignore}});
    fields.flag("expose_route", routing.expose_route);
    fields.number("retry_budget_percent", routing.retry_budget_percent, {.min = 0, .max = 100});
    fields.number("failures_to_suspend", routing.failures_to_suspend, {.min = 1, .max = 1'000'000});
    fields.number("suspension_jitter_percent", routing.suspension_jitter_percent,
                  {.min = 0, .max = 100});
    fields.number("stream_ping_seconds", routing.stream_ping_seconds, {.min = 0, .max = 3600});
    fields.choice<WithoutRotation>(
        "without_rotation", routing.without_rotation,
        {{"allow", WithoutRotation::allow}, {"refuse", WithoutRotation::refuse}});
    fields.texts("forward_headers", routing.forward_headers, {.max = 64}, kHeaderGlob);
    if (fields.has("withheld_query")) {
        routing.withheld_query.clear();
    }
    fields.texts("withheld_query", routing.withheld_query, {.max = 64}, {.min = 1, .max = 256});
}

void read_usage(Fields& fields, UsageSettings& usage) {
    fields.choice<StreamUsage>("streams", usage.streams,
                               {{"auto", StreamUsage::automatic},
                                {"ask", StreamUsage::ask},
                                {"observe", StreamUsage::observe}});
    fields.number("bytes_per_token", usage.bytes_per_token, {.min = 1, .max = 16});
    fields.number("tokens_per_image", usage.tokens_per_image, {.min = 0, .max = 1'000'000});
    fields.choice<bool>("charge_failed", usage.charges_failed,
                        {{"off", false}, {"consumer", true}});
}

void read_quotas(Fields& fields, Quotas& quotas) {
    fields.choice<QuotaWindow>("window", quotas.window,
                               {{"fixed", QuotaWindow::fixed}, {"sliding", QuotaWindow::sliding}});
    fields.choice<QuotaAdmission>(
        "admission", quotas.admission,
        {{"while_left", QuotaAdmission::while_left}, {"strict", QuotaAdmission::strict}});
    fields.flag("carry_debt", quotas.carry_debt);
    if (quotas.carry_debt && quotas.window == QuotaWindow::sliding) {
        fields.error("carry_debt",
                     "needs quotas.window: fixed; a sliding window holds a debt by itself");
    }
    fields.choice<QuotaHeaders>(
        "headers", quotas.headers,
        {{"openai", QuotaHeaders::openai}, {"apk", QuotaHeaders::apk}, {"off", QuotaHeaders::off}});
    fields.number("reserve_output_tokens", quotas.reserve_output_tokens,
                  {.min = 0, .max = 10'000'000});
    fields.number("counters", quotas.counters, {.min = 1'000, .max = 10'000'000});
    fields.number("max_concurrent_per_consumer", quotas.max_concurrent_per_consumer,
                  {.min = 0, .max = kMostConcurrent});
    fields.number("metric_consumers", quotas.metric_consumers, {.min = 0, .max = kMostConsumers});
}

constexpr TextRule kCurrency{.min = 3,
                             .max = 3,
                             .fits = is_currency,
                             .shape = "be a currency's three capital letters, such as USD"};

void read_budgets(Fields& fields, Budgets& budgets) {
    fields.text("currency", budgets.currency, kCurrency);
    fields.choice<bool>("unpriced", budgets.refuses_unpriced, {{"allow", false}, {"refuse", true}});
    fields.path("ledger", budgets.ledger);
}

void read_limits(Fields& fields, Limits& limits) {
    for (const LimitKey& key : limit_keys()) {
        fields.number(key.name, limits.*key.member,
                      {.min = static_cast<long long>(key.minimum),
                       .max = static_cast<long long>(key.maximum)});
    }
    // A default is no claim: the head's limit simply rules.
    if (fields.has("uri_bytes") && limits.uri_bytes > limits.header_bytes) {
        fields.error("uri_bytes", "must not be above limits.header_bytes, " +
                                      std::to_string(limits.header_bytes) +
                                      ": the request line is a part of the head");
    }
}

void read_timeouts(Fields& fields, Timeouts& timeouts) {
    for (const TimeoutKey& key : timeout_keys()) {
        fields.duration(key.name, timeouts.*key.member, {key.minimum, key.maximum});
    }
    if (fields.has("failure_suspension_max") && fields.has("failure_suspension") &&
        timeouts.failure_suspension_max < timeouts.failure_suspension) {
        fields.error("failure_suspension_max", "must not be below timeouts.failure_suspension");
    }
}

void read_log(Fields& fields, Log& log) {
    fields.choice<LogLevel>("level", log.level,
                            {{"trace", LogLevel::trace},
                             {"debug", LogLevel::debug},
                             {"info", LogLevel::info},
                             {"warning", LogLevel::warn},
                             {"error", LogLevel::error}});
    fields.choice<AccessLogFormat>("access", log.access,
                                   {{"json", AccessLogFormat::json},
                                    {"text", AccessLogFormat::text},
                                    {"off", AccessLogFormat::off}});
    log.access_file_mark = fields.mark_of("access_file");
    fields.path("access_file", log.access_file);
    fields.flag("tries", log.tries);
}

}  // namespace

void read_settings(Fields& fields, Config& config) {
    config.mark = fields.mark();
    fields.number("workers", config.workers, {.min = 0, .max = kMostWorkers});
    fields.flag("watch", config.watch);
    fields.each("listeners",
                [&](Fields& listener) { config.listeners.push_back(read_listener(listener)); },
                {.required = true, .min = 1});
    fields.object("proxies", [&](Fields& proxies) { read_proxies(proxies, config.proxies); });
    fields.object("admin", [&](Fields& admin) { read_admin(admin, config.admin); });
    fields.each_text(
        "resources",
        [&](const std::string& path, const Mark& mark) {
            config.resources.push_back({resolve_path(fields.reading().folder, path), mark});
        },
        {}, {.min = 1});
    fields.object("kubernetes",
                  [&](Fields& kubernetes) { read_kubernetes(kubernetes, config.kubernetes); });
    fields.each_text(
        "prices",
        [&](const std::string& path, const Mark& mark) {
            config.prices.push_back({resolve_path(fields.reading().folder, path), mark});
        },
        {.max = 64}, {.min = 1});
    fields.object("budgets", [&](Fields& budgets) { read_budgets(budgets, config.budgets); });
    fields.object("state", [&](Fields& state) { read_state(state, config.state); });
    fields.texts("resolvers", config.resolvers, {}, kNameServer);
    fields.object("routing", [&](Fields& routing) { read_routing(routing, config.routing); });
    fields.object("auth", [&](Fields& auth) {
        auth.number("failures_per_minute", config.auth.failures_per_minute,
                    {.min = 0, .max = 1'000'000});
    });
    fields.object("usage", [&](Fields& usage) { read_usage(usage, config.usage); });
    fields.object("keys",
                  [&](Fields& keys) { keys.flag("revoke_streams", config.keys.revoke_streams); });
    fields.object("quotas", [&](Fields& quotas) { read_quotas(quotas, config.quotas); });
    fields.each_text("accept_unserved", [&](const std::string& name, const Mark& mark) {
        const std::vector<std::string> names = acceptable_names();
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            fields.reading().findings.push_back(error_at(
                mark,
                shown(name) + " is not among what can be accepted" + what_is_there(name, names)));
        }
        config.accept_unserved.push_back(name);
    });
    fields.object("limits", [&](Fields& limits) { read_limits(limits, config.limits); });
    fields.object("timeouts", [&](Fields& timeouts) { read_timeouts(timeouts, config.timeouts); });
    fields.object("tracing", [&](Fields& tracing) { read_tracing(tracing, config.tracing); });
    add_tracing_of_environment(fields.reading(), config.tracing);
    fields.object("log", [&](Fields& log) { read_log(log, config.log); });
}

}  // namespace rotary::config
