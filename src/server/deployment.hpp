#pragma once

#include "server/certificate_ends.hpp"
#include "server/fleet_part.hpp"
#include "server/loss_notice.hpp"
#include "server/reload_record.hpp"
#include "server/trial.hpp"

#include <rotary/admin/admin.hpp>
#include <rotary/admin/entry_history.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/log_writer.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/base/span_queue.hpp>
#include <rotary/config/load.hpp>
#include <rotary/control/health_check.hpp>
#include <rotary/control/jwks.hpp>
#include <rotary/control/key_ring.hpp>
#include <rotary/control/ledger.hpp>
#include <rotary/control/trace_export.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/proxy/wiring.hpp>
#include <rotary/routing/shared_state.hpp>
#include <rotary/server/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::server {

struct Logs {
    Logger& events;
    int access_fd;  // borrowed
};

// What is in force: the compiled configuration, the workers that serve it, the keys they verify
// with. Replaced piece by piece by reload(). Owned by the Server; control thread only.
class Deployment {
public:
    // Compiles and binds, but accepts nothing yet. Throws std::exception with a sentence for the
    // operator; what compiling found goes to `findings`.
    Deployment(boost::asio::io_context& control, const Logs& logs, config::Loaded loaded,
               std::vector<config::Finding>& findings);
    ~Deployment();

    // The workers run from then on, or from when this replica knows what its fleet does.
    void start();
    // Check, compile, publish: on any error the old one stays in charge. One that reads like what
    // is in force changes nothing, but key sets in files are read again.
    admin::ReloadOutcome reload(config::Loaded loaded);
    // What compiling finds; a reload of the same takes over what was compiled.
    std::vector<config::Finding> judge(const config::Loaded& loaded) {
        return trial_.judge(loaded);
    }
    void drain(std::function<void()> on_drained);  // called on the control thread
    void cancel_all();
    void stop();  // joins the workers

    const config::Config& config() const noexcept { return wiring_->snapshot->config; }
    const std::shared_ptr<const proxy::Wiring>& wiring() const noexcept { return wiring_; }
    metrics::Registry& registry() noexcept { return registry_; }
    CertificateEnds& certificate_ends() noexcept { return certificate_ends_; }
    const admin::EntryHistory& entry_history() const noexcept { return entry_history_; }
    const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }
    std::size_t workers() const noexcept { return workers_.size(); }
    const FleetPart& fleet() const noexcept { return fleet_; }
    bool is_serving() const noexcept { return is_serving_; }  // the workers run
    const ReloadRecord& record() const noexcept { return record_; }
    admin::Health keys_health() const;  // of all token issuers
    bool alive(std::chrono::milliseconds patience) const;
    // Names of settings whose new value waits for a restart.
    std::vector<std::string> waiting_for_restart() const;
    template <class Do>
    void each_worker(Do&& what) {
        for (auto& worker : workers_) what(*worker);
    }
    void post(std::size_t worker, std::function<void()> work) {
        workers_[worker]->post(std::move(work));
    }
    // Calls back on the control thread once every worker has what was published until now.
    void when_adopted(std::function<void()> then);
    WorkerSettings worker_settings() { return workers_.front()->settings(); }
    const control::JwksOptions& jwks_options() const { return fetcher_->options(); }

private:
    std::shared_ptr<const proxy::Wiring> compile(const config::Loaded& loaded,
                                                 std::vector<config::Finding>& findings);
    std::vector<ListenAt> listen_at(std::size_t worker) const;
    // One a worker, each as the listeners that are open; null where `config` has none for it.
    using TlsContexts = std::vector<std::vector<std::shared_ptr<const net::TlsContext>>>;
    TlsContexts make_contexts(const config::Config& config, const config::NamedFiles& files) const;
    void publish(TlsContexts contexts = {});
    void take_over(const config::Config& before);
    void look_for_keys(const auth::KeyFetch& fetch);
    void fetch_ended(std::size_t source, bool failed);
    void start_workers();
    void drop_retired();
    void each_second();  // now and from then on
    void tell_of_losses();
    void bound_memory(const config::Config& config);
    void register_samples();
    void limit_connections(const config::Config& config);
    admin::ReloadOutcome refuse_reload(std::string findings);
    admin::ReloadOutcome keep_equal();

    boost::asio::io_context& control_;
    Logger& log_;
    metrics::Registry registry_;
    LogWriter access_log_;
    net::ConnectionLimit connections_{0};      // outlives the workers
    net::Resolver resolver_;                   // idem
    SpanQueue spans_;                          // idem
    MemoryBudget bodies_{0};                   // idem
    std::unique_ptr<control::Ledger> ledger_;  // idem; null: none is kept
    routing::SharedState shared_;
    Trial trial_{shared_};
    std::shared_ptr<const proxy::Wiring> wiring_;
    std::vector<std::shared_ptr<const proxy::Wiring>> retired_;  // freed here, not on a worker
    FleetPart fleet_;  // goes before what it shares, and behind the workers
    boost::asio::steady_timer second_timer_;
    std::uint64_t seconds_ = 0;
    admin::EntryHistory entry_history_;
    control::KeyRing keys_;
    std::unique_ptr<control::JwksFetcher> fetcher_;
    control::HealthChecker health_;
    control::TraceExport traces_;
    std::vector<std::unique_ptr<Worker>> workers_;
    bool is_serving_ = false;
    std::vector<std::uint16_t> ports_;
    CertificateEnds certificate_ends_;
    config::Config started_with_;  // what waits for a restart is still as here
    const std::string ticket_keys_ = net::TlsContext::make_ticket_keys();
    ReloadRecord record_;
    LossNotice losses_;  // of access log lines
};

}  // namespace rotary::server
