#pragma once

#include <rotary/admin/admin.hpp>
#include <rotary/base/log.hpp>
#include <rotary/config/load.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// What OpenSSL alone can say of the listeners' certificates and keys. Of a configuration without
// errors.
void check_listeners(const config::Loaded& loaded, std::vector<config::Finding>& findings);

// The process: workers, the control thread's work (signals, reload, key sets, admin), start and
// end. Made and run on one thread, which becomes the control thread.
class Server {
public:
    // What was built, for rotary_build_info.
    struct Build {
        std::string version;
        std::string revision;
        std::string compiler;
    };
    struct Options {
        std::string config_path;  // for reloads; empty: reloads are refused
        config::Environment environment;
        std::vector<std::string> accept_unserved{};  // beside what the file accepts
        bool handle_signals = true;                  // SIGHUP, SIGTERM, SIGINT; off in tests
        int access_log_fd = 1;
        Build build{};
    };

    // Compiles `loaded`, which must have no errors, and binds. Appends what compiling found to
    // `findings`. Throws std::exception with a sentence for the operator when it can't start.
    Server(const Options& options, config::Loaded loaded, Logger& log,
           std::vector<config::Finding>& findings);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Serves until a signal or request_stop(), drains, returns the exit code.
    int run();

    // Any thread. The first drains, the second stops at once.
    void request_stop();
    // Any thread; waits for the outcome. For tests: operators send SIGHUP or POST /api/v1/reload.
    admin::ReloadOutcome reload();

    const std::vector<std::uint16_t>& ports() const noexcept;  // as the listeners, real ones
    std::uint16_t admin_port() const noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace rotary::server
