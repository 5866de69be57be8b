#pragma once

#include "server/deployment.hpp"
#include "server/process_health.hpp"

#include <rotary/admin/admin.hpp>
#include <rotary/admin/cost_of_today.hpp>
#include <rotary/admin/event_feed.hpp>
#include <rotary/admin/live_rates.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace rotary::server {

// What operators are shown of the deployment as it works: rates, the last requests, what happened.
// Owned by the Server; control thread only.
class OperatorView {
public:
    // `feed` outlives the control thread's loop, whose coroutines listen to it.
    OperatorView(boost::asio::io_context& control, Deployment& deployment, Logger& log,
                 admin::EventFeed& feed, std::function<ProcessStatus()> status);

    // Those that read or change what is deployed; those of the process are its owner's.
    void fill(admin::AdminHooks& hooks);
    void each_second();  // now and from then on
    void stop();
    void reloaded(const admin::ReloadOutcome& outcome, bool replaced);
    void draining(std::string_view why);

private:
    std::string status() const;
    std::string models() const;
    void note_rates();
    void note_costs();
    void latest_requests(std::size_t most, std::function<void(std::string)> tell);
    bool suspend(std::string_view id, std::chrono::seconds duration);
    bool resume(std::string_view id);

    boost::asio::io_context& control_;
    Deployment& deployment_;
    Logger& log_;
    admin::EventFeed& feed_;
    const std::function<ProcessStatus()> status_;
    admin::EntryWatch watch_;
    admin::LiveRates rates_;
    admin::CostOfToday today_;
    boost::asio::steady_timer timer_;
};

}  // namespace rotary::server
