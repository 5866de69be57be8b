#include <rotary/server/dry_run.hpp>

#include "server/part_settings.hpp"

#include <rotary/control/key_ring.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace rotary::server {

namespace {

constexpr std::chrono::hours kAsSuspended{1};  // longer than a request lasts

std::shared_ptr<const routing::Snapshot> compiled(const config::Loaded& loaded,
                                                  routing::SharedState& shared,
                                                  std::vector<config::Finding>& findings) {
    auto snapshot = routing::compile(loaded, shared, findings);
    if (!snapshot) throw std::runtime_error("the configuration has errors");
    return snapshot;
}

}  // namespace

// The order of the members is the order of their lives, as in Worker::Impl.
struct DryRun::Impl {
    Impl(const config::Loaded& loaded, std::vector<config::Finding>& findings)
        : wiring(proxy::wire_up(compiled(loaded, shared, findings), registry)),
          buffers(buffer_limits(config().limits)),
          dialer(reactor, buffers, resolver, dialer_limits(config())),
          pool(reactor, pool_limits(config())),
          tokens(token_limits(config().limits)),
          context{reactor,
                  buffers,
                  scratch,
                  clients,
                  providers,
                  tokens,
                  shard,
                  {},
                  log,
                  wiring,
                  {},
                  std::make_shared<const std::vector<std::size_t>>(),
                  [](const std::shared_ptr<auth::KeyFetch>&) {},
                  {},
                  1,
                  {}},
          keys(log),
          fetcher(
              control, resolver, options_of_jwks(config()),
              [this](std::size_t source, std::shared_ptr<const auth::KeySet> set) {
                  keys.set_keys(source, std::move(set));
              },
              log) {
        registry.attach(&shard);
        shard.ensure(wiring->cells);
        scratch.head.resize(scratch_head_bytes(config().limits));
        resolver.set_options(resolver_options(config()));
        keys.configure(*wiring->snapshot, std::chrono::steady_clock::now());
        fetcher.on_fetch([this](std::size_t, control::FetchStage stage) {
            if (stage == control::FetchStage::started) {
                ++fetches;
            } else {
                --fetches;
            }
        });
        fetcher.set_sources(keys.sources());
        context.issuers = keys.table();
    }
    ~Impl() {
        fetcher.stop();
        resolver.stop();
        registry.detach(&shard);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    const config::Config& config() const { return wiring->snapshot->config; }

    // Until every fetch that is under way has ended; each ends by itself.
    void await_keys() {
        const auto end = std::chrono::steady_clock::now() + 2 * config().timeouts.jwks_fetch;
        while (fetches > 0 && control.run_one_until(end) > 0) continue;
        context.issuers = keys.table();
    }

    Logger log{LogLevel::error};
    metrics::Registry registry;
    routing::SharedState shared;
    std::shared_ptr<const proxy::Wiring> wiring;
    BufferPool buffers;
    net::Reactor reactor;
    net::Resolver resolver;
    net::Dialer dialer;
    upstream::UpstreamPool pool;
    net::SessionSet sessions{reactor};
    wire::Scratch scratch;
    downstream::Services clients{reactor, buffers, sessions, scratch};
    upstream::Services providers{reactor, buffers, scratch, dialer, pool};
    auth::TokenCache tokens;
    metrics::Shard shard;
    proxy::Context context;
    boost::asio::io_context control;
    control::KeyRing keys;
    std::size_t fetches = 0;
    control::JwksFetcher fetcher;
};

DryRun::DryRun(const config::Loaded& loaded, std::vector<config::Finding>& findings)
    : impl_(std::make_unique<Impl>(loaded, findings)) {}

DryRun::~DryRun() = default;

bool DryRun::suspend(std::string_view entry_id) {
    bool found = false;
    for (const routing::EntryList& list : snapshot().lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            if (list.entries[i].id != entry_id) continue;
            list.rotation.state(i).suspend(std::chrono::steady_clock::now(), kAsSuspended,
                                           rotation::SuspendReason::operator_request,
                                           list.rotation.limits());
            found = true;
        }
    }
    return found;
}

proxy::Explanation DryRun::explain(const proxy::Asked& asked) {
    proxy::Explanation told = proxy::explain(impl_->context, asked);
    if (told.code != "issuer_unavailable" || impl_->fetches == 0) return told;
    impl_->await_keys();
    return proxy::explain(impl_->context, asked);
}

const routing::Snapshot& DryRun::snapshot() const noexcept { return *impl_->wiring->snapshot; }

}  // namespace rotary::server
