#include "server/deployment.hpp"

#include "server/budget_history.hpp"
#include "server/cpu_count.hpp"
#include "server/descriptor_share.hpp"
#include "server/listener_tls.hpp"
#include "server/part_settings.hpp"
#include "server/process_health.hpp"
#include "server/reload_notes.hpp"
#include "server/usable_memory.hpp"

#include <rotary/admin/consumers.hpp>
#include <rotary/admin/limits.hpp>
#include <rotary/admin/status.hpp>
#include <rotary/config/settings/setting_keys.hpp>
#include <rotary/server/server.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

namespace rotary::server {

namespace {

std::size_t workers_of(const config::Config& config) {
    return config.workers != 0 ? config.workers : usable_cpus();
}

// Errors before warnings: the first line says why.
std::string reasons(std::vector<config::Finding> findings) {
    std::stable_partition(findings.begin(), findings.end(), [](const config::Finding& finding) {
        return finding.severity == config::Severity::error;
    });
    return config::to_text(findings);
}

std::vector<std::string> listener_names(const std::vector<config::Listener>& listeners,
                                        const std::vector<std::uint16_t>& ports) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        names.push_back(listeners[i].address + ":" + std::to_string(ports[i]));
    }
    return names;
}

LogWriterOptions log_options(int fd) {
    LogWriterOptions options;
    options.fd = fd;
    return options;
}

}  // namespace

Deployment::Deployment(boost::asio::io_context& control, const Logs& logs, config::Loaded loaded,
                       std::vector<config::Finding>& findings)
    : control_(control),
      log_(logs.events),
      access_log_(log_options(logs.access_fd)),
      fleet_(control, resolver_, log_),
      second_timer_(control),
      keys_(log_),
      health_(control, log_, resolver_),
      traces_(control, resolver_, spans_, log_) {
    metrics::register_process_metrics(registry_);
    wiring_ = compile(loaded, findings);
    if (!wiring_) throw std::runtime_error("the configuration has errors");
    started_with_ = config();
    resolver_.set_options(resolver_options(config()));
    record_.started(std::move(loaded.fingerprint), std::chrono::system_clock::now());
    limit_connections(config());
    fleet_.on_answers([this] {
        for (auto& worker : workers_) worker->wake_lease_waits();
    });
    fleet_.on_loss([this] { hand_in_budgets(*wiring_->snapshot, wall_now(), true); });
    fleet_.take(*wiring_->snapshot);
    keys_.configure(*wiring_->snapshot, std::chrono::steady_clock::now());
    fetcher_ = std::make_unique<control::JwksFetcher>(
        control, resolver_, options_of_jwks(config()),
        [this](std::size_t source, std::shared_ptr<const auth::KeySet> keys) {
            keys_.set_keys(source, std::move(keys));
            if (!workers_.empty()) publish();
        },
        log_);
    fetcher_->on_fetch([this](std::size_t source, control::FetchStage stage) {
        if (stage == control::FetchStage::started) {
            keys_.fetch_started(source);
        } else {
            fetch_ended(source, stage == control::FetchStage::failed);
        }
    });
    fetcher_->set_sources(keys_.sources());

    const TlsContexts contexts = make_contexts(config(), loaded.named_files);
    ledger_ = open_ledger(config(), log_);
    fleet_.set_ledger(ledger_.get());
    WorkerOptions options;
    options.on_spend = [this] { ledger_->wake(); };
    options.connections = &connections_;
    options.resolver = &resolver_;
    options.bodies = &bodies_;
    options.access_log = &access_log_;
    options.traces = &spans_;
    options.log = &log_;
    options.registry = &registry_;
    options.wiring = wiring_;
    options.issuers = keys_.table();
    options.on_stale_keys = [this](const std::shared_ptr<auth::KeyFetch>& fetch) {
        boost::asio::post(control_, [this, fetch] { look_for_keys(*fetch); });
    };
    for (options.index = 0; options.index < contexts.size(); ++options.index) {
        std::vector<ListenAt> places = listen_at(options.index);
        for (std::size_t i = 0; i < places.size(); ++i) places[i].tls = contexts[options.index][i];
        if (ledger_) options.spend = &ledger_->add_outbox();
        workers_.push_back(std::make_unique<Worker>(options, places));
        if (options.index == 0) ports_ = workers_.front()->ports();
    }
    certificate_ends_.open(listener_names(started_with_.listeners, ports_));
    certificate_ends_.take(contexts.front());
    bound_memory(config());
    register_samples();
}

