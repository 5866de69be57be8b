#include <rotary/control/jwks.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include <rotary/net/tls.hpp>

#include "control/discovery.hpp"
#include "control/fetch_times.hpp"
#include "control/https_get.hpp"
#include "control/key_file.hpp"

namespace rotary::control {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

}  // namespace

// One issuer's keys and when to look for new ones. Owned by State alone: pending handlers hold weak
// pointers, and a fetch is cancelled when this dies.
struct JwksFetcher::Issuer {
    Issuer(boost::asio::io_context& context, net::Resolver& resolver, JwksSource from)
        : source(std::move(from)), get(context, resolver), timer(context) {}

    JwksSource source;
    std::size_t index = kNoIndex;
    HttpsGet get;
    boost::asio::steady_timer timer;
    std::uint64_t timer_generation = 0;  // a timer that fired may still be queued when it is reset
    std::shared_ptr<const net::TlsContext> tls;
    std::shared_ptr<const auth::KeySet> keys;
    JwksStatus status;
    FetchTimes times;
};

struct JwksFetcher::State {
    State(boost::asio::io_context& in, net::Resolver& names, const JwksOptions& wanted, OnKeys to,
          Logger& with)
        : context(in), resolver(names), options(wanted), on_keys(std::move(to)), log(with) {}

    void schedule(const std::shared_ptr<Issuer>& issuer, milliseconds delay);
    void fetch(const std::shared_ptr<Issuer>& issuer);
    void ask(Issuer& issuer, const std::string& address, HttpsGet::Done done);
    void discover(Issuer& issuer, std::size_t attempt, const std::string& first_error);
    void discovered(Issuer& issuer, std::size_t attempt, const std::string& first_error,
                    const HttpsGetResult& result);
    void fetched(Issuer& issuer, HttpsGetResult result);
    bool prepare(Issuer& issuer, const std::string& address, HttpsGetRequest& request,
                 std::string& error) const;
    void accept(Issuer& issuer, const auth::KeySetLoad& load);
    void fail(Issuer& issuer, const std::string& error);
    void publish(std::size_t index, std::shared_ptr<const auth::KeySet> keys);
    void tell(const Issuer& issuer, FetchStage stage) const;
    std::shared_ptr<Issuer> find(const Issuer& issuer) const;

    boost::asio::io_context& context;
    net::Resolver& resolver;
    JwksOptions options;
    OnKeys on_keys;
    OnFetch on_fetch;
    Logger& log;
    std::vector<std::shared_ptr<Issuer>> issuers;
    std::uint64_t fetches_ok = 0;
    std::uint64_t fetches_failed = 0;
    bool stopped = false;
};

void JwksFetcher::State::schedule(const std::shared_ptr<Issuer>& issuer, milliseconds delay) {
    const std::uint64_t generation = ++issuer->timer_generation;
    issuer->timer.expires_after(delay);
    // The issuer lives only as long as this State, so a lock that works means that both are there.
    issuer->timer.async_wait([this, generation, weak = std::weak_ptr<Issuer>(issuer)](
                                 const boost::system::error_code& error) {
        const auto alive = error ? nullptr : weak.lock();
        if (alive && alive->timer_generation == generation && !stopped) fetch(alive);
    });
}

void JwksFetcher::State::fetch(const std::shared_ptr<Issuer>& issuer) {
    if (stopped || issuer->get.running()) return;
    ++issuer->timer_generation;  // whatever was scheduled is this
    tell(*issuer, FetchStage::started);
    if (!issuer->source.file.empty()) {
        HttpsGetResult result;
        result.body = read_key_file(issuer->source.file, options.limits.bytes, result.error);
        fetched(*issuer, std::move(result));
        return;
    }
    if (issuer->source.url.empty()) {
        discover(*issuer, 0, "");
        return;
    }
    Issuer* const raw = issuer.get();  // its HttpsGet forgets this callback before it dies
    ask(*issuer, issuer->source.url,
        [this, raw](HttpsGetResult result) { fetched(*raw, std::move(result)); });
}

void JwksFetcher::State::ask(Issuer& issuer, const std::string& address, HttpsGet::Done done) {
    HttpsGetRequest request;
    std::string error;
    if (!prepare(issuer, address, request, error)) {
        fail(issuer, error);
        return;
    }
    issuer.get.start(request, std::move(done));
}

// Where the keys are is asked anew each time: an issuer may move them.
void JwksFetcher::State::discover(Issuer& issuer, std::size_t attempt,
                                  const std::string& first_error) {
    const std::string address = discovery_urls(issuer.source.issuer)[attempt];
    ask(issuer, address, [this, &issuer, attempt, first_error](HttpsGetResult result) {
        discovered(issuer, attempt, first_error, result);
    });
}

