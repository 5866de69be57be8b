#include "tools/fleet_spend.hpp"

#include <rotary/base/log.hpp>
#include <rotary/fleet/redis.hpp>
#include <rotary/fleet/spend_words.hpp>
#include <rotary/net/resolver.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace rotary::tools {

namespace {

using fleet::Reply;

constexpr std::chrono::milliseconds kDeadline{5000};  // of a piece: no request waits for it
constexpr const char* kPiece = "500";                 // fields, about

// A client that does one thing after another, on a loop of its own.
class Reader {
public:
    explicit Reader(const config::Config& config) {
        fleet::RedisOptions options = fleet::redis_options(config, "usage");
        options.redis.deadline = kDeadline;
        const auto patience = options.connect + options.login;
        redis_.configure(std::move(options));
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!redis_.is_ready() && std::chrono::steady_clock::now() < end) {
            context_.run_one_until(end);
        }
        if (!redis_.is_ready()) fail(redis_.error());
    }

    // All fields of a hash, each once: a scan may show one twice.
    std::map<std::string, std::string> hash(const std::string& key) {
        std::map<std::string, std::string> fields;
        std::string cursor = "0";
        do {
            Reply reply = ask({"HSCAN", key, cursor, "COUNT", kPiece});
            if (reply.elements.size() != 2) fail("it does not know HSCAN");
            cursor = reply.elements[0].text;
            auto& pairs = reply.elements[1].elements;
            for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
                fields[std::move(pairs[i].text)] = std::move(pairs[i + 1].text);
            }
        } while (cursor != "0");
        return fields;
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw std::runtime_error("the Redis at " + redis_.place() + ": " +
                                 (why.empty() ? "it does not answer" : why));
    }
    Reply ask(std::vector<std::string> command) {
        Reply answer;
        bool is_there = false;
        redis_.ask(std::move(command), [&](const Reply& reply) {
            answer = reply;
            is_there = true;
        });
        while (!is_there) context_.run_one();
        if (!answer.is_answer()) fail(answer.text);
        return answer;
    }

    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    net::Resolver resolver_;
    Logger log_{LogLevel::error};  // what goes wrong is thrown
    fleet::Redis redis_{context_, resolver_, log_};
};

}  // namespace

Days kept_of(const Days& asked, std::int64_t today, std::int64_t kept) noexcept {
    // A replica's clock may be in tomorrow.
    return {std::max(asked.first, today - kept + 1), std::min(asked.last, today + 1)};
}

std::size_t read_fleet_spend(const config::Config& config, const Days& days,
                             const std::function<void(const control::DaySum& sum)>& visit) {
    std::size_t rows = 0;
    Reader reader(config);
    for (std::int64_t day = days.first; day <= days.last; ++day) {
        const std::string key =
            fleet::spend_key(config.state.redis->name_space, config.budgets.currency, day);
        for (const auto& [field, value] : reader.hash(key)) {
            const auto sum = fleet::parse_spend(day, field, value);
            if (!sum) continue;
            ++rows;
            visit(*sum);
        }
    }
    return rows;
}

}  // namespace rotary::tools
