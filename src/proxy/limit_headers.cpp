#include "proxy/limit_headers.hpp"

#include <rotary/quota/money_text.hpp>

#include <algorithm>
#include <cstdio>

namespace rotary::proxy {

namespace {

using quota::Standing;

// Of two of one class the one of which less is left.
const Standing& tighter(const Standing& one, const Standing& other) noexcept {
    if (one.limit == nullptr) return other;
    if (other.limit == nullptr) return one;
    return other.remaining < one.remaining ? other : one;
}

std::uint64_t shown(std::int64_t count) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

// When a class of limits is fresh again, as text. Most limits begin anew together.
class ResetText {
public:
    std::string_view of(const Exchange& exchange, const Standing& standing) noexcept {
        if (text_.empty() || standing.reset != reset_) {
            reset_ = standing.reset;
            text_ = quota::write_duration(reset_ - exchange.request.started_wall, buffer_);
        }
        return text_;
    }

private:
    WallTime reset_;
    quota::DurationText buffer_;
    std::string_view text_;
};

// How OpenAI names the standing of one class of limits.
struct StandingNames {
    wire::FieldName limit;
    wire::FieldName remaining;
    wire::FieldName reset;
};
constexpr StandingNames kRequests{
    "x-ratelimit-limit-requests: ", "x-ratelimit-remaining-requests: ",
    "x-ratelimit-reset-requests: "};
constexpr StandingNames kTokens{
    "x-ratelimit-limit-tokens: ", "x-ratelimit-remaining-tokens: ", "x-ratelimit-reset-tokens: "};

void write_openai(const StandingNames& names, const Standing& standing, std::string_view reset,
                  wire::HeadWriter& head) {
    if (standing.limit == nullptr) return;
    head.line(names.limit, shown(standing.limit->amount));
    head.line(names.remaining, shown(standing.remaining));
    head.line(names.reset, reset);
}

// draft-03 of the IETF's fields: of all limits the one of which least is left, in seconds.
void write_apk(const Exchange& exchange, const Standing& standing, wire::HeadWriter& head) {
    if (standing.limit == nullptr) return;
    const auto left =
        std::chrono::ceil<std::chrono::seconds>(standing.reset - exchange.request.started_wall);
    head.line("x-ratelimit-limit: ", shown(standing.limit->amount));
    head.line("x-ratelimit-remaining: ", shown(standing.remaining));
    head.line("x-ratelimit-reset: ", shown(left.count()));
}

std::uint32_t apk_code(quota::Scope scope) noexcept {
    switch (scope) {
        case quota::Scope::api:
            return 900800;
        case quota::Scope::resource:
            return 900802;
        case quota::Scope::consumer:
            return 900803;
        case quota::Scope::subscription:
            return 900804;
        case quota::Scope::custom:
            return 900806;
        case quota::Scope::backend:
            break;
    }
    return 0;
}

// "Budget of 100.00 USD per month spent for consumer team-a (used 100.02 USD). Resets in 26h."
std::string_view write_budget_message(const quota::Reached& reached, std::chrono::milliseconds wait,
                                      std::array<char, 256>& text) noexcept {
    const quota::Limit& limit = *reached.limit;
    quota::MoneyText amount;
    quota::MoneyText used;
    quota::DurationText duration;
    const std::string_view parts[] = {"Budget of ",  quota::write_money(limit.amount, amount),
                                      " ",           limit.currency,
                                      " per ",       limit.unit_name(),
                                      " spent for ", limit.subject,
                                      " (used ",     quota::write_money(reached.used, used),
                                      " ",           limit.currency,
                                      "). "};
    std::size_t size = 0;
    const auto add = [&](std::string_view part) {
        size += part.copy(text.data() + size, text.size() - size);
    };
    for (const std::string_view part : parts) add(part);
    if (reached.free_at == WallTime::max()) {
        add("It does not begin anew.");
    } else {
        add("Resets in ");
        add(quota::write_duration(std::chrono::ceil<std::chrono::seconds>(wait), duration));
        add(".");
    }
    return {text.data(), size};
}

}  // namespace

bool is_limited(const Exchange& exchange) noexcept {
    return exchange.quotas.held.is_limited() || exchange.quotas.of_try.is_limited();
}

void write_limit_headers(const Exchange& exchange, wire::HeadWriter& head) {
    const Quotas& quotas = exchange.quotas;
    const quota::Limit* shadowed =
        quotas.held.shadowed() != nullptr ? quotas.held.shadowed() : quotas.of_try.shadowed();
    if (shadowed != nullptr) head.line("x-rotary-limit-shadow: ", shadowed->policy);
    const quota::Limit* softened = quotas.held.softened();
    if (softened != nullptr) head.line("x-rotary-limit-soft: ", softened->policy);
    if (!is_limited(exchange)) return;
    const Standing& requests = tighter(quotas.held.requests(), quotas.of_try.requests());
    const Standing& tokens = tighter(quotas.held.tokens(), quotas.of_try.tokens());
    switch (exchange.snapshot().config.quotas.headers) {
        case config::QuotaHeaders::openai: {
            ResetText reset;
            write_openai(kRequests, requests, reset.of(exchange, requests), head);
            write_openai(kTokens, tokens, reset.of(exchange, tokens), head);
            break;
        }
        case config::QuotaHeaders::apk:
            write_apk(exchange, tighter(requests, tokens), head);
            break;
        case config::QuotaHeaders::off:
            break;
    }
}

std::chrono::milliseconds limit_wait(const Exchange& exchange, SteadyTime now) noexcept {
    const auto passed = std::max(now - exchange.request.started, SteadyTime::duration::zero());
    const auto left = exchange.quotas.refusal->free_at - exchange.request.started_wall - passed;
    // The budget of all times ends never: a client may look again in a year.
    return std::clamp<std::chrono::milliseconds>(std::chrono::ceil<std::chrono::milliseconds>(left),
                                                 std::chrono::milliseconds{1},
                                                 std::chrono::years{1});
}

bool is_in_vain(const quota::Reached& reached) noexcept {
    return reached.never || reached.limit->what == quota::What::cost;
}

std::string_view write_limit_message(const Exchange& exchange, std::chrono::milliseconds wait,
                                     std::array<char, 256>& text) noexcept {
    const quota::Reached& reached = *exchange.quotas.refusal;
    const quota::Limit& limit = *reached.limit;
    if (limit.what == quota::What::cost) return write_budget_message(reached, wait, text);
    const auto size_of = [](std::string_view part) { return static_cast<int>(part.size()); };
    const std::string_view what = quota::to_string(limit.what);
    const std::string_view unit = limit.unit_name();
    quota::DurationText duration;
    const std::string_view resets =
        quota::write_duration(std::chrono::ceil<std::chrono::seconds>(wait), duration);
    const int written =
        std::snprintf(text.data(), text.size(),
                      "Limit of %lld %.*s per %.*s reached for %.*s (used %lld). Resets in %.*s.",
                      static_cast<long long>(limit.amount), size_of(what), what.data(),
                      size_of(unit), unit.data(), size_of(limit.subject), limit.subject.data(),
                      static_cast<long long>(reached.used), size_of(resets), resets.data());
    return {text.data(), std::min(static_cast<std::size_t>(std::max(written, 0)), text.size() - 1)};
}

wire::Problem problem_of(const Exchange& exchange, FaultKind kind) noexcept {
    wire::Problem problem = wire::problem_of(kind);
    if (exchange.quotas.refusal) problem.apk_code = apk_code(exchange.quotas.refusal->limit->scope);
    return problem;
}

}  // namespace rotary::proxy