// The second address has its turn when the first has no answer; what both say of it is in the log.
void JwksFetcher::State::discovered(Issuer& issuer, std::size_t attempt,
                                    const std::string& first_error, const HttpsGetResult& result) {
    const std::vector<std::string> urls = discovery_urls(issuer.source.issuer);
    if (!result.error.empty()) {
        const std::string error =
            (attempt == 0 ? "" : first_error + "; ") + urls[attempt] + ": " + result.error;
        if (attempt + 1 < urls.size()) {
            discover(issuer, attempt + 1, error);
        } else {
            fail(issuer, "discovery: " + error);
        }
        return;
    }
    const Discovery found = read_discovery(result.body, issuer.source.issuer, options.limits.bytes,
                                           issuer.source.allow_http);
    if (!found.error.empty()) {
        fail(issuer, "discovery: " + urls[attempt] + ": " + found.error);
        return;
    }
    ask(issuer, found.jwks_uri,
        [this, &issuer](HttpsGetResult keys) { fetched(issuer, std::move(keys)); });
}

bool JwksFetcher::State::prepare(Issuer& issuer, const std::string& address,
                                 HttpsGetRequest& request, std::string& error) const {
    auto url = parse_http_url(address, issuer.source.allow_http);
    if (!url) {
        error = "the url is neither https nor http to a loopback address";
        return false;
    }
    request.url = std::move(*url);
    request.deadline = options.fetch;
    request.body_bytes = options.limits.bytes;
    try {
        if (request.url.tls && !issuer.tls) {
            net::TlsContext::ClientOptions trust;
            trust.ca_pem = issuer.source.ca_pem;
            issuer.tls = net::TlsContext::client(trust);
        }
    } catch (const std::exception& exception) {
        error = exception.what();
        return false;
    }
    request.tls = issuer.tls;
    return true;
}

void JwksFetcher::State::fetched(Issuer& issuer, HttpsGetResult result) {
    if (!result.error.empty()) {
        fail(issuer, result.error);
        return;
    }
    const auth::KeySetLoad load = auth::KeySet::from_jwks(result.body, options.limits);
    if (load.keys) {
        accept(issuer, load);
    } else {
        fail(issuer, "not a usable key set: " + load.error);
    }
}

// `on_keys` may replace the issuer, which `owned` then keeps until the end.
void JwksFetcher::State::accept(Issuer& issuer, const auth::KeySetLoad& load) {
    ++fetches_ok;
    ++issuer.status.fetches_ok;
    issuer.status.last_success = std::chrono::system_clock::now();
    issuer.status.last_error.clear();
    const bool was_failing = issuer.times.failing();
    const milliseconds delay = issuer.times.succeeded(std::chrono::steady_clock::now(), options);
    if (was_failing) log.info("jwks is back", {{"issuer", issuer.source.issuer}});
    const auto owned = find(issuer);
    if (owned) schedule(owned, delay);
    if (issuer.keys && load.keys->same_keys(*issuer.keys)) {
        tell(issuer, FetchStage::succeeded);
        return;
    }
    for (const std::string& line : load.skipped) {
        log.warn("jwks key skipped", {{"issuer", issuer.source.issuer}, {"reason", line}});
    }
    for (const std::string& line : load.weak) {
        log.warn("jwks key is weak", {{"issuer", issuer.source.issuer}, {"reason", line}});
    }
    log.info("jwks has new keys",
             {{"issuer", issuer.source.issuer}, {"keys", load.keys->keys().size()}});
    issuer.keys = load.keys;
    publish(issuer.index, load.keys);
    if (owned) tell(*owned, FetchStage::succeeded);
}

void JwksFetcher::State::fail(Issuer& issuer, const std::string& error) {
    ++fetches_failed;
    ++issuer.status.fetches_failed;
    issuer.status.last_error = error;
    const milliseconds delay = issuer.times.failed(options);
    log.warn("jwks fetch failed", {{"issuer", issuer.source.issuer},
                                   {"error", error},
                                   {"retry_ms", delay.count()},
                                   {"keys_kept", issuer.keys != nullptr}});
    const auto owned = find(issuer);
    if (owned) schedule(owned, delay);
    if (issuer.keys && issuer.times.stale(std::chrono::steady_clock::now(), options)) {
        log.error("jwks went stale", {{"issuer", issuer.source.issuer}});
        issuer.keys = nullptr;
        publish(issuer.index, nullptr);
    }
    if (owned) tell(*owned, FetchStage::failed);
}

void JwksFetcher::State::tell(const Issuer& issuer, FetchStage stage) const {
    if (on_fetch && find(issuer)) on_fetch(issuer.index, stage);
}

