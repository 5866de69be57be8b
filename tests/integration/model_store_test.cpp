// The tests' model of the store does what a real Redis does, for each script and question of ours.
#include <rotary/fleet/redis.hpp>
#include <rotary/fleet/suspension_scripts.hpp>

#include <gtest/gtest.h>

#include <support/eventually.hpp>
#include <support/model_store.hpp>
#include <support/redis_server.hpp>

#include <boost/asio/io_context.hpp>

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using fleet::Reply;
using Texts = std::vector<std::string>;

class Heard final : public fleet::Store::Listener {
public:
    void on_ready() override {}
    void on_lost() override {}
    void on_message(std::string_view message) override { messages.emplace_back(message); }
    Texts messages;
};

std::string words_of(const Reply& reply) {
    std::ostringstream out;
    out << static_cast<int>(reply.kind) << " " << reply.integer << " " << reply.text;
    for (const Reply& element : reply.elements) out << " (" << words_of(element) << ")";
    return out.str();
}

// Both, asked the same.
class Pair {
public:
    Pair() : redis_(io_, resolver_, log_), model_server_(time_), model_(model_server_, time_, 0ns) {
        config::Config config;
        config.state.redis.emplace();
        config.state.redis->place = {"127.0.0.1", server.port()};
        config.state.redis->name_space = "test";
        config.state.redis->deadline = 5s;
        redis_.listen(real_heard);
        model_.listen(model_heard);
        redis_.configure(fleet::redis_options(config, "0123456789abcdef"));
        EXPECT_TRUE(turn_until([this] { return redis_.is_ready(); }));
    }

    template <class Condition>
    bool turn_until(const Condition& condition) {
        return eventually([&] {
            io_.restart();
            io_.run_for(5ms);
            return condition();
        });
    }

    // Nothing, where they say the same; else what each said.
    std::string differ(const std::function<void(fleet::Store&, fleet::Store::Answered)>& asks) {
        const auto real = answer(redis_, asks);
        const auto model = answer(model_, asks);
        return words_of(real) == words_of(model)
                   ? ""
                   : "Redis: " + words_of(real) + "; the model: " + words_of(model);
    }
    std::string differ(const Texts& command) {
        return differ([&](fleet::Store& store, fleet::Store::Answered answered) {
            store.ask(command, std::move(answered));
        });
    }
    std::string differ(const fleet::Script& script, const Texts& keys, const Texts& arguments) {
        return differ([&](fleet::Store& store, fleet::Store::Answered answered) {
            store.run(script, keys, arguments, std::move(answered));
        });
    }

    // The rows of the hash with what is left instead of an end, to the nearest ten seconds.
    std::map<std::string, std::string> rows(bool of_model) {
        fleet::Store& store = of_model ? static_cast<fleet::Store&>(model_) : redis_;
        const auto ask = [&](const Texts& command) {
            return answer(store, [&](fleet::Store& which, fleet::Store::Answered answered) {
                which.ask(command, std::move(answered));
            });
        };
        const Reply time = ask({"TIME"});
        const double now = std::stod(time.elements[0].text) * 1000;
        const Reply all = ask({"HGETALL", "{rotary:test}:s"});
        std::map<std::string, std::string> rows;
        for (std::size_t i = 0; i + 1 < all.elements.size(); i += 2) {
            const std::string& field = all.elements[i].text;
            std::string value = all.elements[i + 1].text;
            if (field == "@") value = "";
            const std::size_t space = value.find(' ');
            const double ends = std::strtod(value.c_str(), nullptr);
            if (space != std::string::npos && std::abs(ends - now) < 3'600'000) {
                value = std::to_string(std::lround((ends - now) / 10'000)) + value.substr(space);
            }
            rows[field] = value;
        }
        return rows;
    }

    void flush() {
        server.command({"FLUSHALL"});
        model_server_.flush();
    }
    void spoil(const std::string& field, const std::string& value) {
        server.command({"HSET", "{rotary:test}:s", field, value});
        model_server_.hash("{rotary:test}:s")[field] = value;
    }

    RedisServer server;
    Heard real_heard;
    Heard model_heard;

private:
    Reply answer(fleet::Store& store,
                 const std::function<void(fleet::Store&, fleet::Store::Answered)>& asks) {
        std::optional<Reply> answer;
        asks(store, [&](const Reply& reply) { answer = reply; });
        time_.move(1ms);
        turn_until([&] { return answer.has_value(); });
        return answer.value_or(Reply{});
    }

    boost::asio::io_context io_;
    net::Resolver resolver_;
    Logger log_{LogLevel::error};
    fleet::Redis redis_;
    MovedTime time_;
    ModelServer model_server_;
    ModelStore model_;
};

TEST(ModelStore, DoesWhatRedisDoes) {
    Pair both;
    std::minstd_rand random(7);
    const auto of = [&](std::size_t most) { return static_cast<std::size_t>(random() % most); };
    const std::string hash = "{rotary:test}:s";
    for (int step = 0; step < 400; ++step) {
        const std::string entry = "A/production/m " + std::to_string(of(3)) + "@b";
        const std::string lease = "{rotary:test}:p:" + entry;
        const std::string replica = "replica" + std::to_string(of(3));
        const std::string left = std::to_string(30'000 * (1 + of(5)));
        std::string differ;
        switch (of(9)) {
            case 0:
            case 1:
                differ = both.differ(fleet::suspend_script(), {hash, lease},
                                     {"{rotary:test}:ev", entry, left, "1000", "2",
                                      "credential_refused", replica, "3600000"});
                break;
            case 2:
                differ = both.differ(
                    fleet::back_script(), {hash, lease},
                    {"{rotary:test}:ev", entry, of(2) == 0 ? "b" : "r", replica, "3600000"});
                break;
            case 3:
                differ = both.differ({"SET", lease, replica, "NX", "PX", "600000"});
                break;
            case 4:
                differ =
                    both.differ(fleet::present_script(), {"{rotary:test}:r"}, {replica, "600000"});
                break;
            case 5:
                differ = both.differ(fleet::leave_script(), {"{rotary:test}:r"}, {replica});
                break;
            case 6:
                differ = both.differ({"HGET", hash, "#"});
                break;
            case 7:
                if (of(8) == 0) both.flush();
                break;
            default: {
                const char* junk[] = {"", "junk", "99999999999999999999 1 1 operator stranger",
                                      "12 of no measure at all, and longer than thirty",
                                      "99999999999999 5000 1 operator stranger"};
                both.spoil(of(6) == 0 ? "#" : entry, junk[of(5)]);
            }
        }
        ASSERT_EQ(differ, "") << step;
        if (step % 10 == 0) {
            ASSERT_EQ(both.rows(false), both.rows(true)) << step;
        }
    }
    EXPECT_TRUE(both.turn_until(
        [&] { return both.real_heard.messages.size() >= both.model_heard.messages.size(); }));
    EXPECT_GT(both.model_heard.messages.size(), 50u);
    EXPECT_EQ(both.real_heard.messages, both.model_heard.messages);
}

}  // namespace
}  // namespace rotary::test
