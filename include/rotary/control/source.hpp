#pragma once

#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/config/load.hpp>
#include <rotary/wire/json_writer.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::control {

// Where the configuration comes from: what it says now, and word when it says something else. The
// server knows no more of it, so that another place for a configuration is another implementation,
// chosen by open_source(). Owned by the Server; control thread only.
class Source {
public:
    // Called from the loop with what the source says now, when that is not what it said when it was
    // last read. May call every function of the source.
    using OnChange = std::function<void(config::Loaded now)>;

    Source() = default;
    virtual ~Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    // Reads all of it, which may block.
    virtual config::Loaded load() = 0;
    // What was read last is in force from here on.
    virtual void took_force() = 0;
    // Every worker serves by what took force last, unless there is something later.
    virtual void in_force_everywhere() {}
    // Looks out for changes of what is in force and of what was read last: one that was refused
    // must be noticed when it is repaired. Word comes `settle` after the last of them. To be called
    // again after each load().
    virtual void watch(std::chrono::milliseconds settle) = 0;
    virtual void stop_watching() noexcept = 0;

    // How it stands, for probes: until it has said what is to be served, new clients are not
    // welcome.
    struct Standing {
        bool is_ready = true;
        std::string reason;                                       // why not
        std::vector<std::pair<std::string, std::string>> checks;  // for people
    };
    virtual Standing standing() const { return {}; }
    virtual void write(wire::JsonWriter&) const {}  // members of an object, for operators
    virtual void sample(metrics::Exposition&) const {}
};

struct SourceOptions {
    std::string config_path;  // of rotary.yaml
    config::Environment environment;
    std::vector<std::string> accept_unserved;  // beside what the file accepts
    Source::OnChange on_change;
    // What compiling finds in what was loaded, for a source that puts right what is wrong before it
    // tells of it. What was found right last is not compiled again when it is told of at once.
    std::function<std::vector<config::Finding>(const config::Loaded& loaded)> judge;
};

// The source that the options name, `first` being what it said at the start, now in force. Null
// when they name none: then there is nothing to reload.
std::unique_ptr<Source> open_source(boost::asio::io_context& control, Logger& log,
                                    SourceOptions options, const config::Loaded& first);

}  // namespace rotary::control