void JwksFetcher::State::publish(std::size_t index, std::shared_ptr<const auth::KeySet> keys) {
    if (stopped || !on_keys) return;
    try {
        on_keys(index, std::move(keys));
    } catch (const std::exception& exception) {
        log.error("jwks could not be published", {{"error", exception.what()}});
    }
}

// The owning pointer of `issuer`; null once a reload has removed it, and after a stop.
std::shared_ptr<JwksFetcher::Issuer> JwksFetcher::State::find(const Issuer& issuer) const {
    if (stopped || issuer.index >= issuers.size()) return nullptr;
    const auto& there = issuers[issuer.index];
    return there.get() == &issuer ? there : nullptr;
}

JwksFetcher::JwksFetcher(boost::asio::io_context& context, net::Resolver& resolver,
                         const JwksOptions& options, OnKeys on_keys, Logger& log)
    : state_(std::make_unique<State>(context, resolver, options, std::move(on_keys), log)) {}

JwksFetcher::~JwksFetcher() { stop(); }

void JwksFetcher::on_fetch(OnFetch on_fetch) { state_->on_fetch = std::move(on_fetch); }

void JwksFetcher::set_sources(std::vector<JwksSource> sources) {
    if (state_->stopped) return;
    std::vector<std::shared_ptr<Issuer>> old = std::move(state_->issuers);
    std::vector<std::shared_ptr<Issuer>> fresh;
    std::vector<std::shared_ptr<Issuer>> now;
    for (JwksSource& source : sources) {
        const auto same = std::find_if(old.begin(), old.end(), [&source](const auto& issuer) {
            return issuer && issuer->source == source;
        });
        if (same != old.end()) {
            now.push_back(std::move(*same));
            if (!source.file.empty()) fresh.push_back(now.back());  // a reload reads files again
        } else {
            now.push_back(
                std::make_shared<Issuer>(state_->context, state_->resolver, std::move(source)));
            fresh.push_back(now.back());
        }
        now.back()->index = now.size() - 1;
    }
    state_->issuers = std::move(now);
    old.clear();  // ends the fetches of those that are gone
    // `on_keys` may come back here with other sources: then those left of these are of no use.
    for (const auto& issuer : fresh) {
        if (state_->find(*issuer)) state_->fetch(issuer);
    }
}

void JwksFetcher::set_options(const JwksOptions& options) {
    if (options == state_->options) return;
    const bool sooner = options.refresh < state_->options.refresh;
    state_->options = options;
    if (!sooner || state_->stopped) return;
    for (const auto& issuer : state_->issuers) {
        const bool waits_to_refresh = !issuer->times.failing() && !issuer->get.running();
        if (waits_to_refresh) state_->schedule(issuer, FetchTimes::refresh(options));
    }
}

const JwksOptions& JwksFetcher::options() const noexcept { return state_->options; }

bool JwksFetcher::refresh_for_unknown_kid(std::size_t index) {
    if (state_->stopped || index >= state_->issuers.size()) return false;
    const std::shared_ptr<Issuer> issuer = state_->issuers[index];
    if (issuer->get.running()) return false;
    const auto now = std::chrono::steady_clock::now();
    if (!issuer->times.unknown_key(now, state_->options)) return false;
    state_->fetch(issuer);
    return true;
}

bool JwksFetcher::fetching(std::size_t issuer) const noexcept {
    return issuer < size() && state_->issuers[issuer]->get.running();
}

SteadyTime JwksFetcher::not_before(std::size_t issuer) const noexcept {
    if (issuer >= size()) return SteadyTime::min();
    return state_->issuers[issuer]->times.not_before(state_->options);
}

void JwksFetcher::stop() noexcept {
    state_->stopped = true;
    for (const auto& issuer : state_->issuers) {
        issuer->get.cancel();
        ++issuer->timer_generation;
        try {
            issuer->timer.cancel();
        } catch (...) {
            // Its handler finds `stopped`.
        }
    }
}

std::size_t JwksFetcher::size() const noexcept { return state_->issuers.size(); }

std::shared_ptr<const auth::KeySet> JwksFetcher::keys(std::size_t issuer) const {
    return issuer < size() ? state_->issuers[issuer]->keys : nullptr;
}

JwksStatus JwksFetcher::status(std::size_t issuer) const {
    return issuer < size() ? state_->issuers[issuer]->status : JwksStatus{};
}

std::uint64_t JwksFetcher::fetches_ok() const noexcept { return state_->fetches_ok; }
std::uint64_t JwksFetcher::fetches_failed() const noexcept { return state_->fetches_failed; }

}  // namespace rotary::control
