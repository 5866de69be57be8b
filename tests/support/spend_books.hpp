#pragma once

#include <rotary/base/text.hpp>
#include <rotary/fleet/spend_words.hpp>

#include "support/model_store.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace rotary::test {

// What the script of spending does, in C++, without the ends of keys.
inline fleet::Reply take_spend(ModelServer& server, const ModelServer::Texts& keys,
                               const ModelServer::Texts& arguments) {
    using Reply = fleet::Reply;
    // The requests and the nanodollars that a row begins with.
    const auto numbers = [](const std::string& row) {
        const std::size_t space = row.find(' ');
        return std::pair(std::stoull(row), std::stoll(row.substr(space + 1)));
    };
    const auto sum_of = [&](const std::string& key) {
        auto& hash = server.hash(key);
        const auto sum = hash.find("t");
        return sum == hash.end() ? std::int64_t{0} : std::stoll(sum->second);
    };
    const std::uint64_t from = std::stoull(arguments[0]);
    const std::uint64_t to = std::stoull(arguments[1]);
    std::uint64_t mark = std::stoull(server.text(keys[0]).value_or("0"));
    std::int64_t refused = 0;
    if (from <= mark) {
        for (std::size_t at = keys.size() + 1; at < arguments.size(); at += 3) {
            const std::string& key = keys[std::stoul(arguments[at]) - 1];
            const std::string& field = arguments[at + 1];
            const auto [requests, nanos] = numbers(arguments[at + 2]);
            auto& hash = server.hash(key);
            const bool is_there = hash.count(field) != 0;
            const auto old = is_there ? numbers(hash[field]) : std::pair(0ULL, 0LL);
            if (is_there && requests <= old.first) continue;
            const std::int64_t others = sum_of(key) - old.second;
            if (nanos > std::numeric_limits<std::int64_t>::max() - others) {
                ++refused;
                continue;
            }
            hash["t"] = std::to_string(others + nanos);
            hash[field] = arguments[at + 2];
        }
        if (to != mark && (from == 0 || to > mark)) {
            mark = to;
            server.text(keys[0]) = std::to_string(mark);
        }
    }
    Reply reply;
    reply.kind = Reply::Kind::array;
    for (const std::string& text : {std::to_string(mark), std::to_string(sum_of(keys[1]))}) {
        Reply element;
        element.kind = Reply::Kind::text;
        element.text = text;
        reply.elements.push_back(element);
    }
    Reply count;
    count.kind = Reply::Kind::integer;
    count.integer = refused;
    reply.elements.push_back(count);
    return reply;
}

}  // namespace rotary::test
