#include <rotary/server/server.hpp>

#include "server/deployment.hpp"
#include "server/log_files.hpp"
#include "server/process_health.hpp"

#include <rotary/admin/limits.hpp>
#include <rotary/admin/status.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/control/source.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <future>
#include <optional>
#include <utility>

namespace rotary::server {

namespace {
constexpr std::chrono::seconds kLoopPatience{5};  // /livez: a loop that has not turned is stuck
}  // namespace

// Floor 4's centre: the control thread's loop and what happens on it.
class Server::Impl {
public:
    Impl(const Options& options, config::Loaded loaded, Logger& log,
         std::vector<config::Finding>& findings)
        : options_(options),
          log_(log),
          signals_(io_),
          reload_signal_(io_),
          reopen_signal_(io_),
          drain_timer_(io_),
          source_(control::open_source(io_, log, source_options(), loaded)),
          deployment_(io_, Logs{log, options.access_log_fd}, std::move(loaded), findings),
          admin_(io_, admin_options(deployment_.config()), hooks(), log) {
        if (options_.handle_signals) listen_for_signals();
        deployment_.registry().on_scrape([this](metrics::Exposition& out) {
            out.gauge("rotary_build_info", "1; its labels say what runs.",
                      {{"version", options_.build.version},
                       {"revision", options_.build.revision},
                       {"compiler", options_.build.compiler}},
                      1);
        });
        deployment_.start();
        watch_source();
        ready_ = true;
        announce();
    }

    int run() {
        const auto guard = boost::asio::make_work_guard(io_);
        io_.run();
        deployment_.stop();
        log_.info("stopped");
        return 0;
    }

    void request_stop() {
        boost::asio::post(io_, [this] { stop_requested("request"); });
    }

    admin::ReloadOutcome reload_from_outside() {
        std::promise<admin::ReloadOutcome> promise;
        auto outcome = promise.get_future();
        boost::asio::post(io_, [this, &promise] { promise.set_value(reload()); });
        return outcome.get();
    }

    const std::vector<std::uint16_t>& ports() const { return deployment_.ports(); }
    std::uint16_t admin_port() const { return admin_.port(); }

private:
    static admin::AdminOptions admin_options(const config::Config& config) {
        admin::AdminOptions options;
        options.address = config.admin.address;
        options.port = config.admin.port;
        options.connections = config.limits.admin_connections;
        options.body_bytes = config.limits.admin_body_bytes;
        options.timeout = config.timeouts.admin;
        return options;
    }

    control::SourceOptions source_options() {
        control::SourceOptions options;
        options.config_path = options_.config_path;
        options.environment = options_.environment;
        options.accept_unserved = options_.accept_unserved;
        options.on_change = [this](config::Loaded now) { take(std::move(now)); };
        return options;
    }

    admin::AdminHooks hooks() {
        admin::AdminHooks hooks;
        hooks.metrics = [this](metrics::Format format) {
            return deployment_.registry().scrape(format);
        };
        hooks.live = [this] { return liveness(deployment_.alive(kLoopPatience), kLoopPatience); };
        hooks.ready = [this] { return readiness(status(), deployment_.keys_health()); };
        hooks.status_json = [this] { return status_json(status()); };
        hooks.limits_json = [this](std::size_t callers) {
            return admin::limits_json(*deployment_.wiring(), wall_now(), callers);
        };
        hooks.consumers_json = [this](const admin::ConsumersAsked& asked) {
            return admin::consumers_json(*deployment_.wiring(), wall_now(), asked);
        };
        hooks.models_json = [this] {
            return admin::models_json(*deployment_.wiring(), deployment_.registry(),
                                      deployment_.token_rates(), read_clock());
        };
        hooks.config_text = [this] { return admin::config_json(deployment_.config()); };
        hooks.reload = [this] { return reload(); };
        hooks.suspend = [this](std::string_view id, std::chrono::seconds duration) {
            rotation::EntryState* entry = admin::find_entry(*deployment_.wiring(), id);
            if (entry == nullptr) return false;
            entry->suspend(std::chrono::steady_clock::now(), duration,
                           rotation::SuspendReason::operator_request,
                           routing::entry_limits(deployment_.config()));
            log_.warn("model suspended by an operator",
                      {{"entry", id}, {"seconds", duration.count()}});
            return true;
        };
        hooks.resume = [this](std::string_view id) {
            rotation::EntryState* entry = admin::find_entry(*deployment_.wiring(), id);
            if (entry == nullptr) return false;
            entry->resume();
            log_.info("model resumed by an operator", {{"entry", id}});
            return true;
        };
        return hooks;
    }

