#include "fleet/redis_state.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace rotary::fleet {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

// Between two looks at a slow server, and at what is silent.
constexpr auto kTick = 250ms;

}  // namespace

std::string shown(const config::HostPort& place) {
    const bool is_v6 = place.host.find(':') != place.host.npos;
    return (is_v6 ? "[" + place.host + "]" : place.host) + ":" + std::to_string(place.port);
}

Redis::State::State(boost::asio::io_context& on, net::Resolver& by, Logger& to)
    : context_(on),
      resolver_(by),
      log_(to),
      random_(std::random_device{}()),
      deadlines_(on),
      ticks_(on),
      retries_(on) {}

void Redis::State::configure(RedisOptions wanted) {
    const bool is_same = !is_stopped_ && config::connects_alike(options_.redis, wanted.redis);
    if (is_same) {
        options_ = std::move(wanted);
        return;
    }
    std::shared_ptr<const net::TlsContext> tls;
    if (wanted.redis.tls) tls = net::TlsContext::client({wanted.redis.ca_pem});
    leave();
    set_link(Link::away);
    options_ = std::move(wanted);
    tls_ = std::move(tls);
    moved_.reset();
    next_sentinel_ = 0;
    backoff_.reset();
    why_away.clear();
    is_away_told_ = false;
    is_stopped_ = false;
    retry(0ms);
}

void Redis::State::stop() noexcept {
    is_stopped_ = true;
    listeners.clear();
    sentinel_.reset();
    asking_.reset();
    hearing_.reset();
    try {
        questions_.abandon();
        deadlines_.cancel();
        ticks_.cancel();
        retries_.cancel();
    } catch (...) {
        // What still fires finds nothing of this.
    }
}

void Redis::State::dial() {
    const config::Redis& redis = options_.redis;
    came_by_move_ = moved_.has_value();
    if (moved_) {
        dial_both(*std::exchange(moved_, std::nullopt));
    } else if (redis.sentinels.empty()) {
        dial_both(redis.place);
    } else {
        place = redis.sentinels[next_sentinel_ % redis.sentinels.size()];
        dial(sentinel_, place, steps_to_sentinel(redis));
    }
}

void Redis::State::dial(std::unique_ptr<RedisConnection>& connection, const config::HostPort& to,
                        std::vector<LoginStep> steps) {
    connection = std::make_unique<RedisConnection>(context_, resolver_, *this);
    RedisDial dial;
    dial.place = to;
    dial.certified_name = options_.redis.place.host;
    dial.tls = tls_;
    dial.steps = std::move(steps);
    dial.connect = options_.connect;
    dial.login = options_.login;
    dial.silence = options_.silence;
    connection->dial(std::move(dial));
}

void Redis::State::dial_both(const config::HostPort& to) {
    place = to;
    dial(hearing_, to, steps_to_hear(options_.redis, options_.replica));
    dial(asking_, to, steps_to_ask(options_.redis, options_.replica));
}

void Redis::State::on_up(RedisConnection& connection, const Reply& last) {
    if (&connection == sentinel_.get()) {
        asked_sentinel(last);
    } else if (asking_->is_up() && hearing_->is_up()) {
        become_ready();
    }
}

void Redis::State::asked_sentinel(const Reply& reply) {
    const auto master = master_of(reply);
    sentinel_->close();
    if (master) {
        dial_both(*master);
    } else {
        ++next_sentinel_;
        end_session("the sentinel knows no master " + options_.redis.master_name, Refusal::none);
    }
}

void Redis::State::become_ready() {
    ++counts.connects;
    is_refusal_told_ = false;
    is_away_told_ = false;
    since_ = heard_ = pinged_ = std::chrono::steady_clock::now();
    why_away.clear();
    log_.info("Redis is connected: limits and suspensions are shared",
              {{"redis", shown(place)}, {"tls", options_.redis.tls}});
    tick();
    set_link(Link::ready);
}

void Redis::State::on_reply(RedisConnection& connection, Reply reply) {
    if (&connection == hearing_.get()) {
        heard_ = std::chrono::steady_clock::now();
        const bool is_message = reply.elements.size() == 3 && reply.elements[0].text == "message";
        if (!is_message || link == Link::away) return;
        tell([&](Listener& listener) { listener.on_message(reply.elements[2].text); });
        return;
    }
    std::optional<Question> question = questions_.take(std::chrono::steady_clock::now());
    if (question) {
        answer(std::move(*question), std::move(reply));
    } else {
        end_session("an answer to nothing", Refusal::none);
    }
}

void Redis::State::answer(Question question, Reply reply) {
    if (!question.answered) return;  // late
    if (reply.is_error("NOSCRIPT") && !question.words.empty() && asking_->is_up()) {
        // Whole, by EVAL: proxies refuse SCRIPT LOAD, and this is as good.
        ++counts.scripts;
        question.words[0] = "EVAL";
        question.words[1] = question.script;
        asking_->send(std::exchange(question.words, {}));
        questions_.add(std::move(question));
        return;
    }
    if (reply.kind != Reply::Kind::error) {
        question.answered(reply);
        return;
    }
    ++counts.refused;
    const Reply refused = std::exchange(reply, {});
    const bool goes_on = goes_on_behind(refused);
    // Of the server's state it is no answer; a mistake in the question is one.
    question.answered(refusal_of(refused) == Refusal::none ? refused : reply);
    if (!goes_on) end_session(refused.text, refusal_of(refused));
}

