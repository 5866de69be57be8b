#pragma once

#include "server/service_notice.hpp"
#include "server/service_socket.hpp"
#include "server/worker_pulse.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace rotary::server {

// What the service's manager is told of this process, and that it lives: not before the loop of
// every worker has answered since the last time, so a worker that hangs has the process restarted
// like a control thread that does. Control thread only. Costs nothing where there is no manager.
class Supervision {
public:
    struct Process {
        config::Environment environment;
        std::size_t workers = 0;
        WorkerPulse::Post post;
        std::function<ServingState()> state;
    };

    Supervision(boost::asio::io_context& control, Process process, Logger& log);

    // Begins the watchdog, when one is wished for.
    void ready();
    void reloading();
    void reloaded();
    // Ends within `longest`.
    void stopping(std::chrono::milliseconds longest);

private:
    void look_at_workers();
    void look_again(std::chrono::microseconds wait);

    const Process process_;
    Logger& log_;
    ServiceSocket manager_;
    boost::asio::steady_timer timer_;
    std::chrono::microseconds each_{0};  // 0: no watchdog
    WorkerPulse pulse_;
    std::string said_;                   // the last lasting notice, said again after another
    std::optional<std::size_t> silent_;  // the worker that was last told of
};

}  // namespace rotary::server
