#include "proxy/usage_ask.hpp"

#include "proxy/hold.hpp"

#include <rotary/base/text.hpp>

namespace rotary::proxy {

namespace {

const Wiring::Upstream& upstream_of(const Exchange& exchange) noexcept {
    return exchange.match.wiring->upstreams[exchange.tries.choice.backend];
}

// Only OpenAI's chat and completions have to be asked, of those that copy them Mistral's has not.
bool is_to_be_asked(Context& context, const Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    if (text::istarts_with(route.provider, "mistral")) return false;
    const config::PathRewrite* rewrite = route.rewrite ? &*route.rewrite : nullptr;
    return exchange.match.rule->pattern.rewritten(exchange.request.path, rewrite, context.path)
        .ends_with("/completions");
}

bool wants_usage(const Exchange& exchange) noexcept {
    switch (exchange.snapshot().config.usage.streams) {
        case config::StreamUsage::ask:
            return true;
        case config::StreamUsage::automatic:
            return exchange.match.route->counts_tokens;
        case config::StreamUsage::observe:
            break;
    }
    return false;
}

}  // namespace

void plan_usage_ask(Context& context, Exchange& exchange) {
    Content& content = exchange.content;
    const bool is_json = content.body_kind == llm::BodyKind::json && content.scan.stream.found;
    if (!is_json || !content.wants_stream || !wants_usage(exchange)) return;
    if (is_to_be_asked(context, exchange)) {
        content.usage_ask = llm::ask_for_usage(exchange.request.body, content.scan);
    }
}

bool asks_usage(const Exchange& exchange) noexcept {
    return exchange.content.usage_ask &&
           !upstream_of(exchange).refuses_usage_ask->load(std::memory_order_relaxed);
}

bool may_refuse_usage_ask(const Exchange& exchange, const upstream::Provider& provider) noexcept {
    const std::uint16_t status = provider.answer().status;
    return exchange.tries.asks_usage && (status == 400 || status == 422);
}

Task<bool> refuses_usage_ask(Context& context, Exchange& exchange, upstream::Provider& provider) {
    co_await read_refusal(context, exchange, provider);
    if (!llm::names_stream_options(provider.payload_at_hand(context.path))) {
        provider.reread_head();
        co_return false;
    }
    if (!upstream_of(exchange).refuses_usage_ask->exchange(true, std::memory_order_relaxed)) {
        context.log.warn(
            "a Backend refuses stream_options.include_usage: its streams are estimated",
            {{"backend", exchange.backend()->name}, {"request_id", exchange.request_id()}});
    }
    provider.release();
    co_return true;
}

}  // namespace rotary::proxy