bool Redis::State::goes_on_behind(const Reply& refused) {
    switch (refusal_of(refused)) {
        case Refusal::moved:
            moved_ = moved_to(refused.text, place.host);
            return false;
        case Refusal::read_only:
        case Refusal::password:
            return false;
        default:
            tell_refused(refused);
            return true;
    }
}

void Redis::State::tell_refused(const Reply& refused) {
    if (std::exchange(is_refusal_told_, true)) return;
    log_.warn("Redis refuses what it is asked", {{"redis", shown(place)},
                                                 {"error", refused.text},
                                                 {"remedy", remedy_of(refusal_of(refused))}});
}

void Redis::State::on_end(RedisConnection& connection, const std::string& why,
                          const Reply& refused) {
    if (&connection == sentinel_.get()) {
        ++next_sentinel_;
        end_session("sentinel: " + why, Refusal::none);
    } else {
        end_session(why, refusal_of(refused));
    }
}

void Redis::State::end_session(const std::string& why, Refusal refusal) {
    ++counts.failures;
    leave();
    const bool is_lasting = std::chrono::steady_clock::now() - since_ >= options_.retry;
    if (link != Link::away && is_lasting) backoff_.reset();
    // Not again at each try, unless there is another thing to be done about it.
    if (!is_away_told_ || refusal != told_refusal_) {
        log_.warn("Redis is away: limits go on in parts, suspensions are this replica's own",
                  {{"redis", shown(place)}, {"error", why}, {"remedy", remedy_of(refusal)}});
    }
    is_away_told_ = true;
    told_refusal_ = refusal;
    why_away = why;
    // Where the keys are is known: it goes there at once, but not from there on again at once.
    const bool at_once = moved_ && !came_by_move_;
    retry(at_once ? 0ms : backoff_.next(static_cast<std::uint32_t>(random_()), options_.retry));
    set_link(Link::away);
}

void Redis::State::leave() {
    for (auto* const connection : {&sentinel_, &asking_, &hearing_}) {
        if (*connection) (*connection)->close();
    }
    ticks_.cancel();
    retries_.cancel();
    answer_none(questions_.abandon());
}

void Redis::State::retry(std::chrono::milliseconds wait) {
    retries_.expires_after(wait);
    retries_.async_wait([self = weak_from_this()](error_code error) {
        const auto state = self.lock();
        if (!error && state && !state->is_stopped_) state->dial();
    });
}

void Redis::State::set_link(Link next) {
    const Link before = std::exchange(link, next);
    if ((before == Link::ready) == (next == Link::ready)) return;
    tell([&](Listener& listener) {
        next == Link::ready ? listener.on_ready() : listener.on_lost();
    });
}

// One that is told may take itself or others away.
void Redis::State::tell(const std::function<void(Listener&)>& what) {
    const std::vector<Listener*> told = listeners;
    for (Listener* const listener : told) {
        const auto still = std::find(listeners.begin(), listeners.end(), listener);
        if (still != listeners.end()) what(*listener);
    }
}

void Redis::State::ask(const std::vector<std::string>& command, Question question) {
    if (link != Link::ready) {
        std::vector<Answered> left;
        left.push_back(std::move(question.answered));
        answer_none(std::move(left));
        return;
    }
    ++counts.questions;
    question.deadline = std::chrono::steady_clock::now() + options_.redis.deadline;
    asking_->send(command);
    questions_.add(std::move(question));
    if (!watches_deadlines_) watch_deadlines();
}

void Redis::State::answer_none(std::vector<Answered> left) {
    if (left.empty()) return;
    boost::asio::post(context_, [self = weak_from_this(), left = std::move(left)] {
        for (const Answered& answered : left) {
            if (!self.expired()) answered(Reply{});
        }
    });
}

// One timer for all: it is set when there is none, for the first that would be late, and never
// moved by an answer.
void Redis::State::watch_deadlines() {
    const auto next = questions_.next_deadline();
    watches_deadlines_ = next.has_value();
    if (!next) return;
    deadlines_.expires_at(*next);
    deadlines_.async_wait([self = weak_from_this()](error_code error) {
        const auto state = self.lock();
        if (!error && state && !state->is_stopped_) state->expire();
    });
}

void Redis::State::expire() {
    const std::vector<Answered> late = questions_.expire(std::chrono::steady_clock::now());
    counts.late += late.size();
    watch_deadlines();
    if (questions_.is_slow() && link == Link::ready) {
        log_.warn("Redis is slow: until its late answers have come it is as if it were away",
                  {{"redis", shown(place)}});
        set_link(Link::slow);
    }
    for (const Answered& answered : late) answered(Reply{});
}

void Redis::State::tick() {
    ticks_.expires_after(kTick);
    ticks_.async_wait([self = weak_from_this()](error_code error) {
        const auto state = self.lock();
        if (error || !state || state->is_stopped_ || state->link == Link::away) return;
        state->tick();
        state->look_after(std::chrono::steady_clock::now());
    });
}

void Redis::State::look_after(SteadyTime now) {
    if (questions_.owes(now, options_.silence)) {
        end_session("silent to a question", Refusal::none);
    } else if (pinged_ > heard_ && now - heard_ >= options_.silence) {
        end_session("silent where it publishes", Refusal::none);
    } else {
        // Half way to what would be silence.
        if (now - pinged_ >= options_.silence / 2 - kTick) {
            pinged_ = now;
            hearing_->send({"PING"});
        }
        if (link == Link::slow && questions_.recover()) {
            log_.info("Redis answers in time again: limits and suspensions are shared",
                      {{"redis", shown(place)}});
            set_link(Link::ready);
        }
    }
}

}  // namespace rotary::fleet
