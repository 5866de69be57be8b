#pragma once

#include <rotary/fleet/store.hpp>
#include "support/moved_time.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::test {

// What a Redis keeps and does, as far as a fleet asks it, on a moved clock. A differential test
// holds it beside the real one.
class ModelServer {
public:
    using Texts = std::vector<std::string>;
    using Run =
        std::function<fleet::Reply(ModelServer& server, const Texts& keys, const Texts& arguments)>;
    using Hear = std::function<void(const std::string& message)>;

    // It knows the scripts of suspensions and replicas.
    explicit ModelServer(const MovedTime& time);

    // What `script` does, in C++.
    void teach(const fleet::Script& script, Run run);
    fleet::Reply ask(const Texts& command);
    fleet::Reply run(const fleet::Script& script, const Texts& keys, const Texts& arguments);
    void subscribe(const void* who, Hear hear) { hearers_[who] = std::move(hear); }
    void unsubscribe(const void* who) { hearers_.erase(who); }
    void flush();

    // For scripts, and for tests to look at and to spoil. Those that are over are not there.
    std::chrono::milliseconds clock() const;
    std::map<std::string, std::string>& hash(const std::string& key);
    std::map<std::string, double>& scores(const std::string& key);
    std::optional<std::string>& text(const std::string& key);
    void expire(const std::string& key, std::chrono::milliseconds in);
    void publish(const std::string& message);

    std::uint64_t asked = 0;  // questions and scripts

private:
    struct Value {
        std::map<std::string, std::string> hash;
        std::map<std::string, double> scores;
        std::optional<std::string> text;
        std::optional<SteadyTime> ends;
    };
    Value& value(const std::string& key);

    const MovedTime& time_;
    std::map<std::string, Value> values_;
    std::map<std::string, Run> scripts_;
    std::map<const void*, Hear> hearers_;
};

// One replica's way to it.
class ModelStore final : public fleet::Store {
public:
    ModelStore(ModelServer& server, MovedTime& time, std::chrono::nanoseconds way);
    ~ModelStore() override;

    void cut();   // no question is answered, nothing is heard
    void join();  // again
    // The server takes what it is sent and answers nothing in time.
    void set_silent(bool silent) { silent_ = silent; }
    void set_way(std::chrono::nanoseconds way) { way_ = way; }

    void listen(Listener& listener) override { listeners_.insert(&listener); }
    void unlisten(Listener& listener) noexcept override { listeners_.erase(&listener); }
    bool is_ready() const noexcept override { return ready_; }
    void ask(std::vector<std::string> command, Answered answered) override;
    void run(const fleet::Script& script, std::vector<std::string> keys,
             std::vector<std::string> arguments, Answered answered) override;

private:
    void send(std::function<fleet::Reply()> question, Answered answered);

    static constexpr std::chrono::milliseconds kDeadline{20};
    ModelServer& server_;
    MovedTime& time_;
    std::chrono::nanoseconds way_;
    bool ready_ = true;
    bool silent_ = false;
    std::uint64_t joined_ = 0;  // how often it was cut
    std::set<Listener*> listeners_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rotary::test