    ProcessStatus status() const {
        ProcessStatus status;
        status.bound = ready_;
        status.draining = draining_;
        status.last_reload = deployment_.record().last();
        status.generation = deployment_.record().generation();
        status.workers = deployment_.workers();
        status.uptime = std::chrono::duration_cast<std::chrono::seconds>(
            std::chrono::steady_clock::now() - started_);
        status.waiting_for_restart = deployment_.waiting_for_restart();
        return status;
    }

    admin::ReloadOutcome reload() {
        if (!source_) return {false, "this process was not started from a file"};
        if (draining_) return {false, "the process is draining"};
        return take(source_->load());
    }

    // What the source said last.
    admin::ReloadOutcome take(config::Loaded loaded) {
        const std::uint64_t generation = deployment_.record().generation();
        admin::ReloadOutcome outcome = deployment_.reload(std::move(loaded));
        if (deployment_.record().generation() != generation) {
            source_->took_force();
            admin_.set_limits(admin_options(deployment_.config()));
        }
        watch_source();
        return outcome;
    }

    void watch_source() {
        if (!source_) return;
        if (deployment_.config().watch) {
            source_->watch(deployment_.config().timeouts.watch_settle);
        } else {
            source_->stop_watching();
        }
    }

    void announce() {
        for (std::size_t i = 0; i < deployment_.ports().size(); ++i) {
            const config::Listener& listener = deployment_.config().listeners[i];
            log_.info("listening", {{"address", listener.address},
                                    {"port", deployment_.ports()[i]},
                                    {"tls", listener.tls.has_value()},
                                    {"workers", deployment_.workers()}});
            if (!listener.tls) {
                log_.warn("this listener is not encrypted: tokens and prompts travel in the clear",
                          {{"address", listener.address}, {"port", deployment_.ports()[i]}});
            }
        }
        log_.info("admin listening",
                  {{"address", deployment_.config().admin.address}, {"port", admin_.port()}});
    }

    void listen_for_signals() {
        signals_.add(SIGTERM);
        signals_.add(SIGINT);
        reload_signal_.add(SIGHUP);
        reopen_signal_.add(SIGUSR1);
        await_stop_signal();
        await_reload_signal();
        await_reopen_signal();
    }

    void await_stop_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) return;
            stop_requested(number == SIGTERM ? "SIGTERM" : "SIGINT");
            await_stop_signal();
        });
    }

    void await_reload_signal() {
        reload_signal_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            reload();
            await_reload_signal();
        });
    }

    void await_reopen_signal() {
        reopen_signal_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            log_files_.reopen(log_);
            await_reopen_signal();
        });
    }

    void stop_requested(std::string_view why) {
        if (draining_) {
            log_.warn("stopping at once", {{"why", why}});
            io_.stop();
            return;
        }
        draining_ = true;
        if (source_) source_->stop_watching();
        const auto patience = deployment_.config().timeouts.drain;
        log_.info("draining", {{"why", why}, {"milliseconds", patience.count()}});
        deployment_.drain([this] { io_.stop(); });
        drain_timer_.expires_after(patience);
        drain_timer_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            log_.warn("the drain's time is over: what still runs is ended");
            deployment_.cancel_all();
            drain_timer_.expires_after(deployment_.config().timeouts.shutdown);
            drain_timer_.async_wait([this](const boost::system::error_code&) { io_.stop(); });
        });
    }

    Options options_;
    Logger& log_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::signal_set reload_signal_;
    boost::asio::signal_set reopen_signal_;
    const LogFiles log_files_;
    boost::asio::steady_timer drain_timer_;
    const std::unique_ptr<control::Source> source_;  // null: nothing to reload
    Deployment deployment_;
    admin::Admin admin_;
    bool ready_ = false;
    bool draining_ = false;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

Server::Server(const Options& options, config::Loaded loaded, Logger& log,
               std::vector<config::Finding>& findings)
    : impl_(std::make_unique<Impl>(options, std::move(loaded), log, findings)) {}

Server::~Server() = default;

int Server::run() { return impl_->run(); }
void Server::request_stop() { impl_->request_stop(); }
admin::ReloadOutcome Server::reload() { return impl_->reload_from_outside(); }
const std::vector<std::uint16_t>& Server::ports() const noexcept { return impl_->ports(); }
std::uint16_t Server::admin_port() const noexcept { return impl_->admin_port(); }

}  // namespace rotary::server
