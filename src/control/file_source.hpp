#pragma once

#include "control/config_watch.hpp"

#include <rotary/control/source.hpp>

#include <string>
#include <vector>

namespace rotary::control {

// Where a change may change the configuration that was loaded: every file and folder that was read,
// and what was named and is not there.
std::vector<std::string> places_of(const std::string& config_path, const config::Loaded& loaded);

// The configuration as rotary.yaml and the files that it names have it.
class FileSource final : public Source {
public:
    FileSource(boost::asio::io_context& control, Logger& log, SourceOptions options,
               const config::Loaded& first);

    config::Loaded load() override;
    void took_force() override { places_in_force_ = places_read_; }
    void watch(std::chrono::milliseconds settle) override;
    void stop_watching() noexcept override { watch_.stop(); }

    // Where a change is looked out for, by the next watch().
    std::vector<std::string> places() const;
    // Reads again, and says so where it reads otherwise than before.
    void look_again();

private:
    config::Loaded read() const;
    void note(const config::Loaded& loaded);

    Logger& log_;
    const SourceOptions options_;
    std::vector<std::string> places_in_force_;
    std::vector<std::string> places_read_;  // last, good or bad
    std::string fingerprint_read_;          // idem
    ConfigWatch watch_;
};

}  // namespace rotary::control
