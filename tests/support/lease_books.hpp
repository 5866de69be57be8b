#pragma once

#include <rotary/fleet/lease_question.hpp>

#include "support/model_store.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rotary::test {

// What the script of leases does, in C++: the same questions, the same answers. Without the ends of
// keys, which time brings.
class LeaseBooks {
public:
    std::vector<fleet::LeaseAnswer> answer(const std::vector<fleet::LeaseQuestion>& questions,
                                           std::uint32_t replicas) {
        std::vector<fleet::LeaseAnswer> answers;
        for (const auto& question : questions) answers.push_back(answer(question, replicas));
        return answers;
    }
    void forget_all() { windows_.clear(); }
    // Of the latest window of any limit.
    std::int64_t taken() const { return windows_.empty() ? 0 : windows_.rbegin()->second.taken; }

    // One of those that were asked with these arguments.
    static fleet::LeaseQuestion question(const std::string& key,
                                         const std::vector<std::string>& arguments,
                                         std::size_t index) {
        const auto text = [&](std::size_t at) { return arguments[1 + index * 10 + at]; };
        const auto number = [&](std::size_t at) { return std::stoll(text(at)); };
        const auto has = [&](char mode) { return text(9).find(mode) != std::string::npos; };
        return {key,       text(0),   number(1), number(2), number(3), number(4), number(5),
                number(6), number(7), number(8), has('a'),  has('g'),  has('s'),  has('d')};
    }

private:
    struct WindowBook {
        std::int64_t taken = 0;
        std::int64_t others = 0;
        std::map<std::string, std::int64_t> by_replica;
    };
    using Key = std::pair<std::string, std::int64_t>;

    std::int64_t taken_before(const fleet::LeaseQuestion& question, std::int64_t back) const {
        const auto past =
            windows_.find(Key(question.key, question.begin_ms - back * question.length_ms));
        return past == windows_.end() ? -1 : past->second.taken;
    }
    std::int64_t debt(const fleet::LeaseQuestion& question) const {
        for (std::int64_t back = 1; question.carries_debt && back <= 8; ++back) {
            const std::int64_t past = taken_before(question, back);
            if (past >= 0) return std::max<std::int64_t>(0, past - back * question.amount);
        }
        return 0;
    }
    std::int64_t free_in(const fleet::LeaseQuestion& question, std::int64_t taken) const {
        const std::int64_t length = question.length_ms;
        std::int64_t free = 0;
        if (taken < question.amount) {
            const std::int64_t before = taken_before(question, 1);
            free = question.left_ms - (question.amount - taken - 1) * length / before;
        } else {
            free = question.left_ms + length - (question.amount - 1) * length / taken;
        }
        return std::max<std::int64_t>(1, std::min(free, question.left_ms + length));
    }
    fleet::LeaseAnswer answer(const fleet::LeaseQuestion& question, std::uint32_t replicas) {
        const auto [place, is_new] =
            windows_.try_emplace(Key(question.key, question.begin_ms), WindowBook{});
        WindowBook& book = place->second;
        std::int64_t& own = book.by_replica[question.field];
        if (is_new && question.heard > question.held) {
            book.taken = question.heard;
            book.others = question.heard - question.held;
            own = question.held;
        } else if (is_new) {
            book.taken = debt(question);
        }
        if (question.held > own || question.gives_back) {
            const std::int64_t known =
                std::max<std::int64_t>(0, std::min(question.held - own, book.others));
            book.taken += question.held - own - known;
            book.others -= known;
            own = question.held;
        }
        std::int64_t rest = question.amount - book.taken;
        std::int64_t free = question.left_ms;
        if (question.slides) {
            const std::int64_t before = std::max<std::int64_t>(0, taken_before(question, 1));
            rest -= before * std::min(question.left_ms, question.length_ms) / question.length_ms;
        }
        if (question.asks && rest >= 1) {
            const std::int64_t granted =
                fleet::GrantRule{rest, replicas, question.recent, question.need}.grant();
            own += granted;
            book.taken += granted;
            rest -= granted;
        }
        if (question.slides && rest < 1) free = free_in(question, book.taken);
        return {own, rest, free};
    }

    std::map<Key, WindowBook> windows_;
};

// So that a model of a server answers the script by these books.
inline void teach_leases(ModelServer& server, LeaseBooks& books) {
    server.teach(fleet::lease_script(), [&books](ModelServer&, const ModelServer::Texts& keys,
                                                 const ModelServer::Texts& arguments) {
        std::vector<fleet::LeaseQuestion> questions;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            questions.push_back(LeaseBooks::question(keys[i], arguments, i));
        }
        const auto replicas = static_cast<std::uint32_t>(std::stoul(arguments.front()));
        fleet::Reply reply;
        reply.kind = fleet::Reply::Kind::array;
        for (const fleet::LeaseAnswer& answer : books.answer(questions, replicas)) {
            for (const std::int64_t number : {answer.granted, answer.rest, answer.free_ms}) {
                fleet::Reply element;
                element.kind = fleet::Reply::Kind::integer;
                element.integer = number;
                reply.elements.push_back(element);
            }
        }
        return reply;
    });
}

}  // namespace rotary::test
