#include <rotary/server/server.hpp>

#include "server/access_file.hpp"
#include "server/deployment.hpp"
#include "server/log_files.hpp"
#include "server/operator_view.hpp"
#include "server/process_health.hpp"
#include "server/supervision.hpp"

#include <rotary/base/clock.hpp>
#include <rotary/config/settings/admin_token.hpp>
#include <rotary/control/source.hpp>
#include <rotary/kubernetes/source.hpp>
#include <rotary/routing/snapshot.hpp>

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
          source_(open_source(loaded)),
          token_(admin_token_of(loaded)),
          access_file_(loaded.config.log.access_file, options.access_log_fd),
          deployment_(io_, Logs{log, access_file_.fd()}, std::move(loaded), findings),
          view_(io_, deployment_, log, feed_, [this] { return status(); }),
          admin_(io_, admin_options(deployment_.config(), token_), hooks(), log),
          supervision_(io_, supervised(), log) {
        if (!access_file_.path().empty()) log_files_.add(access_file_.fd(), access_file_.path());
        if (options_.handle_signals) listen_for_signals();
        deployment_.registry().on_scrape([this](metrics::Exposition& out) {
            out.gauge("rotary_build_info", "1; its labels say what runs.",
                      {{"version", options_.build.version},
                       {"revision", options_.build.revision},
                       {"compiler", options_.build.compiler}},
                      1);
        });
        if (source_) {
            deployment_.registry().on_scrape(
                [this](metrics::Exposition& out) { source_->sample(out); });
        }
        deployment_.start();
        view_.each_second();
        watch_source();
        ready_ = true;
        announce();
    }

    int run() {
        const auto guard = boost::asio::make_work_guard(io_);
        supervision_.ready();
        io_.run();
        view_.stop();
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
    // What a file holds that the configuration names; empty: it names none.
    static std::string admin_token_of(const config::Loaded& loaded) {
        const auto file = loaded.named_files.find(loaded.config.admin.token_file);
        if (loaded.config.admin.token_file.empty() || file == loaded.named_files.end()) return "";
        return std::string(config::admin_token(file->second.reveal()));
    }

    static admin::AdminOptions admin_options(const config::Config& config, std::string token) {
        admin::AdminOptions options;
        options.token = std::move(token);
        options.address = config.admin.address;
        options.port = config.admin.port;
        options.connections = config.limits.admin_connections;
        options.body_bytes = config.limits.admin_body_bytes;
        options.timeout = config.timeouts.admin;
        return options;
    }

    std::unique_ptr<control::Source> open_source(const config::Loaded& loaded) {
        const bool is_cluster = loaded.config.kubernetes.is_on && !options_.config_path.empty();
        return is_cluster ? kubernetes::open_source(io_, log_, source_options(), loaded)
                          : control::open_source(io_, log_, source_options(), loaded);
    }

    control::SourceOptions source_options() {
        control::SourceOptions options;
        options.config_path = options_.config_path;
        options.environment = options_.environment;
        options.accept_unserved = options_.accept_unserved;
        options.on_change = [this](config::Loaded now) {
            supervision_.reloading();
            take(std::move(now));
        };
        options.judge = [this](const config::Loaded& loaded) { return deployment_.judge(loaded); };
        return options;
    }

    admin::AdminHooks hooks() {
        admin::AdminHooks hooks;
        view_.fill(hooks);
        hooks.live = [this] { return liveness(deployment_.alive(kLoopPatience), kLoopPatience); };
        hooks.ready = [this] { return readiness(status(), deployment_.keys_health()); };
        hooks.reload = [this] { return reload(); };
        hooks.validate = [this](std::string_view rotary_yaml) { return validate(rotary_yaml); };
        hooks.drain = [this] {
            if (!draining_) boost::asio::post(io_, [this] { request_drain(); });
        };
        return hooks;
    }

    ProcessStatus status() {
        ProcessStatus status;
        status.bound = ready_ && deployment_.is_serving();
        status.draining = draining_;
        status.last_reload = deployment_.record().last();
        status.generation = deployment_.record().generation();
        status.last_reload_ok = deployment_.record().last_ok();
        status.config_age = std::chrono::duration_cast<std::chrono::seconds>(
            wall_now() - deployment_.record().last_success());
        status.in_flight = deployment_.registry().value(deployment_.wiring()->process.in_flight);
        status.workers = deployment_.workers();
        status.uptime = std::chrono::duration_cast<std::chrono::seconds>(
            std::chrono::steady_clock::now() - started_);
        status.waiting_for_restart = deployment_.waiting_for_restart();
        status.certificates = deployment_.certificate_ends().ends();
        status.fleet = deployment_.fleet().standing(read_clock());
        status.now = wall_now();
        status.source = source_.get();
        return status;
    }

    admin::ReloadOutcome reload() {
        if (!source_) return {false, "this process was not started from a file"};
        if (draining_) return {false, "the process is draining"};
        supervision_.reloading();
        return take(source_->load());
    }

    // As a reload would, up to the point where it takes force.
    admin::ReloadOutcome validate(std::string_view rotary_yaml) const {
        if (options_.config_path.empty())
            return {false, "this process was not started from a file"};
        const config::SourceText text{options_.config_path, std::string(rotary_yaml)};
        const config::Loaded loaded =
            rotary_yaml.empty()
                ? config::load(options_.config_path, options_.environment, options_.accept_unserved)
                : config::load_in_place(text, options_.environment, options_.accept_unserved);
        std::vector<config::Finding> findings = loaded.findings;
        if (loaded.ok()) {
            routing::SharedState shared;
            routing::compile(loaded, shared, findings);
            check_listeners(loaded, findings);
        }
        config::sort_findings(findings, loaded.files);
        return {!config::has_errors(findings), config::to_text(findings)};
    }

    void request_drain() {
        if (!draining_) stop_requested("an operator");
    }

    // What the source said last.
    admin::ReloadOutcome take(config::Loaded loaded) {
        const std::uint64_t generation = deployment_.record().generation();
        const std::string token = admin_token_of(loaded);
        admin::ReloadOutcome outcome = deployment_.reload(std::move(loaded));
        const bool replaced = deployment_.record().generation() != generation;
        if (replaced) {
            source_->took_force();
            deployment_.when_adopted([this] { source_->in_force_everywhere(); });
            admin_.set_limits(admin_options(deployment_.config(), token));
        }
        supervision_.reloaded();
        view_.reloaded(outcome, replaced);
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

    Supervision::Process supervised() {
        Supervision::Process process;
        process.environment = options_.environment;
        process.workers = deployment_.workers();
        process.post = [this](std::size_t worker, std::function<void()> work) {
            deployment_.post(worker, std::move(work));
        };
        process.state = [this] {
            return ServingState{deployment_.ports().size(), deployment_.workers(),
                                deployment_.record().generation(), deployment_.record().last_ok()};
        };
        return process;
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
        supervision_.stopping(patience + 2 * deployment_.config().timeouts.shutdown);
        view_.draining(why);
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
    admin::EventFeed feed_;  // outlives the coroutines that the loop holds
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::signal_set reload_signal_;
    boost::asio::signal_set reopen_signal_;
    LogFiles log_files_;
    boost::asio::steady_timer drain_timer_;
    const std::unique_ptr<control::Source> source_;  // null: nothing to reload
    const std::string token_;                        // of the start
    const AccessFile access_file_;
    Deployment deployment_;
    OperatorView view_;
    admin::Admin admin_;
    Supervision supervision_;
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
