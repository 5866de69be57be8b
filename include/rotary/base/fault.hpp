#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <exception>

namespace rotary {

// What went wrong. Each kind that a client may see has one row in wire/problem.
enum class FaultKind : std::uint8_t {
    none,
    bad_request,
    invalid_json,
    duplicate_model,
    missing_credentials,
    invalid_token,
    token_expired,
    scope_denied,
    subscription_required,
    model_not_allowed,
    route_not_found,
    method_not_allowed,
    request_timeout,
    length_required,
    request_too_large,
    uri_too_long,
    unsupported_content_encoding,
    unsupported_media_type,
    headers_too_large,
    all_models_suspended,
    rate_limit_exceeded,
    token_budget_exceeded,
    cost_budget_exceeded,
    upstream_dns_failed,
    upstream_connect_failed,
    upstream_tls_failed,
    upstream_protocol_error,
    upstream_credential_refused,
    upstream_timeout,
    upstream_stream_interrupted,
    all_models_unavailable,
    issuer_unavailable,
    overloaded,
    draining,
    client_gone,
    count_
};

// Whose doing it was: it decides who is blamed in metrics and whether an entry suffers for it.
enum class Origin : std::uint8_t { client, upstream, internal };

// Whether another try makes sense. `reused_only`: the connection had served before and died before
// the first byte of an answer, so the same request may be sent once more on a fresh one.
enum class Retry : std::uint8_t { never, next_entry, reused_only };

// An expected failure of the data path, passed as a value. `detail` is a literal: faults are made
// and dropped a million times a minute under attack and must not allocate.
struct Fault {
    FaultKind kind = FaultKind::none;
    Origin origin = Origin::internal;
    Retry retry = Retry::never;
    const char* detail = "";

    static constexpr Fault client(FaultKind kind, const char* detail = "") noexcept {
        return {kind, Origin::client, Retry::never, detail};
    }
    static constexpr Fault upstream(FaultKind kind, const char* detail = "",
                                    Retry retry = Retry::next_entry) noexcept {
        return {kind, Origin::upstream, retry, detail};
    }
    static constexpr Fault internal(FaultKind kind, const char* detail = "") noexcept {
        return {kind, Origin::internal, Retry::never, detail};
    }
};

class FaultError : public std::exception {
public:
    explicit FaultError(const Fault& fault) noexcept : fault_(fault) {}
    const char* what() const noexcept override { return fault_.detail; }
    const Fault& fault() const noexcept { return fault_; }

private:
    Fault fault_;
};

// Found by boost::system::result::value() when it holds a fault; the data path asks has_value()
// first.
[[noreturn]] inline void throw_exception_from_error(const Fault& fault,
                                                    const boost::source_location&) {
    throw FaultError(fault);
}

template <class T = void>
using Result = boost::system::result<T, Fault>;

}  // namespace rotary
