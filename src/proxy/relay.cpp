#include "proxy/relay.hpp"

#include "proxy/answer_head.hpp"
#include "proxy/charge.hpp"
#include "proxy/deliver.hpp"
#include "proxy/event_gate.hpp"
#include "proxy/usage_settle.hpp"
#include "proxy/usage_stage.hpp"

#include <rotary/wire/problem.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace rotary::proxy {

namespace {

// So long at least must a client hold its provider back to have a part in what becomes of it.
constexpr std::chrono::seconds kLongHeldBack{1};

// What passes between the two ends of one relay.
class Relay {
public:
    Relay(Context& context, downstream::Client& client, Exchange& exchange,
          upstream::Provider& provider)
        : context_(context),
          client_(client),
          exchange_(exchange),
          provider_(provider),
          is_event_stream_(is_event_stream(provider)),
          events_(exchange.events),
          gate_(events_, context.buffers),
          usage_(events_, usage_body(context.scratch.response.headers, is_event_stream_),
                 exchange.tries.asks_usage),
          stages_{is_event_stream_ ? &gate_ : nullptr, &usage_} {
        events_.begin(exchange.limits().sse_line_bytes);
        begin_usage();
    }

    ~Relay() { events_.listen(nullptr); }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    Task<Result<void>> run();
    UsageStage& usage() noexcept { return usage_; }

private:
    void begin_usage() noexcept;
    Result<void> take();  // fills pieces_ with what can be sent
    void note_sent();
    SteadyTime ping_due() const;
    Fault broken_off() const;
    Fault too_late() const;
    bool has_lost_key();
    Task<Result<void>> read_more();
    Task<Result<void>> put_in(std::string_view text);
    Task<Result<void>> interrupted(Fault fault);

    Context& context_;
    downstream::Client& client_;
    Exchange& exchange_;
    upstream::Provider& provider_;
    const bool is_event_stream_;
    std::shared_ptr<const Wiring> judged_;  // by which the caller's key was judged again
    wire::Pieces pieces_;
    std::uint64_t payload_ = 0;  // of the whole answer so far
    SteadyTime last_sent_;
    // How long the client has kept the provider waiting, since that was waited for itself.
    std::chrono::nanoseconds held_back_{0};
    wire::SseScanner& events_;
    EventGate gate_;
    UsageStage usage_;
    const std::array<Stage*, 2> stages_;  // that the answer goes through; null: none here
};

void Relay::begin_usage() noexcept {
    const llm::UsagePlaces& places = exchange_.match.route->usage_places;
    const wire::HeaderTable& headers = context_.scratch.response.headers;
    const bool needs_model = needs_response_model(exchange_);
    usage_.begin(places, headers, needs_model);
    if (!needs_model || places.model_header.empty()) return;
    const wire::Header* model = headers.find(places.model_header);
    exchange_.keep_response_model(model == nullptr ? std::string_view{} : model->value);
}

Result<void> Relay::take() {
    pieces_.clear();
    if (const auto taken = provider_.take(pieces_); !taken) {
        return Fault::upstream(FaultKind::upstream_stream_interrupted, taken.error().detail);
    }
    payload_ += pieces_.payload_bytes();
    if (!is_event_stream_ && payload_ > exchange_.limits().upstream_body_bytes) {
        return Fault::internal(FaultKind::upstream_stream_interrupted,
                               "The provider's answer is larger than limits.upstream_body_bytes.");
    }
    const bool is_last = provider_.took_all();
    for (Stage* stage : stages_) {
        if (stage != nullptr) stage->pass(pieces_, is_last);
    }
    if (is_event_stream_ && is_last && exchange_.outcome.is_unproven && events_.events() == 0) {
        return Fault::upstream(FaultKind::upstream_stream_interrupted,
                               "The provider's stream holds no event.");
    }
    return {};
}

// The time for another comment, when nothing was sent for so long.
SteadyTime Relay::ping_due() const {
    const auto interval = exchange_.routing().stream_ping_seconds;
    if (interval.count() == 0 || !is_event_stream_ || !gate_.at_boundary())
        return SteadyTime::max();
    return last_sent_ + interval;
}

// Whether a reload has taken away the key that let the request in, and keys.revoke_streams says
// that this ends it. Looked at once a configuration.
bool Relay::has_lost_key() {
    const std::shared_ptr<const Wiring>& now = context_.wiring;
    if (now == exchange_.match.wiring || now == judged_ || !is_event_stream_) return false;
    judged_ = now;
    if (!now->snapshot->config.keys.revoke_streams || exchange_.match.key_owner == nullptr) {
        return false;
    }
    return now->snapshot->keys.find(exchange_.match.key_digest, wall_now()).defect !=
           auth::KeyDefect::none;
}

Task<Result<void>> Relay::read_more() {
    // The provider's silence is not shortened by what we send meanwhile.
    const SteadyTime patience =
        std::min(exchange_.outcome.deadline, context_.reactor.now() + exchange_.event_gap());
    for (;;) {
        if (has_lost_key()) {
            co_return Fault::client(FaultKind::invalid_token, "The key is not accepted any more.");
        }
        const auto received = provider_.receive(exchange_.limits().relay_buffer_bytes);
        if (!received) co_return broken_off();
        if (*received) co_return Result<void>{};
        // Nothing to hold while the provider thinks: a thousand waiting streams need no buffers.
        provider_.rest();
        net::WaitFor what = wait_until(std::min(patience, ping_due()), client_, exchange_);
        provider_.watch(what);
        const std::chrono::nanoseconds waited = exchange_.outcome.waited;
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake == net::Wake::peer_gone) co_return Fault::client(FaultKind::client_gone);
        if (wake == net::Wake::timed_out && context_.reactor.now() < patience) {
            const auto sent = co_await put_in(": ping\n\n");
            if (!sent) co_return sent.error();
        } else if (wake == net::Wake::cancelled) {
            co_return Fault::internal(FaultKind::upstream_stream_interrupted,
                                      "The gateway is shutting down.");
        } else if (wake != net::Wake::ready) {
            co_return too_late();
        } else if (exchange_.outcome.waited != waited) {  // and not only for the relay's next turn
            held_back_ = {};
        }
    }
}

