#include <rotary/server/worker.hpp>

#include "server/admission.hpp"
#include "server/part_settings.hpp"

#include <rotary/base/buffers.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/config/settings/setting_keys.hpp>
#include <rotary/net/listener.hpp>
#include <rotary/net/timer.hpp>
#include <rotary/proxy/request_metrics.hpp>
#include <rotary/proxy/session.hpp>
#include <rotary/proxy/span_record.hpp>
#include <rotary/proxy/spend_record.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace rotary::server {

namespace {

static_assert(config::kMostHeaders == wire::kHeaderTableSize);

constexpr std::chrono::seconds kLongestTick{1};  // the heartbeat and the pool need it

}  // namespace

// The order of the members is the order of their lives: what sessions use outlives them.
struct Worker::Impl {
    explicit Impl(const WorkerOptions& made_with)
        : Impl(made_with, made_with.wiring->snapshot->config) {}
    Impl(const WorkerOptions& made_with, const config::Config& first)
        : index(made_with.index),
          registry(*made_with.registry),
          log_writer(made_with.access_log),
          on_spend(made_with.on_spend),
          buffers(buffer_limits(first.limits), made_with.bodies),
          dialer(reactor, buffers, *made_with.resolver, dialer_limits(first)),
          pool(reactor, pool_limits(first)),
          sessions(reactor, made_with.connections),
          tokens(std::in_place, token_limits(first.limits)),
          access_log(std::in_place, log_writer, first.log.access,
                     first.limits.access_log_buffer_bytes),
          clients{reactor, buffers, sessions, scratch},
          providers{reactor, buffers, scratch, dialer, pool},
          ring(first.limits.admin_requests),
          context{reactor,
                  buffers,
                  scratch,
                  clients,
                  providers,
                  *tokens,
                  shard,
                  {&request_metrics, &*access_log, nullptr, nullptr, &ring},
                  *made_with.log,
                  {},
                  {},
                  {},
                  made_with.on_stale_keys,
                  {},
                  1,
                  {}},
          admission({reactor, sessions, shard, *made_with.log, made_with.connections}, registry,
                    [this](std::size_t at, int fd) { serve(at, fd); }),
          tick(reactor),
          spend_wait(reactor),
          drain_wait(reactor),
          last_wait(reactor) {
        std::random_device entropy;
        context.random_state = std::uint64_t{entropy()} << 32 | entropy();
        registry.attach(&shard);
        if (made_with.spend != nullptr) {
            spend.emplace(*made_with.spend, [this] { hand_over_later(); });
            context.observers[2] = &*spend;
        }
        if (made_with.traces != nullptr) {
            spans.emplace(*made_with.traces, first.limits.trace_batch_bytes);
            context.observers[3] = &*spans;
        }
        scratch.head.resize(scratch_head_bytes(first.limits));
        adopt({made_with.wiring, made_with.issuers, {}});
    }
    ~Impl() { registry.detach(&shard); }

    const config::Config& config() const { return context.wiring->snapshot->config; }

    void adopt(Published published) {
        const auto old = std::exchange(context.wiring, std::move(published.wiring));
        clients.config = &config();
        shard.ensure(context.wiring->cells);
        context.buckets = buckets_for(*context.wiring);
        context.issuers = std::move(published.issuers);
        reactor.turn().set_limits(turn_limits(config().limits));
        if (old && old != context.wiring) configure(old->snapshot->config);
        for (std::size_t i = 0; i < published.tls.size(); ++i) {
            if (published.tls[i]) listen_at[i].tls = std::move(published.tls[i]);
        }
        context.key_waits.wake_all();
    }

    // Every part that holds settings of its own takes the new ones over: what can't change them
    // while it has something in it is emptied first, and only where they did change. Whatever else
    // has settings reads them where it uses them, from the configuration that its exchange has.
    void configure(const config::Config& before) {
        const config::Config& now = config();
        if (spans) spans->set_most_bytes(now.limits.trace_batch_bytes);
        if (!(buffer_limits(now.limits) == buffers.limits())) {
            buffers.set_limits(buffer_limits(now.limits));
        }
        dialer.set_limits(dialer_limits(now));
        pool.set_limits(pool_limits(now));
        if (!(token_limits(now.limits) == token_limits(before.limits))) {
            tokens.emplace(token_limits(now.limits));
        }
        if (now.log.access != before.log.access ||
            now.limits.access_log_buffer_bytes != before.limits.access_log_buffer_bytes) {
            access_log->flush();
            access_log.emplace(log_writer, now.log.access, now.limits.access_log_buffer_bytes);
        }
        for (auto& listener : listeners) listener->adjust(listener_options(now));
        scratch.head.resize(scratch_head_bytes(now.limits));
        ring.resize(now.limits.admin_requests);
    }

