#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/llm/error_body.hpp>
#include <rotary/llm/rate_limit_headers.hpp>
#include <rotary/rotation/suspension.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace rotary::rotation {

struct SuspendRules {
    std::chrono::milliseconds duration{0};  // onQuotaExceedSuspendDuration; 0: the hint alone
    config::HintUse hint = config::HintUse::extend;
    std::chrono::milliseconds longest = config::Timeouts{}.suspension_max;
};

// What a signal does to the rotation.
enum class Effect : std::uint8_t {
    none,
    suspend_entry,
    suspend_credential,  // every entry with the same Backend credential
    count_failure,       // enough of them in a row suspend the entry
    put_out_entry,       // at once, until the provider knows its model
    put_out_credential   // at once, every entry with the credential that was refused
};

// How an attempt failed. Labels of metrics.
enum class Failure : std::uint8_t {
    none,
    connect,
    dns,
    tls,
    timeout,
    protocol,     // an answer that is none, or broke off before anything of it went to the client
    interrupted,  // it broke off later
    server_error,
    overloaded,
    forbidden,  // 403, of the model or of the account's rights
    model_unknown,
    credential_refused
};
inline constexpr std::size_t kFailures = 12;
std::string_view to_string(Failure failure) noexcept;

// What an answer or a failure means: for the rotation, and for the request that met it.
struct Verdict {
    Effect effect = Effect::none;
    std::chrono::milliseconds duration{0};  // of the suspension; 0: none
    SuspendReason reason = SuspendReason::none;
    Failure failure = Failure::none;
    bool silent = false;        // the failure was that nothing came
    bool try_next = false;      // another entry may serve this request
    bool costs_budget = false;  // …within the retry budget: another provider does work for it
    bool is_withheld = false;   // the answer is not the client's to read: it speaks of our key
    // It says nothing of the entry's health: a probe that met it has brought no verdict.
    bool is_inconclusive = false;

    // Whether the refusal takes the entry out, so that no request meets it again soon.
    bool bounds_itself() const noexcept {
        return effect != Effect::none && effect != Effect::count_failure;
    }
};

// An answer, or the error event that a stream began with.
struct Answer {
    std::uint16_t status = 0;
    llm::RateLimitHints hints;
    llm::ErrorBody error;         // read it first when error_body_decides(status)
    bool is_later = false;        // another entry was tried before, for the same request
    bool has_our_key = false;     // the Backend's own credential was sent
    bool is_listed = false;       // in Backend.retry.statusCodes
    bool is_error_event = false;  // `error` came as an event; the status says nothing of it
};
Verdict judge_answer(const Answer& answer, const SuspendRules& rules) noexcept;

// Whether the body of an answer with this status has a say in the verdict.
constexpr bool error_body_decides(std::uint16_t status) noexcept {
    return (status >= 400 && status <= 404) || status == 429;
}

// An attempt that brought no answer, or none that is whole. `asked`: the request had gone out, so
// that the provider may have worked for it.
Verdict judge_failure(const Fault& fault, bool asked = true) noexcept;

}  // namespace rotary::rotation
