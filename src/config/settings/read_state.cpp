#include "config/settings/read_state.hpp"

#include <rotary/base/percent.hpp>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostUrlBytes = 2048;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kMostPasswordBytes = 4096;
constexpr long long kMostDeadline = 1000;
constexpr long long kMostDatabase = 65'535;
constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26'379;

// HOST, HOST:PORT, [::1] or [::1]:PORT.
std::optional<HostPort> parse_place(std::string_view text, std::uint16_t usual_port) {
    const bool has_brackets = text.starts_with('[');
    const std::size_t bracket = text.find(']');
    if (has_brackets && bracket == text.npos) return std::nullopt;
    const std::size_t colon = text.find(':', has_brackets ? bracket : 0);
    std::string_view host = text.substr(0, colon);
    if (has_brackets) host = host.substr(1, host.size() - 2);
    HostPort place{std::string(host), usual_port};
    const bool is_v6 = is_ip_address(host) && host.find(':') != host.npos;
    if (has_brackets ? !is_v6 || bracket + 1 != text.substr(0, colon).size()
                     : !is_host_name(host)) {
        return std::nullopt;
    }
    if (colon == text.npos) return place;
    const auto port = parse_integer(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65'535) return std::nullopt;
    place.port = static_cast<std::uint16_t>(*port);
    return place;
}

bool is_sentinel(std::string_view text) { return parse_place(text, kSentinelPort).has_value(); }

struct Url {
    HostPort place;
    bool tls = false;
    std::string user;
    bool has_password = false;
    unsigned database = 0;
};

// redis[s]://[USER@]HOST[:PORT][/DATABASE]
std::optional<Url> parse_url(std::string_view text) {
    Url url;
    url.tls = text.starts_with("rediss://");
    if (!url.tls && !text.starts_with("redis://")) return std::nullopt;
    std::string_view rest = text.substr(text.find("//") + 2);
    const std::size_t slash = rest.find('/');
    if (slash != rest.npos && slash + 1 < rest.size()) {
        const auto database = parse_integer(rest.substr(slash + 1));
        if (!database || *database < 0 || *database > kMostDatabase) return std::nullopt;
        url.database = static_cast<unsigned>(*database);
    }
    rest = rest.substr(0, slash);
    const std::size_t at = rest.rfind('@');
    if (at != rest.npos) {
        const std::string_view who = rest.substr(0, at);
        url.has_password = who.find(':') != who.npos;
        const auto user = text::percent_decoded(who.substr(0, who.find(':')));
        if (!user || std::any_of(user->begin(), user->end(),
                                 [](char c) { return c <= ' ' || c == '\x7f'; })) {
            return std::nullopt;
        }
        url.user = *user;
        rest.remove_prefix(at + 1);
    }
    const auto place = parse_place(rest, kRedisPort);
    if (!place) return std::nullopt;
    url.place = *place;
    return url;
}

bool is_redis(std::string_view text) { return text.empty() || parse_url(text).has_value(); }

bool is_namespace(std::string_view text) {
    return !text.empty() && text.size() <= kMostNameBytes &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
           });
}

constexpr TextRule kUrl{.max = kMostUrlBytes,
                        .fits = is_redis,
                        .shape = "be the address of a Redis, such as rediss://user@host:6379/0"};
constexpr TextRule kNamespace{.fits = is_namespace,
                              .shape = "be 1 to 64 letters, digits, dots, dashes and underscores"};
constexpr TextRule kSentinel{.fits = is_sentinel,
                             .shape = "be the host of a sentinel, such as sentinel-1:26379"};
constexpr TextRule kMaster{.max = 256};

