#include "support/model_store.hpp"

#include <rotary/base/text.hpp>
#include <rotary/fleet/suspension_scripts.hpp>

#include <algorithm>
#include <utility>

namespace rotary::test {

namespace {

using fleet::Reply;
using Texts = ModelServer::Texts;

Reply text_reply(std::string text) {
    Reply reply;
    reply.kind = Reply::Kind::text;
    reply.text = std::move(text);
    return reply;
}

Reply number_reply(std::int64_t number) {
    Reply reply;
    reply.kind = Reply::Kind::integer;
    reply.integer = number;
    return reply;
}

Reply reply_of(Reply::Kind kind) {
    Reply reply;
    reply.kind = kind;
    return reply;
}

Reply texts_reply(const Texts& texts) {
    Reply reply = reply_of(Reply::Kind::array);
    for (const std::string& text : texts) reply.elements.push_back(text_reply(text));
    return reply;
}

std::chrono::milliseconds milliseconds(const std::string& text) {
    return std::chrono::milliseconds(std::stoll(text));
}

// As the Lua does it: with the change that is being made.
std::string next_number(ModelServer& server, const std::string& key) {
    auto& hash = server.hash(key);
    const auto known = hash.find("#");
    const auto number =
        known == hash.end() ? std::nullopt : rotary::text::parse_unsigned(known->second);
    if (!number) hash["@"] = std::to_string(server.clock().count());
    return hash["#"] = std::to_string(number.value_or(0) + 1);
}

void end_change(ModelServer& server, const Texts& keys, const std::string& longest) {
    server.expire(keys[0], milliseconds(longest) + std::chrono::milliseconds(100'000));
    server.text(keys[1]).reset();
}

Reply suspend(ModelServer& server, const Texts& keys, const Texts& arguments) {
    const auto ends = server.clock() + milliseconds(arguments[2]);
    auto& hash = server.hash(keys[0]);
    const auto known = hash.find(arguments[1]);
    if (known != hash.end()) {
        const auto told = rotary::text::parse_unsigned(
            std::string_view(known->second).substr(0, known->second.find(' ')));
        const auto latest = server.clock() + milliseconds(arguments[7]);
        const auto bounds = std::pair(static_cast<std::uint64_t>(ends.count()),
                                      static_cast<std::uint64_t>(latest.count()));
        if (told && *told >= bounds.first && *told <= bounds.second) return number_reply(0);
    }
    const std::string number = next_number(server, keys[0]);
    const std::string rest =
        arguments[3] + " " + arguments[4] + " " + arguments[5] + " " + arguments[6];
    hash[arguments[1]] = std::to_string(ends.count()) + " " + rest;
    end_change(server, keys, arguments[7]);
    server.publish("s " + number + " " + arguments[2] + " " + rest + " " + arguments[1]);
    return number_reply(1);
}

Reply bring_back(ModelServer& server, const Texts& keys, const Texts& arguments) {
    const std::string number = next_number(server, keys[0]);
    server.hash(keys[0]).erase(arguments[1]);
    end_change(server, keys, arguments[4]);
    server.publish(arguments[2] + " " + number + " " + arguments[3] + " " + arguments[1]);
    return number_reply(1);
}

Reply be_present(ModelServer& server, const Texts& keys, const Texts& arguments) {
    auto& scores = server.scores(keys[0]);
    const auto now = static_cast<double>(server.clock().count());
    const double gone = now - std::stod(arguments[1]);
    scores[arguments[0]] = now;
    std::erase_if(scores, [gone](const auto& row) { return row.second <= gone; });
    server.expire(keys[0], 4 * milliseconds(arguments[1]));
    return number_reply(static_cast<std::int64_t>(scores.size()));
}

Reply leave(ModelServer& server, const Texts& keys, const Texts& arguments) {
    server.scores(keys[0]).erase(arguments[0]);
    return number_reply(1);
}

}  // namespace

ModelServer::ModelServer(const MovedTime& time) : time_(time) {
    teach(fleet::suspend_script(), suspend);
    teach(fleet::back_script(), bring_back);
    teach(fleet::present_script(), be_present);
    teach(fleet::leave_script(), leave);
}

void ModelServer::teach(const fleet::Script& script, Run run) {
    scripts_[script.sha1()] = std::move(run);
}

std::chrono::milliseconds ModelServer::clock() const {
    constexpr std::chrono::milliseconds kEpoch{1'800'000'000'000};
    return kEpoch + std::chrono::floor<std::chrono::milliseconds>(time_.now().time_since_epoch());
}

ModelServer::Value& ModelServer::value(const std::string& key) {
    Value& value = values_[key];
    if (value.ends && *value.ends <= time_.now()) value = {};
    return value;
}

std::map<std::string, std::string>& ModelServer::hash(const std::string& key) {
    return value(key).hash;
}

std::map<std::string, double>& ModelServer::scores(const std::string& key) {
    return value(key).scores;
}

std::optional<std::string>& ModelServer::text(const std::string& key) { return value(key).text; }

void ModelServer::expire(const std::string& key, std::chrono::milliseconds in) {
    value(key).ends = time_.now() + in;
}

void ModelServer::publish(const std::string& message) {
    for (const auto& [who, hear] : hearers_) hear(message);
}

void ModelServer::flush() { values_.clear(); }

Reply ModelServer::run(const fleet::Script& script, const Texts& keys, const Texts& arguments) {
    ++asked;
    return scripts_.at(script.sha1())(*this, keys, arguments);
}

Reply ModelServer::ask(const Texts& command) {
    ++asked;
    if (command[0] == "TIME") {
        const auto now = clock();
        return texts_reply(
            {std::to_string(now.count() / 1000), std::to_string(now.count() % 1000 * 1000)});
    }
    if (command[0] == "HGETALL") {
        Texts all;
        for (const auto& [field, text] : hash(command[1])) {
            all.push_back(field);
            all.push_back(text);
        }
        return texts_reply(all);
    }
    if (command[0] == "HGET") {
        const auto& rows = hash(command[1]);
        const auto row = rows.find(command[2]);
        return row == rows.end() ? reply_of(Reply::Kind::nil) : text_reply(row->second);
    }
    if (command[0] == "SET" && command.size() == 6 && command[3] == "NX" && command[4] == "PX") {
        if (text(command[1])) return reply_of(Reply::Kind::nil);
        text(command[1]) = command[2];
        expire(command[1], milliseconds(command[5]));
        return text_reply("OK");
    }
    Reply reply = text_reply("ERR unknown command '" + command[0] + "'");
    reply.kind = Reply::Kind::error;
    return reply;
}

ModelStore::ModelStore(ModelServer& server, MovedTime& time, std::chrono::nanoseconds way)
    : server_(server), time_(time), way_(way) {
    server_.subscribe(this, [this](const std::string& message) {
        if (!ready_ || silent_) return;
        time_.at(time_.now() + way_, [this, alive = alive_, joined = joined_, message] {
            if (!*alive || joined != joined_) return;
            const auto listeners = listeners_;
            for (Listener* listener : listeners) listener->on_message(message);
        });
    });
}

ModelStore::~ModelStore() {
    *alive_ = false;
    server_.unsubscribe(this);
}

void ModelStore::cut() {
    ready_ = false;
    ++joined_;
    const auto listeners = listeners_;
    for (Listener* listener : listeners) listener->on_lost();
}

void ModelStore::join() {
    ready_ = true;
    const auto listeners = listeners_;
    for (Listener* listener : listeners) listener->on_ready();
}

void ModelStore::ask(std::vector<std::string> command, Answered answered) {
    send([this, command = std::move(command)] { return server_.ask(command); },
         std::move(answered));
}

void ModelStore::run(const fleet::Script& script, std::vector<std::string> keys,
                     std::vector<std::string> arguments, Answered answered) {
    send([this, &script, keys = std::move(keys),
          arguments = std::move(arguments)] { return server_.run(script, keys, arguments); },
         std::move(answered));
}

void ModelStore::send(std::function<Reply()> question, Answered answered) {
    if (!ready_) return time_.post([answered = std::move(answered)] { answered(Reply{}); });
    if (silent_ || 2 * way_ > kDeadline) {  // which the server may answer for all that
        if (!silent_) time_.at(time_.now() + way_, [question] { question(); });
        return time_.after(kDeadline, [answered = std::move(answered)] { answered(Reply{}); });
    }
    auto reply = std::make_shared<Reply>();
    time_.at(time_.now() + way_,
             [this, alive = alive_, joined = joined_, reply, question = std::move(question)] {
                 if (*alive && joined == joined_) *reply = question();
             });
    time_.at(time_.now() + 2 * way_,
             [this, alive = alive_, joined = joined_, reply, answered = std::move(answered)] {
                 if (*alive) answered(joined == joined_ ? *reply : Reply{});
             });
}

}  // namespace rotary::test