    // Given back, on this thread, when the last exchange that began with them has ended.
    std::shared_ptr<const std::vector<std::size_t>> buckets_for(const proxy::Wiring& wiring) {
        auto buckets = std::make_unique<std::vector<std::size_t>>();
        for (std::size_t i = 0; i < wiring.upstreams.size(); ++i) {
            const routing::Backend& backend = wiring.snapshot->backends[i];
            buckets->push_back(
                pool.hold(wiring.upstreams[i].pool_key, backend.state, backend.limits));
        }
        const auto give_back = [this](const std::vector<std::size_t>* held) {
            for (const std::size_t bucket : *held) pool.release(bucket);
            delete held;
        };
        return {buckets.release(), give_back};
    }

    void serve(std::size_t at, int fd) {
        spawn(proxy::run_session(context, fd, listen_at[at].tls.get()));
    }

    void begin_drain() {
        bool closes_without_loss = true;
        for (auto& listener : listeners) {
            closes_without_loss = listener->stop_taking() && closes_without_loss;
        }
        pool.clear();
        sessions.drain();
        const auto grace =
            closes_without_loss ? config().timeouts.accept_grace : config::Duration{0};
        drain_wait.start(grace, [this] {
            if (!stopping) close_listeners();
        });
    }

    void close_listeners() {
        admission.close();
        for (auto& listener : listeners) listener->stop();
        drain_wait.start(config().timeouts.shutdown, [this] { sessions.end_fresh(); });
        sessions.on_empty([this, drained = std::exchange(on_drained, nullptr)] {
            if (spans) spans->flush();
            if (spend && spend->outbox().hand_over()) on_spend();
            if (drained) drained();
        });
    }

    void beat() {
        heartbeat.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                        std::memory_order_relaxed);
    }

    void on_tick() {
        beat();
        reactor.refresh_now();
        pool.sweep(reactor.now());
        access_log->flush();
        if (spans) spans->flush();
        tick.start(std::min<config::Duration>(config().timeouts.log_flush, kLongestTick),
                   [this] { on_tick(); });
    }

    void hand_over_later() {
        spend_wait.start(config().timeouts.ledger_write, [this] {
            if (spend->outbox().hand_over()) on_spend();
        });
    }

    void end_loop() {
        tick.cancel();
        spend_wait.cancel();  // what is left the ledger takes for itself
        access_log->flush();
        if (spans) spans->flush();
        reactor.stop();
    }

    const std::size_t index;
    metrics::Registry& registry;
    LogWriter* const log_writer;
    const std::function<void()> on_spend;
    BufferPool buffers;
    net::Reactor reactor;
    net::Dialer dialer;
    upstream::UpstreamPool pool;
    net::SessionSet sessions;
    std::optional<auth::TokenCache> tokens;  // never without: for another one in its place
    metrics::Shard shard;
    std::optional<proxy::AccessLog> access_log;  // idem
    wire::Scratch scratch;
    downstream::Services clients;
    upstream::Services providers;
    proxy::RequestMetrics request_metrics{shard};
    std::optional<proxy::SpanRecord> spans;  // none: in some tests
    proxy::RequestRing ring;
    std::optional<proxy::SpendRecord> spend;  // none: there is no ledger
    proxy::Context context;
    Admission admission;
    std::vector<ListenAt> listen_at;
    std::vector<std::unique_ptr<net::Listener>> listeners;
    net::Timer tick;
    net::Timer spend_wait;  // until what was spent is handed over
    net::Timer drain_wait;  // of a drain, for clients that have just come
    net::Timer last_wait;   // of a stop, for sessions that do not end
    std::function<void()> on_drained;
    bool stopping = false;
    std::atomic<std::chrono::steady_clock::rep> heartbeat{0};
    std::thread thread;
};

