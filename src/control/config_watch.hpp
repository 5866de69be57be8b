#pragma once

#include <rotary/base/log.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::control {

// Tells when files or folders may have changed: by inotify on the folders that hold them, on every
// symlink that leads there, also from symlink to symlink (a ConfigMap or a mounted Secret is
// changed by renaming the symlink ..data), and on what stands above them (a folder may be replaced
// as a whole). Says "may": the listener compares. Owned by the source; control thread only.
class ConfigWatch {
public:
    // `on_change` may call watch() and stop(). It is called as well when folders are watched that
    // were not when their files were last read.
    ConfigWatch(boost::asio::io_context& control, Logger& log, std::function<void()> on_change);
    ~ConfigWatch();
    ConfigWatch(const ConfigWatch&) = delete;
    ConfigWatch& operator=(const ConfigWatch&) = delete;

    // Watches these and nothing else. A folder has all that happens in it reported, a file what
    // happens to its name, each `settle` after the last event. A watch that can't be set up is a
    // warning, once.
    void watch(const std::vector<std::string>& paths, std::chrono::milliseconds settle);
    void stop() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::control
