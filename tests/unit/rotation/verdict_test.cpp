#include <rotary/rotation/verdict.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::rotation {
namespace {

using config::HintUse;

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;

llm::RateLimitHints wait_for(milliseconds wait) {
    llm::RateLimitHints hints;
    hints.retry_after = wait;
    return hints;
}

llm::RateLimitHints used_up(Wait reset = std::nullopt) {
    llm::RateLimitHints hints;
    hints.exhausted = true;
    hints.reset = reset;
    return hints;
}

SuspendRules rules(milliseconds duration, HintUse hint = HintUse::extend) {
    return {duration, hint, 1h};
}

Answer answer(std::uint16_t status, const llm::RateLimitHints& hints = {}) {
    Answer made;
    made.status = status;
    made.hints = hints;
    return made;
}

Answer refusal(llm::ErrorKind kind, const llm::RateLimitHints& hints = {},
               Wait told = std::nullopt) {
    Answer made = answer(429, hints);
    made.error = {true, kind, told};
    return made;
}

Answer event(llm::ErrorKind kind, const llm::RateLimitHints& hints = {}) {
    Answer made = answer(200, hints);
    made.error = {true, kind, std::nullopt};
    made.is_error_event = true;
    return made;
}

TEST(Verdict, Refusals) {
    struct Row {
        const char* name;
        llm::RateLimitHints hints;
        SuspendRules rules;
        milliseconds duration;
    };
    llm::RateLimitHints both = used_up(90s);
    both.retry_after = 20s;
    const Row rows[] = {
        {"the policy alone", {}, rules(60s), 60s},
        {"the hint alone", wait_for(20s), rules(0s), 20s},
        {"neither", {}, rules(0s), 0s},
        {"a zero hint alone", wait_for(0s), rules(0s), 0s},
        {"extend: the hint is longer", wait_for(90s), rules(60s), 90s},
        {"extend: the policy is longer", wait_for(20s), rules(60s), 60s},
        {"prefer: a shorter hint", wait_for(20s), rules(60s, HintUse::prefer), 20s},
        {"prefer: a longer hint", wait_for(90s), rules(60s, HintUse::prefer), 90s},
        {"prefer: no hint", {}, rules(60s, HintUse::prefer), 60s},
        {"prefer: a zero hint", wait_for(0s), rules(60s, HintUse::prefer), 0s},
        {"ignore", wait_for(90s), rules(60s, HintUse::ignore), 60s},
        {"ignore, and no policy", wait_for(90s), rules(0s, HintUse::ignore), 0s},
        {"a hint beyond the cap", wait_for(24h), rules(60s), 1h},
        {"a policy beyond the cap", {}, rules(2h), 1h},
        {"prefer, beyond the cap", wait_for(24h), rules(60s, HintUse::prefer), 1h},
        {"the counters' reset", used_up(75s), rules(60s), 75s},
        {"retry-after before the counters' reset", both, rules(0s), 20s},
        {"half a second", wait_for(500ms), rules(0s), 500ms},
    };
    for (const Row& row : rows) {
        for (const llm::ErrorKind kind :
             {llm::ErrorKind::rate, llm::ErrorKind::unknown, llm::ErrorKind::overloaded,
              llm::ErrorKind::server, llm::ErrorKind::request}) {
            SCOPED_TRACE(row.name);
            SCOPED_TRACE(static_cast<int>(kind));
            const Verdict verdict = judge_answer(refusal(kind, row.hints), row.rules);
            const bool is_out = row.duration > 0s;
            EXPECT_EQ(verdict.duration, row.duration);
            EXPECT_EQ(verdict.effect, is_out ? Effect::suspend_entry : Effect::none);
            EXPECT_EQ(verdict.reason, SuspendReason::rate_limited);
            EXPECT_EQ(verdict.failure, Failure::none);
            EXPECT_TRUE(verdict.try_next);
            EXPECT_EQ(verdict.costs_budget, !is_out) << "nothing else bounds the tries";
        }
    }
}

// Which of the hints counts: of a minute's limit the first that was given, of a day's the longest.
TEST(Verdict, HintsByKind) {
    struct Row {
        const char* name;
        Wait retry_after, reset, told;
        milliseconds rate, daily;
    };
    const Row rows[] = {
        {"none", {}, {}, {}, 0s, 0s},
        {"retry-after alone", 20s, {}, {}, 20s, 20s},
        {"the reset alone", {}, 30s, {}, 30s, 30s},
        {"the body alone", {}, {}, 40s, 40s, 40s},
        {"rising", 20s, 30s, 40s, 20s, 40s},
        {"falling", 40s, 30s, 20s, 40s, 40s},
        {"the reset is longest", 20s, 50min, 30s, 20s, 50min},
        {"no retry-after", {}, 30s, 40s, 30s, 40s},
        {"no reset", 20s, {}, 40s, 20s, 40s},
        {"retry-after is zero", 0s, 30s, 40s, 0s, 40s},
        {"beyond the cap", 20s, 7h, 12h, 20s, 1h},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        llm::RateLimitHints hints = row.reset ? used_up(row.reset) : llm::RateLimitHints{};
        hints.retry_after = row.retry_after;
        const Verdict rate =
            judge_answer(refusal(llm::ErrorKind::rate, hints, row.told), rules(0s));
        EXPECT_EQ(rate.duration, row.rate);
        EXPECT_EQ(rate.reason, SuspendReason::rate_limited);
        const Verdict daily =
            judge_answer(refusal(llm::ErrorKind::daily, hints, row.told), rules(0s));
        EXPECT_EQ(daily.duration, row.daily);
        EXPECT_EQ(daily.reason, SuspendReason::daily_exhausted);
        const Verdict account =
            judge_answer(refusal(llm::ErrorKind::account, hints, row.told), rules(0s));
        EXPECT_EQ(account.duration, row.rate);
        EXPECT_EQ(account.reason, SuspendReason::account_exhausted);
    }
}

TEST(Verdict, QuotasByKind) {
    struct Row {
        const char* name;
        llm::ErrorKind kind;
        SuspendRules rules;
        Effect effect;
        SuspendReason reason;
        milliseconds duration;
    };
    constexpr auto nothing = Effect::none;
    constexpr auto suspend_entry = Effect::suspend_entry;
    constexpr auto suspend_credential = Effect::suspend_credential;
    using enum SuspendReason;
    const llm::RateLimitHints hint = wait_for(90s);
    const Row rows[] = {
        {"a minute's", llm::ErrorKind::rate, rules(60s), suspend_entry, rate_limited, 90s},
        {"a day's", llm::ErrorKind::daily, rules(60s), suspend_entry, daily_exhausted, 90s},
        {"the account's", llm::ErrorKind::account, rules(60s), suspend_credential,
         account_exhausted, 90s},
        {"a day's, policy longer", llm::ErrorKind::daily, rules(600s), suspend_entry,
         daily_exhausted, 600s},
        {"a day's, hints ignored", llm::ErrorKind::daily, rules(60s, HintUse::ignore),
         suspend_entry, daily_exhausted, 60s},
        {"the account's, hints ignored", llm::ErrorKind::account, rules(60s, HintUse::ignore),
         suspend_credential, account_exhausted, 60s},
        {"a minute's, nothing to go by", llm::ErrorKind::rate, rules(0s, HintUse::ignore), nothing,
         rate_limited, 0s},
        {"a day's, nothing to go by", llm::ErrorKind::daily, rules(0s, HintUse::ignore), nothing,
         daily_exhausted, 0s},
        {"the account's, nothing to go by", llm::ErrorKind::account, rules(0s, HintUse::ignore),
         nothing, account_exhausted, 0s},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        for (const Answer& given : {refusal(row.kind, hint), event(row.kind, hint)}) {
            const Verdict verdict = judge_answer(given, row.rules);
            EXPECT_EQ(verdict.effect, row.effect);
            EXPECT_EQ(verdict.reason, row.reason);
            EXPECT_EQ(verdict.duration, row.duration);
            EXPECT_EQ(verdict.failure, Failure::none);
            EXPECT_TRUE(verdict.try_next);
            EXPECT_EQ(verdict.costs_budget, row.effect == nothing);
        }
    }
}

TEST(Verdict, SuccessesThatUsedUpTheQuota) {
    struct Row {
        const char* name;
        std::uint16_t status;
        llm::RateLimitHints hints;
        SuspendRules rules;
        milliseconds duration;
    };
    llm::RateLimitHints left;
    left.reset = 30s;
    const Row rows[] = {
        {"something is left", 200, left, rules(60s), 0s},
        {"nothing said", 200, {}, rules(60s), 0s},
        {"retry-after with room left", 200, wait_for(20s), rules(60s), 0s},
        {"the stated reset", 200, used_up(30s), rules(60s), 30s},
        {"a longer reset", 200, used_up(90s), rules(60s), 90s},
        {"no reset: the policy's", 200, used_up(), rules(60s), 60s},
        {"neither", 200, used_up(), rules(0s), 0s},
        {"the reset alone", 200, used_up(30s), rules(0s), 30s},
        {"refilled already", 200, used_up(0s), rules(60s), 0s},
        {"ignore: the policy's", 200, used_up(30s), rules(60s, HintUse::ignore), 60s},
        {"ignore, and no policy", 200, used_up(30s), rules(0s, HintUse::ignore), 0s},
        {"prefer", 200, used_up(30s), rules(60s, HintUse::prefer), 30s},
        {"prefer, no reset", 200, used_up(), rules(60s, HintUse::prefer), 60s},
        {"beyond the cap", 200, used_up(48h), rules(60s), 1h},
        {"any success", 201, used_up(30s), rules(60s), 30s},
        {"the last success", 299, used_up(30s), rules(60s), 30s},
        {"not a redirect", 302, used_up(30s), rules(60s), 0s},
        {"not an error of the client's", 400, used_up(30s), rules(60s), 0s},
        {"not an odd error of the provider's", 501, used_up(30s), rules(60s), 0s},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Verdict verdict = judge_answer(answer(row.status, row.hints), row.rules);
        EXPECT_EQ(verdict.duration, row.duration);
        EXPECT_EQ(verdict.effect, row.duration > 0s ? Effect::suspend_entry : Effect::none);
        const bool is_used_up = row.status < 300 && row.hints.exhausted;
        EXPECT_EQ(verdict.reason,
                  is_used_up ? SuspendReason::quota_exhausted : SuspendReason::none);
        EXPECT_FALSE(verdict.try_next) << "it was answered";
        EXPECT_FALSE(verdict.costs_budget);
        EXPECT_EQ(verdict.failure, Failure::none);
    }
}

TEST(Verdict, EveryStatus) {
    for (unsigned number = 100; number < 600; ++number) {
        SCOPED_TRACE(number);
        const auto status = static_cast<std::uint16_t>(number);
        Failure failure = Failure::none;
        if (number == 500 || number == 502 || number == 504) failure = Failure::server_error;
        if (number == 503 || number == 529) failure = Failure::overloaded;
        if (number == 403) failure = Failure::forbidden;
        if (number == 408) failure = Failure::timeout;
        const bool fails = failure != Failure::none;

        const Verdict verdict = judge_answer(answer(status, wait_for(20s)), rules(60s));
        EXPECT_EQ(error_body_decides(status), (number >= 400 && number <= 404) || number == 429);
        if (number == 429 || number == 402) {
            EXPECT_EQ(verdict.effect,
                      number == 429 ? Effect::suspend_entry : Effect::suspend_credential);
            continue;
        }
        EXPECT_FALSE(verdict.silent) << "it answered";
        EXPECT_FALSE(verdict.is_withheld) << "no key of ours was sent";
        EXPECT_EQ(verdict.effect, fails ? Effect::count_failure : Effect::none);
        EXPECT_EQ(verdict.failure, failure);
        EXPECT_EQ(verdict.try_next, fails);
        EXPECT_EQ(verdict.costs_budget, fails);
        EXPECT_EQ(verdict.duration, 0s) << "a failure lasts as long as its limits say";
        EXPECT_EQ(verdict.reason, SuspendReason::none);

        Answer listed = answer(status, wait_for(20s));
        listed.is_listed = true;
        const Verdict other = judge_answer(listed, rules(60s));
        EXPECT_TRUE(other.try_next) << "the operator's word";
        EXPECT_TRUE(other.costs_budget);
        EXPECT_EQ(other.effect, verdict.effect) << "it says nothing of the entry";
        EXPECT_EQ(other.failure, failure);
    }
}

// One request alone never takes out a whole list.
TEST(Verdict, RefusalsOfALaterEntry) {
    struct Row {
        const char* name;
        llm::RateLimitHints hints;
        llm::ErrorKind kind;
        Wait told;
        bool is_suspended;
    };
    llm::RateLimitHints only_reset;
    only_reset.reset = 30s;
    const Row rows[] = {
        {"without a hint", {}, llm::ErrorKind::rate, {}, false},
        {"without a word", {}, llm::ErrorKind::unknown, {}, false},
        {"overloaded", {}, llm::ErrorKind::overloaded, {}, false},
        {"retry-after", wait_for(20s), llm::ErrorKind::rate, {}, true},
        {"nothing remains", used_up(), llm::ErrorKind::rate, {}, true},
        {"nothing remains until", used_up(30s), llm::ErrorKind::rate, {}, true},
        {"a reset", only_reset, llm::ErrorKind::rate, {}, true},
        {"the message says when", {}, llm::ErrorKind::rate, 20s, true},
        {"a day's allowance", {}, llm::ErrorKind::daily, {}, true},
        {"out of money", {}, llm::ErrorKind::account, {}, true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        for (const HintUse use : {HintUse::extend, HintUse::ignore}) {
            Answer later = refusal(row.kind, row.hints, row.told);
            const Verdict first = judge_answer(later, rules(60s, use));
            EXPECT_NE(first.effect, Effect::none);
            EXPECT_FALSE(first.is_inconclusive);
            later.is_later = true;
            const Verdict verdict = judge_answer(later, rules(60s, use));
            EXPECT_EQ(verdict.effect != Effect::none, row.is_suspended);
            EXPECT_EQ(verdict.is_inconclusive, !row.is_suspended);
            EXPECT_TRUE(verdict.try_next);
            EXPECT_FALSE(verdict.costs_budget);
            EXPECT_EQ(verdict.bounds_itself(), row.is_suspended);
        }
        Answer later = refusal(row.kind, {});
        later.is_later = true;
        EXPECT_TRUE(judge_answer(later, rules(0s)).costs_budget) << "nothing else bounds the tries";
    }
}

// It speaks of the request, whatever hints go with it.
TEST(Verdict, RefusalsOfARequestsSize) {
    for (const bool is_later : {false, true}) {
        for (const std::uint16_t status : {std::uint16_t{429}, std::uint16_t{402}}) {
            for (const llm::ErrorKind kind :
                 {llm::ErrorKind::rate, llm::ErrorKind::daily, llm::ErrorKind::unknown}) {
                Answer given = refusal(kind, wait_for(20s), 30s);
                given.status = status;
                given.error.speaks_of_size = true;
                given.is_later = is_later;
                const Verdict verdict = judge_answer(given, rules(60s));
                EXPECT_EQ(verdict.effect, Effect::none);
                EXPECT_EQ(verdict.reason, SuspendReason::none);
                EXPECT_EQ(verdict.failure, Failure::none);
                EXPECT_TRUE(verdict.try_next) << "another may take more";
                EXPECT_FALSE(verdict.costs_budget) << "others' retries are not for it to use up";
                EXPECT_FALSE(verdict.bounds_itself()) << "max_attempts counts it";
                EXPECT_FALSE(verdict.is_withheld);
                EXPECT_TRUE(verdict.is_inconclusive) << "of the entry's quota it says nothing";
            }
        }
    }
    Answer other = answer(413);
    other.error.speaks_of_size = true;
    EXPECT_FALSE(judge_answer(other, rules(60s)).try_next);
}

// Who is to blame for 400 to 404, by the body and by whose key was sent.
TEST(Verdict, RefusalsOfKeysMoneyAndModels) {
    enum class Means { nothing, key, money, model, failure };
    struct Row {
        const char* name;
        std::uint16_t status;
        llm::ErrorKind kind;
        bool speaks_of_key, has_our_key, is_later;
        Means means;
    };
    using enum llm::ErrorKind;
    const Row rows[] = {
        {"401, without a word", 401, unknown, false, true, false, Means::key},
        {"401, a later entry", 401, unknown, false, true, true, Means::key},
        {"401, whatever it says", 401, request, false, true, false, Means::key},
        {"401, no key of ours", 401, credential, true, false, false, Means::nothing},
        {"400, a bad request", 400, request, false, true, false, Means::nothing},
        {"400, Google's code for a bad key", 400, credential, false, true, false, Means::key},
        {"400, and words that a client may be quoted with", 400, request, true, true, false,
         Means::nothing},
        {"400, the same without a key of ours", 400, credential, false, false, false,
         Means::nothing},
        {"402", 402, unknown, false, true, false, Means::money},
        {"402, without a key of ours", 402, unknown, false, false, false, Means::money},
        {"402, a later entry", 402, unknown, false, true, true, Means::money},
        {"403, the key", 403, request, true, true, false, Means::key},
        {"403, the key by its code", 403, credential, false, true, false, Means::key},
        {"403, a key that is not ours", 403, request, true, false, false, Means::failure},
        {"403, money", 403, account, false, true, false, Means::money},
        {"403 otherwise", 403, request, false, true, false, Means::failure},
        {"403 without a word", 403, unknown, false, false, true, Means::failure},
        {"404, our model", 404, model, false, true, false, Means::model},
        {"404, our model, without a key", 404, model, false, false, false, Means::model},
        {"404, our model, a later entry", 404, model, false, true, true, Means::failure},
        {"404, something else", 404, request, false, true, false, Means::nothing},
        {"404, words about keys", 404, request, true, true, false, Means::nothing},
        {"408", 408, unknown, false, true, false, Means::failure},
        {"422, words about keys", 422, credential, true, true, false, Means::nothing},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        Answer given = answer(row.status);
        given.error = {true, row.kind, std::nullopt, false, row.speaks_of_key};
        given.has_our_key = row.has_our_key;
        given.is_later = row.is_later;
        const Verdict verdict = judge_answer(given, rules(60s));
        const Effect effects[] = {Effect::none, Effect::put_out_credential,
                                  Effect::suspend_credential, Effect::put_out_entry,
                                  Effect::count_failure};
        EXPECT_EQ(verdict.effect, effects[static_cast<std::size_t>(row.means)]);
        EXPECT_EQ(verdict.try_next, row.means != Means::nothing);
        EXPECT_EQ(verdict.is_withheld, row.means == Means::key);
        EXPECT_EQ(verdict.costs_budget, row.means == Means::failure);
        EXPECT_EQ(verdict.bounds_itself(),
                  row.means != Means::nothing && row.means != Means::failure);
        EXPECT_EQ(verdict.reason == SuspendReason::credential_refused, row.means == Means::key);
        EXPECT_EQ(verdict.reason == SuspendReason::account_exhausted, row.means == Means::money);
        EXPECT_EQ(verdict.reason == SuspendReason::model_unknown, row.means == Means::model);
        EXPECT_FALSE(verdict.is_inconclusive);
    }
}

TEST(Verdict, AListedRefusalIsARefusal) {
    Answer listed = refusal(llm::ErrorKind::account);
    listed.is_listed = true;
    const Verdict verdict = judge_answer(listed, rules(60s));
    EXPECT_EQ(verdict.effect, Effect::suspend_credential);
    EXPECT_FALSE(verdict.costs_budget);
}

TEST(Verdict, FailuresIgnoreTheBodyAndTheCounters) {
    for (const llm::ErrorKind kind :
         {llm::ErrorKind::rate, llm::ErrorKind::daily, llm::ErrorKind::account,
          llm::ErrorKind::overloaded, llm::ErrorKind::request, llm::ErrorKind::credential,
          llm::ErrorKind::model}) {
        Answer failed = answer(500, used_up(30s));
        failed.error = {true, kind, 20s};
        const Verdict verdict = judge_answer(failed, rules(60s));
        EXPECT_EQ(verdict.effect, Effect::count_failure) << static_cast<int>(kind);
        EXPECT_EQ(verdict.failure, Failure::server_error) << static_cast<int>(kind);
        EXPECT_EQ(verdict.reason, SuspendReason::none) << static_cast<int>(kind);
    }
}

TEST(Verdict, ErrorEventsAtTheHeadOfAStream) {
    struct Row {
        const char* name;
        llm::ErrorKind kind;
        Effect effect;
        SuspendReason reason;
        Failure failure;
        bool try_next, costs_budget;
    };
    using enum Effect;
    const auto nothing = SuspendReason::none;
    const Row rows[] = {
        {"too fast", llm::ErrorKind::rate, suspend_entry, SuspendReason::rate_limited,
         Failure::none, true, false},
        {"a day's", llm::ErrorKind::daily, suspend_entry, SuspendReason::daily_exhausted,
         Failure::none, true, false},
        {"no money", llm::ErrorKind::account, suspend_credential, SuspendReason::account_exhausted,
         Failure::none, true, false},
        {"overloaded", llm::ErrorKind::overloaded, count_failure, nothing, Failure::overloaded,
         true, true},
        {"failed", llm::ErrorKind::server, count_failure, nothing, Failure::server_error, true,
         true},
        {"unknown", llm::ErrorKind::unknown, count_failure, nothing, Failure::server_error, true,
         true},
        {"the client's own doing", llm::ErrorKind::request, Effect::none, nothing, Failure::none,
         false, false},
        {"our key", llm::ErrorKind::credential, Effect::put_out_credential,
         SuspendReason::credential_refused, Failure::credential_refused, true, false},
        {"our model", llm::ErrorKind::model, Effect::put_out_entry, SuspendReason::model_unknown,
         Failure::model_unknown, true, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        for (const std::uint16_t status : {std::uint16_t{200}, std::uint16_t{201}}) {
            Answer given = event(row.kind);
            given.status = status;
            given.has_our_key = true;
            const Verdict verdict = judge_answer(given, rules(60s));
            EXPECT_EQ(verdict.effect, row.effect);
            EXPECT_EQ(verdict.reason, row.reason);
            EXPECT_EQ(verdict.failure, row.failure);
            EXPECT_EQ(verdict.try_next, row.try_next);
            EXPECT_EQ(verdict.costs_budget, row.costs_budget);
        }
    }
}

TEST(Verdict, AnErrorThatIsNoEventSaysNothingOnASuccess) {
    Answer served = answer(200);
    served.error = {true, llm::ErrorKind::account, 20s};
    const Verdict verdict = judge_answer(served, rules(60s));
    EXPECT_EQ(verdict.effect, Effect::none);
    EXPECT_FALSE(verdict.try_next);
}

TEST(Verdict, FailuresWithoutAnAnswer) {
    struct Row {
        const char* name;
        FaultKind kind;
        Failure failure;
        bool costs_budget;
    };
    using enum FaultKind;
    const Row rows[] = {
        {"no connection", upstream_connect_failed, Failure::connect, false},
        {"no address", upstream_dns_failed, Failure::dns, false},
        {"no TLS", upstream_tls_failed, Failure::tls, false},
        {"no answer in time", upstream_timeout, Failure::timeout, true},
        {"an answer that is none", upstream_protocol_error, Failure::protocol, true},
        {"broken off", upstream_stream_interrupted, Failure::interrupted, true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        for (const Retry retry : {Retry::next_entry, Retry::never, Retry::reused_only}) {
            const Verdict verdict = judge_failure(Fault::upstream(row.kind, "", retry));
            EXPECT_EQ(verdict.effect, Effect::count_failure);
            EXPECT_EQ(verdict.failure, row.failure);
            EXPECT_EQ(verdict.try_next, retry == Retry::next_entry);
            EXPECT_EQ(verdict.costs_budget, row.costs_budget);
            EXPECT_EQ(verdict.silent, row.failure == Failure::timeout);
            EXPECT_FALSE(judge_failure(Fault::upstream(row.kind, "", retry), false).costs_budget)
                << "it was not even asked";
            EXPECT_EQ(verdict.duration, 0s);
            EXPECT_EQ(verdict.reason, SuspendReason::none);
        }
    }
}

TEST(Verdict, NobodysFaultBlamesNobody) {
    struct Row {
        const char* name;
        Fault fault;
        bool try_next;
    };
    using enum FaultKind;
    Fault shed = Fault::internal(overloaded);
    shed.retry = Retry::next_entry;
    Fault slow = Fault::internal(upstream_timeout);
    const Row rows[] = {
        {"the client went", Fault::client(client_gone), false},
        {"the client sent nonsense", Fault::client(bad_request), false},
        {"our own", Fault::internal(overloaded), false},
        {"our own, for this Backend alone", shed, true},
        {"the request's time is over", slow, false},
        {"we drain", Fault::internal(draining), false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Verdict verdict = judge_failure(row.fault);
        EXPECT_EQ(verdict.try_next, row.try_next);
        EXPECT_EQ(verdict.effect, Effect::none);
        EXPECT_EQ(verdict.failure, Failure::none);
        EXPECT_FALSE(verdict.costs_budget);
    }
}

TEST(Failure, EachHasAName) {
    const std::string names[] = {"none",       "connect",   "dns",           "tls",
                                 "timeout",    "protocol",  "interrupted",   "server_error",
                                 "overloaded", "forbidden", "model_unknown", "credential_refused"};
    ASSERT_EQ(std::size(names), kFailures);
    for (std::size_t i = 0; i < kFailures; ++i) {
        EXPECT_EQ(to_string(static_cast<Failure>(i)), names[i]);
    }
}

}  // namespace
}  // namespace rotary::rotation
