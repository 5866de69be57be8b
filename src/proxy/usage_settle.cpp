#include "proxy/usage_settle.hpp"

#include "proxy/limits.hpp"

#include <rotary/llm/request_facts.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>

namespace rotary::proxy {

namespace {

using llm::Usage;
using llm::UsageSource;

// Whose answers are text: of others that tell nothing, such as embeddings, there is no output.
constexpr std::string_view kTextEndings[] = {"completions",     "messages", "responses", "converse",
                                             "generateContent", "chat",     "generate"};

bool answers_in_text(const Exchange& exchange) noexcept {
    const std::string_view path = exchange.request.path;
    return std::any_of(std::begin(kTextEndings), std::end(kTextEndings),
                       [path](std::string_view ending) { return path.ends_with(ending); });
}

// Whether what it used matters although no provider tells: it is a request for a model.
bool is_estimated(const Exchange& exchange) noexcept {
    return exchange.entry() != nullptr ||
           (exchange.match.route->counts_tokens && exchange.request.has_body);
}

// Bytes a token of the model at hand; 0: not known.
std::uint32_t learnt(const Exchange& exchange) noexcept {
    const Choice& choice = exchange.tries.choice;
    if (exchange.entry() == nullptr) return 0;
    return exchange.match.wiring->entries[choice.list][choice.entry].learnt->ratio();
}

std::uint64_t likely_input(const Exchange& exchange) noexcept {
    if (exchange.content.body_kind != llm::BodyKind::json || exchange.request.is_encoded) return 0;
    const llm::RequestFacts facts = exchange.content.facts
                                        ? *exchange.content.facts
                                        : llm::measure_request(exchange.request.body);
    return llm::likely_input(facts, exchange.snapshot().config.usage, learnt(exchange));
}

// From what was told of a request of text that was measured.
void learn(const Exchange& exchange, const Usage& usage) noexcept {
    const std::optional<llm::RequestFacts>& facts = exchange.content.facts;
    if (!facts || exchange.entry() == nullptr || usage.source != UsageSource::told) return;
    if (usage.web_searches != 0 || usage.audio_in != 0 || usage.image_in != 0) return;
    const Choice& choice = exchange.tries.choice;
    const Wiring& wiring = *exchange.match.wiring;
    const std::uint64_t bytes = facts->text_bytes + facts->tool_bytes;
    const std::uint64_t tokens = llm::text_tokens(*facts, usage.input);
    wiring.entries[choice.list][choice.entry].learnt->learn(bytes, tokens);
    wiring.learnt[choice.list]->learn(bytes, tokens);
}

// Paths that the configuration names and no answer has are a mistake there, and told once.
void watch_paths(Context& context, const Exchange& exchange, const llm::UsageCounts& counts) {
    PathWatch* const watch =
        exchange.match.wiring->routes[exchange.match.rule->route].usage_paths.get();
    if (watch == nullptr || watch->seen.load(std::memory_order_relaxed) >= PathWatch::kAnswers)
        return;
    std::uint32_t met = 0;
    for (std::size_t i = 0; i < llm::kNamedCounts.size(); ++i) {
        if (counts.has(llm::kNamedCounts[i])) met |= 1U << i;
    }
    met |= watch->met.fetch_or(met);
    if (watch->seen.fetch_add(1) + 1 != PathWatch::kAnswers) return;
    const std::uint32_t missing = watch->named & ~met;
    if (missing == 0) return;
    context.metrics.add(exchange.match.wiring->process.usage_paths_unmatched,
                        static_cast<std::uint64_t>(std::popcount(missing)));
    context.log.warn("no answer has what rateLimitFields name",
                     {{"api", exchange.match.route->api},
                      {"fields", static_cast<std::int64_t>(std::popcount(missing))}});
}

std::uint64_t likely_output(const Exchange& exchange, const UsageStage& stage) noexcept {
    std::uint64_t bytes = 0;
    if (stage.body() == UsageStage::Body::events || stage.body() == UsageStage::Body::frames) {
        bytes = stage.text_bytes();
    } else if (stage.body() == UsageStage::Body::json && answers_in_text(exchange)) {
        bytes = stage.payload_bytes();
    }
    return llm::likely_output(bytes, exchange.snapshot().config.usage, learnt(exchange));
}

// What the answer left open.
void estimate_rest(const Exchange& exchange, const UsageStage& stage, Usage& usage,
                   bool is_output_open) {
    if (usage.source == UsageSource::none) {
        usage.input = likely_input(exchange);
        usage.output = likely_output(exchange, stage);
        usage.source = UsageSource::estimated;
    } else if (is_output_open) {
        usage.output = std::max(usage.output, likely_output(exchange, stage));
        usage.source = UsageSource::partial;
    }
}

void count(Context& context, const Exchange& exchange, const Usage& usage) {
    const Choice& choice = exchange.tries.choice;
    const Wiring& wiring = *exchange.match.wiring;
    const TokenSeries& series = exchange.entry() != nullptr
                                    ? wiring.entries[choice.list][choice.entry].tokens
                                    : wiring.upstreams[choice.backend].tokens;
    const std::array<std::uint64_t, kTokenTypes> counts{
        usage.input, usage.output, usage.cached_read, usage.cache_write + usage.cache_write_long,
        usage.reasoning};
    for (std::size_t i = 0; i < kTokenTypes; ++i) {
        if (counts[i] != 0) context.metrics.add(series[i], counts[i]);
    }
}

}  // namespace

void settle_usage(Context& context, Exchange& exchange, UsageStage& stage, bool is_whole) {
    std::uint64_t invalid = 0;
    const llm::UsageCounts& counts = stage.read(invalid);
    Usage usage = llm::usage_of(counts);
    usage.service = stage.service();
    if (!stage.model().empty()) exchange.keep_response_model(stage.model());
    const bool is_success = exchange.outcome.status >= 200 && exchange.outcome.status < 300;
    const bool is_output_open = stage.told_at_start_only() || (!is_whole && !counts.has_output());
    if (is_success && is_estimated(exchange)) {
        estimate_rest(exchange, stage, usage, is_output_open);
        learn(exchange, usage);
    }
    if (is_success && is_whole) watch_paths(context, exchange, counts);
    if (invalid != 0) {
        context.metrics.add(exchange.match.wiring->process.usage_invalid, invalid);
    }
    count(context, exchange, usage);
    exchange.outcome.usage = usage;
}

void settle_unanswered(Context& context, Exchange& exchange, const Fault& fault, bool asked) {
    const bool may_have_worked =
        fault.kind == FaultKind::upstream_timeout || fault.kind == FaultKind::client_gone;
    if (!asked || !may_have_worked || !is_estimated(exchange)) return;
    Usage usage;
    usage.input = likely_input(exchange);
    usage.source = UsageSource::estimated;
    count(context, exchange, usage);
    settle_silent_try(context, exchange, usage.input);
    if (fault.kind == FaultKind::client_gone) {
        exchange.outcome.usage = usage;
    } else if (exchange.snapshot().config.usage.charges_failed) {
        exchange.quotas.failed.push_back({exchange.tries.choice, usage, std::nullopt});
    }
}

}  // namespace rotary::proxy
