#include "server/operator_view.hpp"

#include "server/spend_of_today.hpp"

#include <rotary/admin/limits.hpp>
#include <rotary/admin/requests.hpp>
#include <rotary/admin/status.hpp>

#include <boost/asio/post.hpp>

#include <iterator>
#include <memory>
#include <utility>

namespace rotary::server {

OperatorView::OperatorView(boost::asio::io_context& control, Deployment& deployment, Logger& log,
                           admin::EventFeed& feed, std::function<ProcessStatus()> status)
    : control_(control),
      deployment_(deployment),
      log_(log),
      feed_(feed),
      status_(std::move(status)),
      timer_(control) {}

void OperatorView::fill(admin::AdminHooks& hooks) {
    hooks.metrics = [this](metrics::Format format) {
        return deployment_.registry().scrape(format);
    };
    hooks.status_json = [this] { return status(); };
    hooks.models_json = [this] { return models(); };
    hooks.limits_json = [this](std::size_t callers) {
        return admin::limits_json(*deployment_.wiring(), wall_now(), callers);
    };
    hooks.consumers_json = [this](const admin::ConsumersAsked& asked) {
        return admin::consumers_json(*deployment_.wiring(), wall_now(), asked, today_);
    };
    hooks.config_text = [this] { return admin::config_json(deployment_.config()); };
    hooks.requests = [this](std::size_t most, std::function<void(std::string)> tell) {
        latest_requests(most, std::move(tell));
    };
    hooks.log_level = [this] { return log_.level(); };
    hooks.set_log_level = [this](LogLevel level) {
        log_.set_level(level);
        log_.info("log level changed by an operator", {{"level", to_string(level)}});
    };
    hooks.suspend = [this](std::string_view id, std::chrono::seconds duration) {
        return suspend(id, duration);
    };
    hooks.resume = [this](std::string_view id) { return resume(id); };
    hooks.events = &feed_;
}

std::string OperatorView::status() const { return status_json(status_(), rates_); }

std::string OperatorView::models() const {
    return admin::models_json(*deployment_.wiring(), deployment_.registry(),
                              deployment_.entry_history(), read_clock());
}

void OperatorView::note_rates() {
    proxy::LiveSums sums;
    deployment_.each_worker([&](Worker& worker) { worker.live().add_to(sums); });
    rates_.note(sums, std::chrono::steady_clock::now());
}

void OperatorView::note_costs() {
    today_.note(deployment_.wiring()->snapshot->consumer_use, wall_now(), [this](WallTime day) {
        return spend_since(deployment_.config().budgets.ledger, day, log_);
    });
}

void OperatorView::each_second() {
    const config::Limits& limits = deployment_.config().limits;
    feed_.set_limits(limits.admin_events, limits.admin_subscribers);
    note_rates();
    note_costs();
    watch_.look(*deployment_.wiring(), read_clock(), feed_);
    deployment_.certificate_ends().tell(feed_, wall_now());
    if (feed_.is_heard()) {
        feed_.tell("snapshot", R"({"status":)" + status() + R"(,"models":)" + models() + "}");
    }
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) each_second();
    });
}

void OperatorView::stop() { timer_.cancel(); }

// Each worker tells its own; the last one's telling ends it. One that is stuck never tells.
void OperatorView::latest_requests(std::size_t most, std::function<void(std::string)> tell) {
    struct Gathered {
        std::vector<proxy::RequestRecord> records;
        std::size_t missing = 0;
    };
    auto gathered = std::make_shared<Gathered>();
    gathered->missing = deployment_.workers();
    deployment_.each_worker([&](Worker& worker) {
        worker.latest_requests(most, [this, gathered, most, tell](auto records) {
            auto add = [gathered, most, tell, records = std::move(records)]() mutable {
                std::move(records.begin(), records.end(), std::back_inserter(gathered->records));
                if (--gathered->missing == 0) tell(admin::requests_json(gathered->records, most));
            };
            boost::asio::post(control_, std::move(add));
        });
    });
}

void OperatorView::reloaded(const admin::ReloadOutcome& outcome, bool replaced) {
    const std::string generation = "#" + std::to_string(deployment_.record().generation());
    if (!outcome.ok) {
        feed_.add("reload failed", "the old configuration stays in force", outcome.findings,
                  wall_now());
    } else if (replaced) {
        feed_.add("reloaded", "configuration " + generation, "", wall_now());
    }
}

void OperatorView::draining(std::string_view why) {
    feed_.add("draining", "no new connection is taken", why, wall_now());
}

bool OperatorView::suspend(std::string_view id, std::chrono::seconds duration) {
    rotation::EntryState* entry = admin::find_entry(*deployment_.wiring(), id);
    if (entry == nullptr) return false;
    entry->suspend(std::chrono::steady_clock::now(), duration,
                   rotation::SuspendReason::operator_request,
                   routing::entry_limits(deployment_.config()));
    log_.warn("model suspended by an operator", {{"entry", id}, {"seconds", duration.count()}});
    watch_.look(*deployment_.wiring(), read_clock(), feed_);
    return true;
}

bool OperatorView::resume(std::string_view id) {
    rotation::EntryState* entry = admin::find_entry(*deployment_.wiring(), id);
    if (entry == nullptr) return false;
    entry->resume();
    log_.info("model resumed by an operator", {{"entry", id}});
    watch_.look(*deployment_.wiring(), read_clock(), feed_);
    return true;
}

}  // namespace rotary::server