// What is right for itself, and wrong beside the rest.
void check_redis(Fields& fields, const Redis& redis, const Url& url) {
    if (url.has_password) {
        fields.error("url",
                     "must have no password in it: state.redis.password_file names a file "
                     "that holds it");
    } else if (!redis.user.empty() && redis.password_file.empty()) {
        fields.error("url",
                     "has a user without a password: state.redis.password_file must name "
                     "a file that holds it");
    }
    if (!redis.sentinels.empty() && redis.master_name.empty()) {
        fields.error("sentinels",
                     "are asked for a master by its name: state.redis.master_name is "
                     "missing");
    }
    if (redis.sentinels.empty() && !redis.master_name.empty()) {
        fields.error("master_name",
                     "is what sentinels are asked for: state.redis.sentinels is "
                     "missing");
    }
}

void warn_of_unused(Fields& fields, const Redis& redis) {
    const std::pair<const char*, bool> said[] = {{"password_file", !redis.password_file.empty()},
                                                 {"ca", !redis.ca.empty()},
                                                 {"sentinels", !redis.sentinels.empty()},
                                                 {"master_name", !redis.master_name.empty()}};
    for (const auto& [key, is_said] : said) {
        if (is_said) fields.warning(key, "there is no state.redis.url: nothing is shared");
    }
}

void read_redis(Fields& fields, State& state) {
    Redis redis;
    redis.url_mark = fields.mark_of("url");
    const std::size_t before = fields.reading().findings.size();
    fields.text("url", redis.url, kUrl);
    redis.password_file_mark = fields.mark_of("password_file");
    fields.path("password_file", redis.password_file);
    redis.ca_mark = fields.mark_of("ca");
    fields.path("ca", redis.ca);
    fields.text("namespace", redis.name_space, kNamespace);
    fields.number("deadline_ms", redis.deadline, {.min = 1, .max = kMostDeadline});
    fields.each_text(
        "sentinels",
        [&](const std::string& text, const Mark&) {
            if (const auto place = parse_place(text, kSentinelPort)) {
                redis.sentinels.push_back(*place);
            }
        },
        {.max = 16}, kSentinel);
    fields.text("master_name", redis.master_name, kMaster);
    const bool is_wrong = fields.reading().findings.size() > before;
    const std::optional<Url> url = parse_url(redis.url);
    if (!url) {
        if (!is_wrong) warn_of_unused(fields, redis);
        return;
    }
    redis.place = url->place;
    redis.tls = url->tls;
    redis.user = url->user;
    redis.database = url->database;
    if (!is_wrong) check_redis(fields, redis, *url);
    state.redis = std::move(redis);
}

// What leads to the same keys in the same way has the same of these.
auto way_of(const Redis& redis) {
    return std::tie(redis.url, redis.password, redis.ca_pem, redis.name_space, redis.deadline,
                    redis.sentinels, redis.master_name, redis.password_file, redis.ca);
}

}  // namespace

bool connects_alike(const Redis& one, const Redis& other) { return way_of(one) == way_of(other); }

bool connects_alike(const State& one, const State& other) {
    if (!one.redis || !other.redis) return one.redis.has_value() == other.redis.has_value();
    return connects_alike(*one.redis, *other.redis);
}

void read_state(Fields& fields, State& state) {
    fields.object("redis", [&](Fields& redis) { read_redis(redis, state); });
}

void add_state_files(const NamedFiles& files, State& state, std::vector<Finding>& findings) {
    if (!state.redis) return;
    Redis& redis = *state.redis;
    if (const auto ca = files.find(redis.ca); ca != files.end()) redis.ca_pem = ca->second.reveal();
    const auto file = files.find(redis.password_file);
    if (file == files.end()) return;
    std::string_view password = file->second.reveal();
    password = password.substr(0, password.find_last_not_of("\r\n") + 1);
    const bool is_line = !password.empty() && password.size() <= kMostPasswordBytes &&
                         password.find_first_of("\r\n") == password.npos;
    if (!is_line) {
        findings.push_back(
            error_at(redis.password_file_mark,
                     redis.password_file +
                         " must hold the password of the Redis alone, in one line of at "
                         "most " +
                         std::to_string(kMostPasswordBytes) + " bytes"));
        return;
    }
    redis.password = Secret(std::string(password));
}

}  // namespace rotary::config