Deployment::~Deployment() { stop(); }

// A port that the kernel chose for the first worker is that of all workers.
std::vector<ListenAt> Deployment::listen_at(std::size_t worker) const {
    std::vector<ListenAt> places;
    for (std::size_t i = 0; i < config().listeners.size(); ++i) {
        const config::Listener& listener = config().listeners[i];
        places.push_back({listener.address, worker == 0 ? listener.port : ports_[i], nullptr});
    }
    return places;
}

// Each worker has contexts of its own, so they share no lock; they share their tickets' keys, so a
// client that meets another worker resumes its session.
Deployment::TlsContexts Deployment::make_contexts(const config::Config& config,
                                                  const config::NamedFiles& files) const {
    TlsContexts contexts;
    const std::size_t count = workers_of(started_with_);
    for (std::size_t worker = 0; worker < count; ++worker) {
        contexts.push_back(
            listeners_tls(started_with_.listeners, config.listeners, files, ticket_keys_));
    }
    return contexts;
}

std::shared_ptr<const proxy::Wiring> Deployment::compile(const config::Loaded& loaded,
                                                         std::vector<config::Finding>& findings) {
    if (loaded.config.state.redis) shared_.draw_starts(fleet_.replica());
    auto snapshot = trial_.compile(loaded, findings);
    if (!snapshot) return nullptr;
    const config::Config& running = ledger_ ? started_with_ : snapshot->config;
    recall_budgets(*snapshot, running.budgets.ledger, wall_now(), log_);
    return proxy::wire_up(std::move(snapshot), registry_, wiring_.get());
}

void Deployment::start() {
    health_.set_targets(control::health_targets(*wiring_->snapshot));
    traces_.configure(config());
    fleet_.when_joined([this] { start_workers(); });
    each_second();
}

// Until then clients wait where the system keeps them, so that none meets an entry that is out.
void Deployment::start_workers() {
    if (std::exchange(is_serving_, true)) return;
    for (auto& worker : workers_) worker->start();
}

void Deployment::publish(TlsContexts contexts) {
    const auto table = keys_.table();
    contexts.resize(workers_.size());
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i]->publish({wiring_, table, std::move(contexts[i])});
    }
}

void Deployment::when_adopted(std::function<void()> then) {
    const auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    for (auto& worker : workers_) {
        worker->post([this, left, then] {
            if (left->fetch_sub(1) == 1) boost::asio::post(control_, then);
        });
    }
}

// A worker asked, and its requests wait: they must hear of an end even if nothing begins.
void Deployment::look_for_keys(const auth::KeyFetch& fetch) {
    const std::size_t source = keys_.source_of(fetch);
    if (source == control::KeyRing::npos) return;  // a reload removed the issuer and woke them
    if (fetcher_->refresh_for_unknown_kid(source) || fetcher_->fetching(source)) return;
    fetch_ended(source, !fetcher_->status(source).last_error.empty());
}

void Deployment::fetch_ended(std::size_t source, bool failed) {
    keys_.fetch_ended(source, failed, fetcher_->not_before(source));
    for (auto& worker : workers_) worker->wake_key_waits();
}

admin::ReloadOutcome Deployment::refuse_reload(std::string findings) {
    record_.refused(findings);
    log_.error("reload refused, the old configuration stays in force", {{"findings", findings}});
    return {false, std::move(findings)};
}