Worker::Worker(const WorkerOptions& options, const std::vector<ListenAt>& listeners)
    : impl_(std::make_unique<Impl>(options)) {
    impl_->listen_at = listeners;
    for (const ListenAt& at : listeners) {
        net::Listener::Options listen = listener_options(impl_->config());
        listen.address = at.address;
        listen.port = at.port;
        listen.on_refused = [impl = impl_.get()] {
            impl->admission.count_refused_by_descriptors();
        };
        auto listener = std::make_unique<net::Listener>(
            impl_->reactor, listen, [impl = impl_.get(), place = ports_.size()](int fd) {
                impl->admission.accept(place, fd);
            });
        ports_.push_back(listener->port());
        impl_->admission.add(*listener);
        impl_->listeners.push_back(std::move(listener));
    }
}

Worker::~Worker() {
    if (!impl_->thread.joinable()) return;
    begin_stop();
    join();
}

void Worker::start() {
    impl_->beat();  // a thread that the system has yet to start is not stuck
    impl_->thread = std::thread([impl = impl_.get()] {
        const std::string name = "worker-" + std::to_string(impl->index);
        pthread_setname_np(pthread_self(), name.c_str());
        impl->on_tick();
        impl->reactor.run();
    });
}

void Worker::post(std::function<void()> work) { impl_->reactor.post(std::move(work)); }

void Worker::publish(Published published) {
    post([impl = impl_.get(), published = std::move(published)]() mutable {
        impl->adopt(std::move(published));
    });
}

WorkerSettings Worker::settings() {
    std::promise<WorkerSettings> promise;
    post([impl = impl_.get(), &promise] {
        WorkerSettings in_use;
        in_use.buffers = impl->buffers.limits();
        in_use.dialer = impl->dialer.limits();
        in_use.pool = impl->pool.limits();
        in_use.tokens = impl->tokens->limits();
        in_use.access_log = impl->access_log->format();
        in_use.access_log_bytes = impl->access_log->flush_bytes();
        in_use.head_bytes = impl->scratch.head.size();
        for (const auto& listener : impl->listeners) {
            in_use.listeners.push_back(
                {listener->backlog(), listener->send_buffer_bytes(), listener->backoff()});
        }
        promise.set_value(std::move(in_use));
    });
    return promise.get_future().get();
}

void Worker::latest_requests(std::size_t most,
                             std::function<void(std::vector<proxy::RequestRecord>)> tell) {
    post([impl = impl_.get(), most, tell = std::move(tell)] {
        std::vector<proxy::RequestRecord> records;
        impl->ring.copy_latest(most, records);
        tell(std::move(records));
    });
}

const proxy::LiveCounts& Worker::live() const noexcept { return impl_->ring.live(); }

void Worker::wake_key_waits() {
    post([impl = impl_.get()] { impl->context.key_waits.wake_all(); });
}

void Worker::wake_lease_waits() {
    post([impl = impl_.get()] { impl->context.lease_waits.wake_all(); });
}

void Worker::drain(std::function<void()> on_empty) {
    post([impl = impl_.get(), on_empty = std::move(on_empty)]() mutable {
        impl->on_drained = std::move(on_empty);
        impl->begin_drain();
    });
}

void Worker::cancel_all() {
    post([impl = impl_.get()] { impl->sessions.cancel_all(); });
}

void Worker::begin_stop() {
    post([impl = impl_.get()] {
        impl->stopping = true;
        impl->drain_wait.cancel();
        impl->admission.close();
        for (auto& listener : impl->listeners) listener->stop();
        impl->pool.clear();
        impl->last_wait.start(impl->config().timeouts.shutdown, [impl] { impl->end_loop(); });
        impl->sessions.on_empty([impl] { impl->reactor.post([impl] { impl->end_loop(); }); });
        impl->sessions.drain();
        impl->sessions.cancel_all();
    });
}

void Worker::join() {
    if (impl_->thread.joinable()) impl_->thread.join();
}

bool Worker::alive(std::chrono::steady_clock::time_point now,
                   std::chrono::milliseconds patience) const {
    const auto beat = impl_->heartbeat.load(std::memory_order_relaxed);
    return now.time_since_epoch().count() - beat <
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience).count();
}

}  // namespace rotary::server
