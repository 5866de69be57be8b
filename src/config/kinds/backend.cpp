#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr NumberRule kCount{.min = 0, .max = 1'000'000};
constexpr NumberRule kPositive{.min = 1, .max = 1'000'000};
constexpr NumberRule kSeconds{.min = 1, .max = 86'400};

void read_services(Fields& spec, Backend& backend) {
    spec.each("services",
              [&](Fields& service) {
                  backend.host_mark = service.mark_of("host");
                  backend.port_mark = service.mark_of("port");
                  service.text("host", backend.host, {.required = true, .min = 1});
                  service.number("port", backend.port, {.min = 1, .max = 65535, .required = true});
              },
              {.required = true, .min = 1, .max = 1});
}

void read_api_key(Fields& fields, Backend& backend) {
    ApiKeySecurity key;
    fields.choice<ApiKeySecurity::In>(
        "in", key.in,
        {{"Header", ApiKeySecurity::In::header}, {"Query", ApiKeySecurity::In::query}}, true);
    TextRule name{.required = true, .min = 1};
    if (key.in == ApiKeySecurity::In::header) {
        name.fits = is_token;
        name.shape = "be a header's name";
    }
    bool complete = fields.text("name", key.name, name);
    fields.object(
        "valueFrom",
        [&](Fields& from) {
            const std::optional<KeyReference> value = read_key_reference(from, "valueKey");
            complete = complete && value;
            key.value = value.value_or(KeyReference{});
        },
        true);
    if (complete && !key.value.name.empty()) {
        backend.security = std::move(key);
    }
}

void read_basic(Fields& fields, Backend& backend) {
    fields.object(
        "secretRef",
        [&](Fields& secret) {
            const std::optional<KeyReference> username = read_key_reference(secret, "usernameKey");
            KeyReference password = username.value_or(KeyReference{});
            password.key_mark = secret.mark_of("passwordKey");
            const bool has_password =
                secret.text("passwordKey", password.key, {.required = true, .min = 1});
            if (username && has_password) {
                backend.security = BasicSecurity{*username, std::move(password)};
            }
        },
        true);
}

void read_security(Fields& fields, Backend& backend) {
    backend.security_mark = fields.mark();
    const bool both = fields.has("apiKey") && fields.has("basic");
    fields.object("apiKey", [&](Fields& f) { read_api_key(f, backend); });
    fields.object("basic", [&](Fields& f) { read_basic(f, backend); });
    if (both) {
        fields.error("", "has both apiKey and basic; a backend gets exactly one credential");
    }
}

Shape list_of_statuses() {
    Shape list;
    Shape& item = list.as(Shape::Kind::list).item.emplace_back();
    item.as(Shape::Kind::number).number = {.min = 400, .max = 599};
    return list;
}

void read_behaviour(Fields& spec, Backend& backend) {
    spec.object("timeout", [&](Fields& fields) {
        BackendTimeout timeout;
        fields.number("upstreamResponseTimeout", timeout.response, kSeconds);
        fields.number("downstreamRequestIdleTimeout", timeout.idle, kSeconds);
        // APK takes it in v1alpha1 beside the other two and does nothing with it.
        fields.tolerate({"maxRouteTimeout"});
        backend.timeout = timeout;
    });
    spec.object("retry", [&](Fields& fields) {
        BackendRetry retry;
        fields.number("count", retry.count, {.min = 0, .max = 64, .required = true});
        fields.number("baseIntervalMillis", retry.base_interval, {.min = 1, .max = 60'000});
        fields.each_text("statusCodes", [&](const std::string& text, const Mark& mark) {
            const std::optional<long long> code = parse_integer(text);
            if (code && *code >= 400 && *code <= 599) {
                retry.status_codes.push_back(static_cast<unsigned>(*code));
            } else {
                fields.reading().findings.push_back(
                    error_at(mark, "must be a status between 400 and 599, found " + shown(text)));
            }
        });
        fields.takes("statusCodes", list_of_statuses());
        backend.retry = std::move(retry);
    });
    spec.object("circuitBreaker", [&](Fields& fields) {
        CircuitBreaker breaker;
        fields.number("maxConnections", breaker.max_connections, kPositive);
        fields.number("maxPendingRequests", breaker.max_pending, kCount);
        fields.number("maxRequests", breaker.max_requests, kPositive);
        fields.number("maxRetries", breaker.max_retries, kCount);
        unsigned pools = 0;
        if (fields.number("maxConnectionPools", pools, kPositive)) {
            breaker.max_connection_pools = pools;
        }
        backend.circuit_breaker = breaker;
    });
    spec.object("healthCheck", [&](Fields& fields) {
        HealthCheck check;
        fields.number("timeout", check.timeout, kSeconds);
        fields.number("interval", check.interval, kSeconds);
        fields.number("unhealthyThreshold", check.unhealthy_threshold, kPositive);
        fields.number("healthyThreshold", check.healthy_threshold, kPositive);
        backend.health_check = check;
    });
}

bool is_backend_path(std::string_view text) {
    return text.empty() ||
           (text.starts_with('/') && text.find_first_of(" ?#\t\r\n") == std::string_view::npos);
}

void read_spec(Fields& spec, Backend& backend) {
    read_services(spec, backend);
    spec.text(
        "basePath", backend.base_path,
        {.fits = is_backend_path, .shape = "begin with '/' and hold neither '?', '#' nor spaces"});
    backend.protocol_mark = spec.mark_of("protocol");
    const bool known = spec.choice<Protocol>("protocol", backend.protocol,
                                             {{"http", Protocol::http},
                                              {"https", Protocol::https},
                                              {"ws", Protocol::ws},
                                              {"wss", Protocol::wss}});
    if (spec.has("protocol") && !known) {
        backend.protocol = Protocol::https;  // so that no further check complains of http
    }
    spec.object("tls", [&](Fields& tls) {
        backend.tls_mark = tls.mark();
        backend.ca = read_pem_source(tls);
        tls.not_served("allowedSANs", "the certificate must name the host itself");
    });
    spec.object("security", [&](Fields& security) { read_security(security, backend); });
    read_behaviour(spec, backend);
}

}  // namespace

void read_backend(Object& object) {
    Backend backend;
    backend.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_spec(spec, backend); }, true);
    object.resources.backends.push_back(std::move(backend));
}

}  // namespace rotary::config
