#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rotary/auth/key_set.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>
#include <rotary/config/settings/limits.hpp>
#include <rotary/net/resolver.hpp>

namespace rotary::control {

// Where one token issuer's keys come from: a url or a file; with neither, where the issuer says by
// discovery (OpenID Connect, RFC 8414).
struct JwksSource {
    std::string issuer;       // its `iss`, for the log and for discovery
    std::string url;          // https://…, or http:// to a loopback address
    std::string file;         // a path, ready to be opened
    std::string ca_pem;       // whom to trust for https; empty: the system's
    bool allow_http = false;  // to any host
    bool operator==(const JwksSource&) const = default;
};

struct JwksOptions {
    using Times = config::Timeouts;
    std::chrono::milliseconds refresh = Times{}.jwks_refresh;    // fetched again after 80 % of it
    std::chrono::milliseconds fetch = Times{}.jwks_fetch;        // one fetch, all of it
    std::chrono::milliseconds cooldown = Times{}.jwks_cooldown;  // between two for an unknown key
    std::chrono::milliseconds stale = Times{}.jwks_stale;  // for which good keys outlive an outage
    std::chrono::milliseconds retry_first{1'000};  // after a failure; doubled by each further one
    std::chrono::milliseconds retry_max{30'000};
    auth::KeySetLimits limits;
    bool operator==(const JwksOptions&) const = default;
};

struct JwksStatus {
    std::uint64_t fetches_ok = 0;
    std::uint64_t fetches_failed = 0;
    std::optional<std::chrono::system_clock::time_point> last_success;
    std::string last_error;  // empty after a success
};

enum class FetchStage : std::uint8_t { started, succeeded, failed };

// Keeps the keys of every token issuer fresh, in the background. One fetch at a time an issuer. The
// last good keys stay through an outage, up to `stale`. Reading a file blocks, which is fine here.
// Lives on the control thread's io_context; single-threaded.
class JwksFetcher {
public:
    // Called with new keys; with none when the old ones went stale. Not called when a fetch brought
    // the same keys again. `issuer` is the index in the sources set last. It may call set_sources,
    // but not destroy the fetcher.
    using OnKeys =
        std::function<void(std::size_t issuer, std::shared_ptr<const auth::KeySet> keys)>;

    JwksFetcher(boost::asio::io_context& context, net::Resolver& resolver,
                const JwksOptions& options, OnKeys on_keys, Logger& log);
    ~JwksFetcher();  // stops
    JwksFetcher(const JwksFetcher&) = delete;
    JwksFetcher& operator=(const JwksFetcher&) = delete;

    // Told of the beginning and the end of every fetch; of an end after `on_keys`, so that the
    // listener has the keys. Set before the first sources. Not told of fetches that a reload or
    // stop() cancels.
    using OnFetch = std::function<void(std::size_t issuer, FetchStage stage)>;
    void on_fetch(OnFetch on_fetch);

    // Starts fetching, or after a reload goes on with these. A source that was there already keeps
    // its keys, counts and times. Files are read, and `on_keys` called for those with new keys,
    // before it returns.
    void set_sources(std::vector<JwksSource> sources);

    // For what is fetched, and how long it is good, from here on.
    void set_options(const JwksOptions& options);
    const JwksOptions& options() const noexcept;

    // A token named a key that no set holds: perhaps the issuer has rotated. False: too early for
    // another fetch, one is under way, or there is no such issuer. Cheap, but callers on other
    // threads must post here, so they should ask at most once a cooldown themselves.
    bool refresh_for_unknown_kid(std::size_t issuer);

    bool fetching(std::size_t issuer) const noexcept;
    // From when on refresh_for_unknown_kid() would fetch again.
    SteadyTime not_before(std::size_t issuer) const noexcept;

    // No fetch goes on and `on_keys` is not called any more; keys and status stay readable.
    void stop() noexcept;

    std::size_t size() const noexcept;
    std::shared_ptr<const auth::KeySet> keys(std::size_t issuer) const;  // null: none yet
    JwksStatus status(std::size_t issuer) const;
    // Over all issuers, those that a reload removed too.
    std::uint64_t fetches_ok() const noexcept;
    std::uint64_t fetches_failed() const noexcept;

private:
    struct Issuer;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::control
