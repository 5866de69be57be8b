#include <string_view>

#include "config/check/certificate.hpp"
#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && is_ip_address(host));
}

}  // namespace

void check_state(Checker& checker) {
    if (!checker.config.state.redis) return;
    const Redis& redis = *checker.config.state.redis;
    if (!redis.tls && !redis.password_file.empty() && !is_loopback(redis.place.host)) {
        checker.warning(redis.url_mark, "the password travels unencrypted to " + redis.place.host +
                                            ": rediss:// is the same with TLS");
    }
    if (redis.ca.empty() || !checker.files.contains(redis.ca)) return;
    const CertificateChain chain = read_certificates(redis.ca_pem);
    if (!chain.error.empty()) checker.error(redis.ca_mark, redis.ca + ": " + chain.error);
    if (!redis.tls) {
        checker.warning(redis.ca_mark, "state.redis.url is not rediss: no certificate is asked");
    }
}

}  // namespace rotary::config