admin::ReloadOutcome Deployment::reload(config::Loaded loaded) {
    std::vector<config::Finding> findings = loaded.findings;
    const ReloadRecord::Step step = record_.step(loaded);
    if (step == ReloadRecord::Step::refuse) return refuse_reload(reasons(findings));
    if (step == ReloadRecord::Step::keep) return keep_equal();
    TlsContexts contexts;
    try {
        auto next = compile(loaded, findings);
        if (!next) return refuse_reload(reasons(findings));
        contexts = make_contexts(next->snapshot->config, loaded.named_files);
        keys_.configure(*next->snapshot, std::chrono::steady_clock::now());
        for (const std::string& api : rotations_lost(*wiring_->snapshot, *next->snapshot)) {
            log_.warn("a reload has taken an API's rotation away", {{"api", api}});
        }
        fleet_.take(*next->snapshot);
        retired_.push_back(std::exchange(wiring_, std::move(next)));
    } catch (const std::exception& error) {
        return refuse_reload(error.what());
    }
    take_over(retired_.back()->snapshot->config);
    certificate_ends_.take(contexts.front());
    publish(std::move(contexts));
    drop_retired();
    record_.replaced(std::move(loaded.fingerprint), std::chrono::system_clock::now());
    const std::vector<std::string> waiting = waiting_for_restart();
    log_.info("reloaded",
              {{"generation", record_.generation()}, {"needs_restart", !waiting.empty()}});
    if (!waiting.empty()) {
        log_.warn("some settings wait for a restart", {{"settings", joined(waiting)}});
    }
    return {true, config::to_text(findings) + restart_advice(waiting)};
}

// What the control thread's parts hold of their own.
void Deployment::take_over(const config::Config& before) {
    if (config().limits.connections != before.limits.connections) limit_connections(config());
    if (config().log.level != before.log.level) log_.set_level(config().log.level);
    bound_memory(config());
    resolver_.set_options(resolver_options(config()));
    fetcher_->set_options(options_of_jwks(config()));
    fetcher_->set_sources(keys_.sources());
    health_.set_targets(control::health_targets(*wiring_->snapshot));
    traces_.configure(config());
}

admin::ReloadOutcome Deployment::keep_equal() {
    fetcher_->set_sources(keys_.sources());  // which reads those in files again
    record_.kept();
    log_.info("nothing to reload: the configuration has not changed",
              {{"generation", record_.generation()}});
    return {true, "nothing has changed\n" + restart_advice(waiting_for_restart())};
}

std::vector<std::string> Deployment::waiting_for_restart() const {
    return config::waiting_for_restart(started_with_, config());
}

void Deployment::limit_connections(const config::Config& config) {
    const std::size_t fits = clients_that_fit();
    const std::size_t asked = config.limits.connections;
    connections_.set_most(std::min(asked, fits));
    if (asked <= fits) return;
    log_.warn("limits.connections is lowered: each client may need two descriptors",
              {{"limits.connections", asked}, {"effective", fits}});
}

void Deployment::bound_memory(const config::Config& config) {
    log_.set_buffer_bytes(config.limits.event_log_buffer_bytes);
    access_log_.set_max_pending_bytes(config.limits.access_log_buffer_bytes * workers_.size());
    const std::size_t bodies = config.limits.buffered_bodies_bytes;
    if (ledger_) ledger_->set_most_cells(config.limits.ledger_cells);
    bodies_.set_most(bodies != 0 ? bodies : usable_memory() / 4);
}

// The access log's own lines are for machines, so its losses are told of in the other log.
void Deployment::tell_of_losses() {
    const auto lost =
        losses_.due(access_log_.stats().dropped_lines, std::chrono::steady_clock::now());
    if (lost) log_.warn("access log lines were dropped", {{"lines", *lost}});
}

