#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/config/load.hpp>

#include <cstdint>
#include <string>

namespace rotary::server {

// What is in force, by number and fingerprint, and what became of the last reload: for operators,
// metrics, and the decision on the next one. Owned by the Deployment; control thread only.
class ReloadRecord {
public:
    enum class Step : std::uint8_t {
        refuse,  // it has errors: the old one stays in force
        keep,    // it reads like what is in force
        replace  // to be compiled
    };

    void started(std::string fingerprint, WallTime now);
    // What is to become of what was loaded.
    Step step(const config::Loaded& loaded) const;

    // What became of it.
    void refused(const std::string& findings);
    void kept();
    void replaced(std::string fingerprint, WallTime now);

    std::uint64_t generation() const noexcept { return generation_; }
    const std::string& last() const noexcept { return last_; }  // a line for people
    bool last_ok() const noexcept { return last_ok_; }
    WallTime last_success() const noexcept { return last_success_; }
    void sample(metrics::Exposition& out) const;

private:
    std::string fingerprint_;
    std::uint64_t generation_ = 1;
    std::string last_ = "none";
    bool last_ok_ = true;
    // Reloads, by what became of them.
    std::uint64_t refused_ = 0;
    std::uint64_t kept_ = 0;
    std::uint64_t replaced_ = 0;
    WallTime last_success_{};  // when a configuration was last taken into force
};

}  // namespace rotary::server
