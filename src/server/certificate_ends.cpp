#include "server/certificate_ends.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace rotary::server {

namespace {

using std::chrono::days;
constexpr std::array kSteps = {days(30), days(7), days(1), days(0)};

std::string left_of(WallTime end, WallTime now) {
    if (end <= now) return "has ended";
    const std::int64_t whole = days_until(end, now);
    if (whole == 0) return "ends within a day";
    return "ends in " + std::to_string(whole) + (whole == 1 ? " day" : " days");
}

}  // namespace

std::int64_t days_until(WallTime end, WallTime now) noexcept {
    return std::chrono::floor<days>(end - now).count();
}

std::vector<CertificateEnds::End> CertificateEnds::ends() const {
    std::vector<End> all;
    for (std::size_t i = 0; i < std::min(ends_.size(), listeners_.size()); ++i) {
        if (ends_[i] != WallTime{}) all.push_back({listeners_[i], ends_[i]});
    }
    return all;
}

void CertificateEnds::tell(admin::EventFeed& feed, WallTime now) {
    told_.resize(ends_.size());
    for (std::size_t i = 0; i < std::min(ends_.size(), listeners_.size()); ++i) {
        if (ends_[i] == WallTime{}) continue;
        const auto passed = static_cast<std::size_t>(std::count_if(
            kSteps.begin(), kSteps.end(), [&](days before) { return now >= ends_[i] - before; }));
        if (passed > told_[i]) {
            TimestampBuffer time;
            feed.add("certificate", listeners_[i],
                     left_of(ends_[i], now) + ", " + std::string(format_timestamp(ends_[i], time)),
                     now);
        }
        told_[i] = passed;
    }
}

void CertificateEnds::take(const Contexts& contexts) {
    ends_.resize(contexts.size());
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        if (contexts[i] != nullptr) ends_[i] = contexts[i]->certificate_end();
    }
}

void CertificateEnds::sample(metrics::Exposition& out) const {
    for (std::size_t i = 0; i < ends_.size() && i < listeners_.size(); ++i) {
        if (ends_[i] == WallTime{}) continue;
        const std::chrono::duration<double> end = ends_[i].time_since_epoch();
        out.gauge("rotary_tls_certificate_expiry_timestamp_seconds",
                  "When the certificate of a listener ends, in Unix time.",
                  {{"listener", listeners_[i]}}, end.count());
    }
}

}  // namespace rotary::server
