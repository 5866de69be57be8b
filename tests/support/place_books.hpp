#pragma once

#include <rotary/fleet/place_question.hpp>

#include "support/model_store.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rotary::test {

// What the script of places does, in C++: the same questions, the same answers, the same wishes.
// Without the ends of keys that are in use.
class PlaceBooks {
public:
    struct Answered {
        std::vector<std::int64_t> numbers;  // as the script returns them
        std::vector<std::string> wishes;
    };
    using Texts = std::vector<std::string>;

    Answered answer(const Texts& keys, const Texts& arguments, std::int64_t now) {
        Answered answered;
        const auto number = [&](std::size_t at) { return std::stoll(arguments.at(at)); };
        Asker asker{arguments[0], number(1), number(3), number(4), number(5), now};
        Word& word = words_[asker.replica];
        if (word.number >= number(2)) return answered;
        if (began_ == 0) began_ = now;
        word = {now, number(2)};
        answered.numbers.push_back(began_);
        for (std::size_t i = 1; i < keys.size(); ++i) {
            const std::size_t at = 7 + (i - 1) * 6;
            fleet::PlaceQuestion question;
            question.most = number(at);
            question.held = number(at + 1);
            question.others = number(at + 2);
            question.peak = number(at + 3);
            question.need = number(at + 4);
            question.asks = arguments[at + 5] == "a";
            Place& place = places_[keys[i]];
            if (place.taken == 0 && now >= place.ends) place = {};
            place.name = keys[i].substr(keys[i].rfind(':') + 1);
            answer(place, asker, question, answered);
        }
        return answered;
    }
    void forget_all() { *this = {}; }
    // Of all keys.
    std::int64_t taken() const {
        std::int64_t all = 0;
        for (const auto& [key, place] : places_) all += place.taken;
        return all;
    }

private:
    struct Word {
        std::int64_t at = 0;
        std::int64_t number = 0;
    };
    struct Place {
        std::string name;
        std::int64_t most = 0;
        std::int64_t claims = 0;
        std::int64_t taken = 0;
        std::int64_t claimed = 0;
        std::string claimer;
        std::int64_t amount = 0;
        std::int64_t lacked = 0;
        std::map<char, std::int64_t> told;
        std::int64_t looked = 0;
        std::int64_t ends = 0;
        std::map<std::string, std::int64_t> by_replica;
    };
    struct Asker {
        std::string replica;
        std::int64_t replicas = 1;
        std::int64_t gone = 0;
        std::int64_t young = 0;
        std::int64_t claim = 0;
        std::int64_t now = 0;
    };

    bool is_alive(const std::string& replica, const Asker& asker) const {
        const auto word = words_.find(replica);
        return word != words_.end() && word->second.at > asker.now - asker.gone;
    }
    void look_for_dead(Place& place, const Asker& asker) const {
        place.taken = 0;
        for (auto row = place.by_replica.begin(); row != place.by_replica.end();) {
            const bool stays = row->first == asker.replica || is_alive(row->first, asker);
            if (stays) place.taken += row->second;
            row = stays ? std::next(row) : place.by_replica.erase(row);
        }
        place.looked = asker.now;
    }
    // What it is granted, of what is there for it.
    std::int64_t grant(Place& place, const Asker& asker, fleet::PlaceRule& rule,
                       const fleet::PlaceQuestion& question) const {
        if (asker.now - began_ < asker.young) {
            rule.rest = std::min(
                {rule.rest, question.most - rule.own - question.others, rule.fair() - rule.own});
        }
        const bool is_claimed = place.claimed > asker.now;
        if (is_claimed && place.claimer != asker.replica) rule.rest -= place.amount;
        return question.asks && rule.rest > 0 ? rule.grant() : 0;
    }
    // What is to be published: 0 for nothing.
    static char claim(Place& place, const Asker& asker, std::int64_t missing, std::int64_t below) {
        const bool is_claimed = place.claimed > asker.now;
        const bool claims_it = is_claimed && place.claimer == asker.replica;
        place.claims = missing > 0 ? std::max<std::int64_t>(0, std::min(missing, below)) : 0;
        if (place.claims > 0 && (claims_it || !is_claimed)) {
            place.claimed = asker.now + asker.claim;
            place.claimer = asker.replica;
            place.amount = place.claims;
        }
        if (claims_it && place.claims == 0) place.claimed = 0;
        if (missing > 0) {
            place.lacked = asker.now;
            return 'c';
        }
        return place.most > place.taken && asker.now - place.lacked < asker.claim ? 'f' : '\0';
    }
    void answer(Place& place, const Asker& asker, const fleet::PlaceQuestion& question,
                Answered& answered) const {
        std::int64_t& own = place.by_replica[asker.replica];
        place.taken += question.held - own;
        own = question.held;
        place.most = question.most;
        const std::int64_t least = std::max<std::int64_t>(question.need, 1);
        const bool is_short = question.most - place.taken < least;
        if (question.asks && is_short && asker.now - place.looked >= 1000) {
            look_for_dead(place, asker);
        }
        fleet::PlaceRule rule{question.most,  question.most - place.taken,
                              asker.replicas, own,
                              question.peak,  question.need};
        const std::int64_t granted = grant(place, asker, rule, question);
        own += granted;
        place.taken += granted;
        const std::int64_t missing = question.asks ? question.need - granted : 0;
        const char word = claim(place, asker, missing, rule.fair() - own);
        const std::int64_t pause = std::max<std::int64_t>(10, asker.replicas);
        if (word != '\0' && asker.now - place.told[word] >= pause) {
            place.told[word] = asker.now;
            answered.wishes.push_back(std::string(1, word) + " " + place.name + " " +
                                      asker.replica + " " + std::to_string(place.claims));
        }
        answered.numbers.push_back(own);
        answered.numbers.push_back(question.most - place.taken);
        if (own == 0) place.by_replica.erase(asker.replica);
        place.ends = asker.now + 5000;
    }

    std::int64_t began_ = 0;
    std::map<std::string, Word> words_;
    std::map<std::string, Place> places_;
};

// So that a model of a server answers the script by these books.
inline void teach_places(ModelServer& server, PlaceBooks& books) {
    server.teach(fleet::place_script(), [&books](ModelServer& self, const ModelServer::Texts& keys,
                                                 const ModelServer::Texts& arguments) {
        const auto answered = books.answer(keys, arguments, self.clock().count());
        fleet::Reply reply;
        reply.kind = fleet::Reply::Kind::array;
        for (const std::int64_t number : answered.numbers) {
            fleet::Reply element;
            element.kind = fleet::Reply::Kind::integer;
            element.integer = number;
            reply.elements.push_back(element);
        }
        for (const std::string& wish : answered.wishes) self.publish(wish);
        return reply;
    });
}

}  // namespace rotary::test
