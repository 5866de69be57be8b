#pragma once

#include "kubernetes/status_plan.hpp"

#include <rotary/base/log.hpp>
#include <rotary/kubernetes/api_client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rotary::kubernetes {

// Tells in the cluster what has come of its objects: the status of APIs and HTTPRoutes, Events for
// the other kinds. One object at a time, each read before it is written, so nothing is written that
// is there already and nothing about a version that this gateway has not seen yet. A write that
// fails is tried again later; serving does not depend on it. Owned by the source; control thread
// only.
class StatusWriter {
public:
    struct Counts {
        std::uint64_t patches = 0;
        std::uint64_t events = 0;
        std::uint64_t refusals = 0;  // answers other than wanted, none counted too
    };

    // The client and the log outlive it. `instance` names this process among its replicas.
    StatusWriter(boost::asio::io_context& control, ApiClient& client, Logger& log,
                 std::string instance);
    ~StatusWriter() = default;
    StatusWriter(const StatusWriter&) = delete;
    StatusWriter& operator=(const StatusWriter&) = delete;

    // All objects and what has come of each, once every worker serves by them.
    void tell(std::vector<Judged> objects);
    const Counts& counts() const noexcept { return counts_; }

private:
    using Result = StatusPlan::Result;

    void wait();
    void begin();
    void look();
    void looked(const ApiAnswer& answer);
    void write(std::string patch);
    void gather_events();
    void post_next();
    void end(Result result);
    Result result_of(const ApiAnswer& answer, const char* doing);

    boost::asio::steady_timer timer_;
    ApiClient& client_;
    Logger& log_;
    std::string instance_;
    StatusPlan plan_;
    EventMemory said_;
    std::optional<Judged> in_hand_;
    struct Unsaid {
        std::string what;
        std::string body;
    };
    std::vector<Unsaid> events_;  // of it, to be posted
    ApiClient::Handle call_;
    Counts counts_;
    std::set<std::string> told_refusals_;  // in the log, once
};

}  // namespace rotary::kubernetes
