#pragma once

#include <rotary/base/text_hash.hpp>
#include <rotary/config/kinds/quota.hpp>
#include <rotary/quota/limit.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rotary::routing {

// A limit of those who have one value of something: of each its own, or of one value alone.
struct KeyedLimit {
    std::size_t limit = 0;  // among the snapshot's
    config::CustomRate::By by = config::CustomRate::By::consumer;
    std::string name;   // of the claim or the header
    std::string value;  // empty: each has a counter of its own
};

// Limits that apply together, as places among the snapshot's: what is known before a body is read,
// and what depends on it.
struct LimitSet {
    std::vector<std::size_t> requests;
    std::vector<std::size_t> tokens;
    std::vector<std::size_t> costs;
    std::vector<KeyedLimit> keyed;  // of requests
};

// An application's subscription to an API.
struct Subscriber {
    std::string application;
    std::string subscription;
    LimitSet limits;
};

// Who is subscribed to one API in one environment, by client id. Immutable; find() allocates
// nothing.
class Subscribers {
public:
    // The first of two that have the same client id.
    void add(std::string client_id, Subscriber subscriber);
    const Subscriber* find(std::string_view client_id) const noexcept;
    std::size_t size() const noexcept { return by_client_.size(); }
    // With each client id and its Subscriber; while the snapshot is compiled.
    template <class Visit>
    void each(const Visit& visit) {
        for (auto& [client_id, subscriber] : by_client_) visit(client_id, subscriber);
    }
    bool any_tokens() const noexcept { return any_tokens_; }

private:
    std::unordered_map<std::string, Subscriber, TextHash, std::equal_to<>> by_client_;
    bool any_tokens_ = false;
};

}  // namespace rotary::routing