// A retired configuration is freed once no exchange refers to it, here, where no request waits.
void Deployment::drop_retired() {
    std::erase_if(retired_, [](const auto& wiring) { return wiring.use_count() == 1; });
    trial_.forget();
    shared_.prune();
}

void Deployment::each_second() {
    drop_retired();
    tell_of_losses();
    fleet_.each_second();
    constexpr std::uint64_t kSecondsANote = 5;
    if (seconds_++ % kSecondsANote == 0) {
        entry_history_.note(*wiring_, registry_, std::chrono::steady_clock::now());
    }
    second_timer_.expires_after(std::chrono::seconds(1));
    second_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) each_second();
    });
}

void Deployment::register_samples() {
    registry_.on_scrape([this](metrics::Exposition& out) {
        admin::sample_entries(*wiring_, std::chrono::steady_clock::now(), out);
        admin::sample_told_limits(*wiring_, out);
        admin::sample_backends(*wiring_, out);
        certificate_ends_.sample(out);
        traces_.sample(out);
        fleet_.sample(out);
        admin::sample_limits(*wiring_, wall_now(), out);
        admin::sample_budgets(*wiring_, wall_now(), out);
        admin::sample_consumers(*wiring_, out);
        out.counter("rotary_limit_overflows_total",
                    "Callers without a counter of their own, for want of room in quotas.counters.",
                    {}, static_cast<double>(shared_.counters().overflows()));
        out.gauge("rotary_limit_counters", "Counters that callers have of their own.", {},
                  static_cast<double>(shared_.counters().size()));
        control::sample_keys(keys_, *fetcher_, out);
        record_.sample(out);
        if (ledger_) ledger_->sample(out);
        out.gauge("rotary_buffered_bodies_bytes", "Memory that bodies of requests take.", {},
                  static_cast<double>(bodies_.used()));
        const LogWriterStats stats = access_log_.stats();
        out.counter("rotary_access_log_dropped_lines_total",
                    "Access log lines that standard output or log.access_file did not take.", {},
                    static_cast<double>(stats.dropped_lines));
        out.counter("rotary_event_log_dropped_lines_total",
                    "Event log lines that standard error did not take.", {},
                    static_cast<double>(log_.stats().dropped_lines));
    });
}

admin::Health Deployment::keys_health() const {
    const auto standings =
        keys_.standings(std::chrono::steady_clock::now(), config().timeouts.jwks_patience);
    std::vector<control::JwksStatus> fetched;
    for (const auto& issuer : standings) fetched.push_back(fetcher_->status(issuer.source));
    return health_of_keys(standings, fetched);
}

void Deployment::drain(std::function<void()> on_drained) {
    start_workers();
    fleet_.leave();
    fetcher_->stop();
    for (std::size_t i = 0; i < keys_.sources().size(); ++i) fetch_ended(i, true);
    auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    for (auto& worker : workers_) {
        worker->drain([this, left, on_drained] {
            if (left->fetch_sub(1) != 1) return;
            auto last = [this, on_drained] { traces_.finish(on_drained); };
            boost::asio::post(control_, [this, last] { fleet_.finish(last); });
        });
    }
}

void Deployment::cancel_all() {
    for (auto& worker : workers_) worker->cancel_all();
}

void Deployment::stop() {
    if (fetcher_) fetcher_->stop();
    health_.stop();
    traces_.stop();
    fleet_.stop();
    second_timer_.cancel();
    for (auto& worker : workers_) worker->begin_stop();
    for (auto& worker : workers_) worker->join();
    if (ledger_) ledger_->stop();
    resolver_.stop();  // while what it would answer to is there
    workers_.clear();
    access_log_.flush(std::chrono::milliseconds(1000));
}

bool Deployment::alive(std::chrono::milliseconds patience) const {
    const auto now = std::chrono::steady_clock::now();
    return !is_serving_ || std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
        return worker->alive(now, patience);
    });
}

}  // namespace rotary::server
