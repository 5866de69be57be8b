#include <rotary/fleet/redis.hpp>

#include <utility>

#include "fleet/redis_state.hpp"

namespace rotary::fleet {

RedisOptions redis_options(const config::Config& config, std::string replica) {
    const config::Timeouts& timeouts = config.timeouts;
    return {*config.state.redis,  std::move(replica),     timeouts.redis_connect,
            timeouts.redis_login, timeouts.redis_silence, timeouts.redis_retry};
}

Redis::Redis(boost::asio::io_context& context, net::Resolver& resolver, Logger& log)
    : state_(std::make_shared<State>(context, resolver, log)) {}

Redis::~Redis() { state_->stop(); }

void Redis::configure(RedisOptions options) { state_->configure(std::move(options)); }

void Redis::listen(Listener& listener) { state_->listeners.push_back(&listener); }

void Redis::unlisten(Listener& listener) noexcept { std::erase(state_->listeners, &listener); }

bool Redis::is_ready() const noexcept { return state_->link == Link::ready; }

void Redis::ask(std::vector<std::string> command, Answered answered) {
    Question question;
    question.answered = std::move(answered);
    state_->ask(command, std::move(question));
}

void Redis::run(const Script& script, std::vector<std::string> keys,
                std::vector<std::string> arguments, Answered answered) {
    Question question;
    question.script = script.text();
    question.answered = std::move(answered);
    std::vector<std::string>& words = question.words;
    words.reserve(3 + keys.size() + arguments.size());
    words = {"EVALSHA", script.sha1(), std::to_string(keys.size())};
    for (std::string& key : keys) words.push_back(std::move(key));
    for (std::string& argument : arguments) words.push_back(std::move(argument));
    const std::vector<std::string> command = words;
    state_->ask(command, std::move(question));
}

Redis::Link Redis::link() const noexcept { return state_->link; }

const Redis::Counts& Redis::counts() const noexcept { return state_->counts; }

std::string Redis::place() const { return shown(state_->place); }

const std::string& Redis::error() const noexcept { return state_->why_away; }

std::string_view to_string(Redis::Link link) noexcept {
    switch (link) {
        case Redis::Link::ready:
            return "ready";
        case Redis::Link::slow:
            return "slow";
        case Redis::Link::away:
            break;
    }
    return "away";
}

}  // namespace rotary::fleet