// A provider that was kept waiting for long may have had enough of it: the client's doing.
Fault Relay::broken_off() const {
    constexpr const char* kDetail =
        "The provider closed the connection in the middle of its answer.";
    if (held_back_ >= kLongHeldBack) {
        return Fault::internal(FaultKind::upstream_stream_interrupted, kDetail);
    }
    return Fault::upstream(FaultKind::upstream_stream_interrupted, kDetail);
}

Fault Relay::too_late() const {
    if (context_.reactor.now() >= exchange_.outcome.deadline) {
        return Fault::internal(FaultKind::upstream_stream_interrupted,
                               "The request's time is over.");
    }
    return Fault::upstream(FaultKind::upstream_stream_interrupted,
                           "The provider fell silent in the middle of its answer.");
}

// Something of our own between two events.
Task<Result<void>> Relay::put_in(std::string_view text) {
    wire::Pieces pieces;
    pieces.add(text);
    last_sent_ = context_.reactor.now();
    const auto delivered = co_await deliver(client_, pieces, false);
    co_return delivered;
}

// The provider died, or our time is over. What came is flushed already, and its end never looks
// like that of a whole answer; a client that reads events is told in its own language. Behind
// [DONE] nothing is missing.
Task<Result<void>> Relay::interrupted(Fault fault) {
    const bool can_tell = is_event_stream_ && gate_.at_boundary();
    if (can_tell && events_.done()) {
        wire::Pieces nothing;
        const auto ended = co_await deliver(client_, nothing, true);
        co_return ended;
    }
    if (can_tell) {
        std::array<char, 512> event;
        constexpr std::string_view kStart = "data: ";
        std::copy(kStart.begin(), kStart.end(), event.begin());
        std::size_t size = kStart.size();
        size += wire::write_problem(wire::problem_of(fault.kind), fault.detail, event.data() + size,
                                    event.size() - size - 2);
        event[size++] = '\n';
        event[size++] = '\n';
        const std::string_view text(event.data(), size);
        const auto told = co_await put_in(text);
        if (!told) co_return told.error();
    }
    fault.retry = Retry::never;
    co_return fault;
}

// The pieces have gone.
void Relay::note_sent() {
    if (!is_event_stream_ || exchange_.outcome.overhead) return;
    // It has begun: from here on it takes the time that the provider needs.
    exchange_.outcome.overhead = exchange_.own_time(context_.reactor.exact_now());
    exchange_.outcome.deadline = SteadyTime::max();
}

Task<Result<void>> Relay::run() {
    for (;;) {
        const auto took = take();
        if (!took && !exchange_.outcome.answer_started) {
            co_return Fault::upstream(FaultKind::upstream_protocol_error, took.error().detail,
                                      Retry::never);
        }
        exchange_.outcome.answer_started = true;
        if (!took) {
            const auto cut = co_await interrupted(took.error());
            co_return cut;
        }
        const bool is_complete = provider_.took_all();
        last_sent_ = context_.reactor.now();
        const auto written = client_.write(pieces_, is_complete);
        if (!written) co_return written.error();
        if (!*written) {
            const std::chrono::nanoseconds waited = exchange_.outcome.waited;
            const auto finished = co_await client_.finish_write(pieces_);
            if (!finished) co_return finished.error();
            held_back_ += exchange_.outcome.waited - waited;
        }
        note_sent();
        for (Stage* stage : stages_) {
            if (stage != nullptr) stage->sent();
        }
        if (provider_.drop_taken() && !is_complete) continue;
        if (is_complete) break;
        const auto read = co_await read_more();
        if (!read) {
            if (read.error().kind == FaultKind::client_gone) co_return read.error();
            const auto cut = co_await interrupted(read.error());
            co_return cut;
        }
    }
    co_return Result<void>{};
}

}  // namespace

Task<Result<void>> relay(Context& context, downstream::Client& client, Exchange& exchange,
                         upstream::Provider& provider) {
    exchange.outcome.status = provider.answer().status;
    if (!write_answer_head(context, client, exchange, provider)) {
        co_return Fault::upstream(FaultKind::upstream_protocol_error,
                                  "The head of the provider's answer is too large.", Retry::never);
    }
    Relay relay(context, client, exchange, provider);
    const auto result = co_await relay.run();
    settle_usage(context, exchange, relay.usage(), result.has_value());
    if (result) {
        provider.release();
    } else {
        provider.abandon();
    }
    co_return result;
}

}  // namespace rotary::proxy
