#include "server/reload_record.hpp"

#include <chrono>
#include <utility>

namespace rotary::server {

void ReloadRecord::started(std::string fingerprint, WallTime now) {
    fingerprint_ = std::move(fingerprint);
    last_success_ = now;
}

ReloadRecord::Step ReloadRecord::step(const config::Loaded& loaded) const {
    if (!loaded.ok()) return Step::refuse;
    return loaded.fingerprint == fingerprint_ ? Step::keep : Step::replace;
}

void ReloadRecord::refused(const std::string& findings) {
    ++refused_;
    last_ok_ = false;
    last_ = "failed: " + findings;
}

void ReloadRecord::kept() {
    ++kept_;
    last_ok_ = true;
    last_ = "ok, nothing has changed";
}

void ReloadRecord::replaced(std::string fingerprint, WallTime now) {
    fingerprint_ = std::move(fingerprint);
    ++generation_;
    ++replaced_;
    last_ok_ = true;
    last_ = "ok";
    last_success_ = now;
}

void ReloadRecord::sample(metrics::Exposition& out) const {
    out.gauge("rotary_config_last_reload_successful", "1 when the last reload succeeded.", {},
              last_ok_ ? 1 : 0);
    const auto count = [&](std::string_view outcome, std::uint64_t times) {
        out.counter("rotary_config_reloads_total", "Reloads, by what became of them.",
                    {{"outcome", outcome}}, static_cast<double>(times));
    };
    count("refused", refused_);
    count("unchanged", kept_);
    count("replaced", replaced_);
    const auto success =
        std::chrono::duration_cast<std::chrono::seconds>(last_success_.time_since_epoch());
    out.gauge("rotary_config_last_reload_success_timestamp_seconds",
              "When a configuration was last taken into force.", {},
              static_cast<double>(success.count()));
}

}  // namespace rotary::server
