#include <regex>

#include "unit/config/mistakes.hpp"

namespace rotary::config {
namespace {

constexpr const char* kGood = R"(workers: 2
listeners:
  - address: 127.0.0.1
    port: 9095
    tls:
      certificate: CERT
      key: KEY
admin: {address: 127.0.0.1, port: 9901}
routing:
  max_attempts: 3
  on_all_suspended: reject
  expose_route: true
usage: {streams: auto, bytes_per_token: 3, tokens_per_image: 1000}
limits: {body_bytes: 1000, headers: 50}
timeouts: {drain: 30s, connect: 0.5}
log: {level: info, access: json}
)";

class ProcessMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(ProcessMistakes, AreFoundAtTheirPlace) {
    const Mistake& mistake = GetParam();
    std::string text = with_change(kGood, mistake.replace, mistake.with);
    const std::pair<int, int> place = take_marker(text, mistake);
    for (const auto& [word, file] : {std::pair("CERT", "listener.crt"),
                                     {"OTHER", "other.key"},
                                     {"KEY", "listener.key"},
                                     {"TEXT", "complete.yaml"}}) {
        text = std::regex_replace(text, std::regex(word), data_file(file));
    }
    Loaded loaded = load_texts({"rotary.yaml", text},
                               {{"r.yaml", read_text(data_file("complete.yaml"))}}, variables());
    expect_only(loaded, mistake, place);
}

const Mistake kMistakes[] = {
    {"unknown_key", "admin: {", "@@amdin: {", "amdin", "unknown field \"amdin\"; did you mean"},
    {"unknown_limit", "headers: 50", "@@header: 50", "limits.header", "did you mean \"headers\"?"},
    {"unknown_timeout", "drain: 30s", "@@drian: 30s", "timeouts.drian", "did you mean \"drain\"?"},
    {"duplicate_key", "workers: 2", "workers: 2\n@@workers: 3", "workers",
     "is there twice; the first is on line 1"},
    {"duplicate_inner_key", "headers: 50}", "headers: 50, @@headers: 51}", "limits.headers",
     "is there twice"},
    {"workers_text", "workers: 2", "workers: @@two", "workers", "found \"two\""},
    {"workers_negative", "workers: 2", "workers: @@-2", "workers", "between 0 and 1024"},
    {"workers_octal", "workers: 2", "workers: @@02", "workers", "plain decimal digits"},
    {"listeners_map", "listeners:\n  - address", "listeners:\n    @@address", "listeners",
     "expected a list, found a mapping"},
    {"listener_text", "  - address: 127.0.0.1\n", "  - @@9095\n  - address: 127.0.0.1\n",
     "listeners[0]", "expected a mapping, found plain text"},
    {"address_name", "address: 127.0.0.1\n", "address: @@localhost\n", "listeners[0].address",
     "be an IP address"},
    {"port_high", "port: 9095", "port: @@70000", "listeners[0].port", "between 0 and 65535"},
    {"port_of_admin", "port: 9095", "port: @@9901", "listeners[0].port",
     "the admin listener has this port already"},
    {"port_twice", "admin: {", "  - {port: @@9095, tls: {certificate: CERT, key: KEY}}\nadmin: {",
     "listeners[1].port", "the listener on line 3 has this port already"},
    {"neither_tls_nor_plaintext", "admin: {", "  - @@port: 9096\nadmin: {", "listeners[1].tls",
     "is required; `plaintext: true` is the only way"},
    {"plaintext", "admin: {", "  - {port: 9096, plaintext: @@true}\nadmin: {",
     "listeners[1].plaintext", "unencrypted", Severity::warning},
    {"tls_and_plaintext", "    port: 9095\n", "    port: 9095\n    plaintext: @@true\n",
     "listeners[0].plaintext", "can't be plaintext as well"},
    {"certificate_missing", "certificate: CERT", "certificate: @@none.crt # CERT",
     "listeners[0].tls.certificate", "there is no file none.crt"},
    {"certificate_is_a_device", "certificate: CERT", "certificate: @@/dev/null",
     "listeners[0].tls.certificate", "/dev/null is not a file"},
    {"certificate_is_text", "certificate: CERT", "certificate: @@TEXT",
     "listeners[0].tls.certificate", "complete.yaml: no certificate is in it (PEM is expected)"},
    {"certificate_is_a_key", "certificate: CERT", "certificate: @@KEY",
     "listeners[0].tls.certificate", "listener.key: no certificate is in it (PEM is expected)"},
    {"key_is_a_certificate", "key: KEY", "key: @@CERT", "listeners[0].tls.key",
     "listener.crt: no private key is in it (PEM is expected)"},
    {"key_of_another", "key: KEY", "key: @@OTHER", "listeners[0].tls.key",
     "other.key: it does not belong to the certificate (certificate: "},
    {"key_required", "      certificate: CERT\n      key: KEY",
     "      @@certificate: CERT\n      # KEY", "listeners[0].tls.key", "is required"},
    {"admin_public", "admin: {address: 127.0.0.1", "admin: {address: @@0.0.0.0", "admin.address",
     "admin.token_file must name a file with a token"},
    {"admin_token_missing", "admin: {", "admin: {token_file: @@none.token, ", "admin.token_file",
     "none.token"},
    {"admin_token_is_a_certificate", "admin: {", "admin: {token_file: @@CERT, ", "admin.token_file",
     "must hold one line of 16 to 512 visible ASCII characters"},
    {"proxies_no_range", "admin: {", "proxies: {trusted: [@@lb.test], protocol: true}\nadmin: {",
     "proxies.trusted[0]", "be an address or a range of addresses"},
    {"proxies_length", "admin: {", "proxies: {trusted: [@@10.0.0.0/33], protocol: true}\nadmin: {",
     "proxies.trusted[0]", "be an address or a range of addresses"},
    {"proxies_of_nobody", "admin: {", "proxies: {trusted: @@[], protocol: true}\nadmin: {",
     "proxies.trusted", "must name the proxies whose word is taken"},
    {"proxies_for_nothing", "admin: {", "proxies: {trusted: @@[10.0.0.1]}\nadmin: {",
     "proxies.trusted", "set proxies.protocol or proxies.field"},
    {"proxies_everybody", "admin: {",
     "proxies: {trusted: [@@0.0.0.0/0], field: forwarded}\nadmin: {", "proxies.trusted[0]",
     "holds every address", Severity::warning},
    {"proxies_field", "admin: {", "proxies: {trusted: [10.0.0.1], field: @@x-real-ip}\nadmin: {",
     "proxies.field", "must be one of off, x-forwarded-for, forwarded"},
    {"redis_no_url", "admin: {", "state: {redis: {url: @@localhost}}\nadmin: {", "state.redis.url",
     "must be the address of a Redis"},
    {"redis_password", "admin: {", "state: {redis: {url: @@\"redis://a:b@h\"}}\nadmin: {",
     "state.redis.url", "must have no password in it"},
    {"redis_user_alone", "admin: {", "state: {redis: {url: @@\"redis://a@h\"}}\nadmin: {",
     "state.redis.url", "has a user without a password"},
    {"redis_password_is_long", "admin: {",
     "state: {redis: {url: \"redis://a@localhost\", password_file: @@TEXT}}\nadmin: {",
     "state.redis.password_file", "must hold the password of the Redis alone"},
    {"redis_ca_is_text", "admin: {", "state: {redis: {url: \"rediss://h\", ca: @@TEXT}}\nadmin: {",
     "state.redis.ca", "no certificate is in it"},
    {"redis_namespace", "admin: {",
     "state: {redis: {url: \"redis://h\", namespace: @@\"a b\"}}\nadmin: {",
     "state.redis.namespace", "must be 1 to 64 letters"},
    {"redis_deadline", "admin: {",
     "state: {redis: {url: \"redis://h\", deadline_ms: @@0}}\nadmin: {", "state.redis.deadline_ms",
     "between 1 and 1000"},
    {"redis_sentinels", "admin: {",
     "state: {redis: {url: \"redis://h\", sentinels: @@[s1]}}\nadmin: {", "state.redis.sentinels",
     "state.redis.master_name is missing"},
    {"redis_sentinel", "admin: {",
     "state: {redis: {url: \"redis://h\", sentinels: [@@\"s 1\"], master_name: m}}\nadmin: {",
     "state.redis.sentinels[0]", "must be the host of a sentinel"},
    {"redis_master", "admin: {", "state: {redis: {url: \"redis://h\", master_name: @@m}}\nadmin: {",
     "state.redis.master_name", "state.redis.sentinels is missing"},
    {"resolver_name", "admin: {", "resolvers: [@@dns.test]\nadmin: {", "resolvers[0]",
     "be the address of a name server"},
    {"attempts_zero", "max_attempts: 3", "max_attempts: @@0", "routing.max_attempts",
     "between 1 and"},
    {"suspended_choice", "on_all_suspended: reject", "on_all_suspended: @@rejct",
     "routing.on_all_suspended", "did you mean \"reject\"?"},
    {"flag", "expose_route: true", "expose_route: @@True", "routing.expose_route",
     "must be true or false"},
    {"usage_streams", "streams: auto", "streams: @@always", "usage.streams",
     "must be one of auto, ask, observe"},
    {"usage_no_bytes", "bytes_per_token: 3", "bytes_per_token: @@0", "usage.bytes_per_token",
     "between 1 and 16"},
    {"usage_many_bytes", "bytes_per_token: 3", "bytes_per_token: @@17", "usage.bytes_per_token",
     "between 1 and 16"},
    {"usage_images", "tokens_per_image: 1000", "tokens_per_image: @@1000001",
     "usage.tokens_per_image", "between 0 and 1000000"},
    {"limit_unit", "body_bytes: 1000", "body_bytes: @@10MiB", "limits.body_bytes",
     "plain decimal digits, found \"10MiB\""},
    {"limit_small", "headers: 50", "headers: @@0", "limits.headers", "between 8 and"},
    {"limit_huge", "headers: 50", "header_bytes: @@1099511627776", "limits.header_bytes",
     "between 1024 and 1048576"},
    {"uri_above_head", "headers: 50", "header_bytes: 2048, uri_bytes: @@4096", "limits.uri_bytes",
     "must not be above limits.header_bytes, 2048"},
    {"duration_zero", "connect: 0.5", "log_flush: @@0", "timeouts.log_flush",
     "between 10ms and 1m, found \"0\""},
    {"duration_long", "connect: 0.5", "jwks_fetch: @@2h", "timeouts.jwks_fetch",
     "between 1ms and 1h"},
    {"turn_long", "headers: 50", "turn_microseconds: @@1001", "limits.turn_microseconds",
     "between 50 and 1000"},
    {"suspension_max_below", "connect: 0.5",
     "failure_suspension: 1m, failure_suspension_max: @@30s", "timeouts.failure_suspension_max",
     "must not be below timeouts.failure_suspension"},
    {"duration_unit", "drain: 30s", "drain: @@30d", "timeouts.drain", "500ms, 30s, 5m, 1h"},
    {"duration_negative", "connect: 0.5", "connect: @@-1", "timeouts.connect", "number of seconds"},
    {"log_level", "level: info", "level: @@warn", "log.level", "must be one of trace, debug"},
    {"log_off_as_false", "access: json", "access: @@false", "log.access",
     "must be one of json, text, off"},
    {"anchor", "log: {level: info", "log: {level: @@&a info", "log.level",
     "anchors are not accepted"},
    {"variable_as_number", "workers: 2", "workers: @@${N:-many}", "workers",
     "found \"${N:-many}\""},
};

INSTANTIATE_TEST_SUITE_P(Process, ProcessMistakes, testing::ValuesIn(kMistakes), mistake_name);

}  // namespace
}  // namespace rotary::config
