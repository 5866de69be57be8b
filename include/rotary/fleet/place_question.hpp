#pragma once

#include <rotary/fleet/reply.hpp>
#include <rotary/fleet/script.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// How many more places among the requests in flight one replica gets: what requests wait for, as
// far as the rest goes; else a little more than it had of late, and never more than its half share
// of the rest ahead of need. All are counts; `rest` > 0.
struct PlaceRule {
    std::int64_t most = 0;
    std::int64_t rest = 0;      // that no replica has
    std::int64_t replicas = 1;  // that are alive
    std::int64_t own = 0;       // that this one has
    std::int64_t peak = 0;      // of its requests in flight, of late
    std::int64_t need = 0;      // that requests wait for

    std::int64_t grant() const noexcept;
    // Below it a replica takes precedence over those that have more.
    std::int64_t fair() const noexcept;
    // What one keeps that has more while others are refused; 0 where there are fewer places than
    // replicas, and each must pass its place on.
    std::int64_t kept() const noexcept { return most / replicas; }
};

// What a replica says and asks of one key's places.
struct PlaceQuestion {
    std::uint64_t key = 0;
    std::int64_t most = 0;
    std::int64_t held = 0;    // granted to it, or in flight, if that is more
    std::int64_t others = 0;  // what all others had when it last heard
    std::int64_t peak = 0;
    std::int64_t need = 0;
    bool asks = false;  // else it only tells
};

struct PlaceAnswer {
    std::int64_t granted = 0;  // in all
    std::int64_t rest = 0;     // negative: more is held than there is
};

struct PlaceAnswers {
    std::int64_t began = 0;  // when the store's books did: others are books that were lost
    std::vector<PlaceAnswer> places;
};

// Who asks, with each question.
struct PlaceAsker {
    std::string prefix;   // of all keys
    std::string replica;  // with no space in it
    std::uint32_t replicas = 1;
    std::int64_t number = 0;  // of the question; one that comes late, behind a later one, is void
};

inline constexpr std::chrono::seconds kPlacesGone{15};         // a replica without a word
inline constexpr std::chrono::seconds kPlacesYoung{3};         // books: each has its part at most
inline constexpr std::chrono::milliseconds kPlacesClaim{300};  // stands so long

// One script for many places.
const Script& place_script();
std::vector<std::string> place_keys(const PlaceAsker& asker,
                                    const std::vector<PlaceQuestion>& questions);
std::vector<std::string> place_arguments(const PlaceAsker& asker,
                                         const std::vector<PlaceQuestion>& questions);
// None: it is no answer to so many questions.
std::optional<PlaceAnswers> place_answers(const Reply& reply, std::size_t questions);

// What the script publishes. When a request could not have its place, others that have places to
// spare give them back; a claim is of a replica that has less than its fair part: those that have
// more pass on so many, as their requests end. News are that there are places again.
struct PlaceWish {
    std::uint64_t key = 0;
    std::string_view replica;
    std::int64_t claim = 0;
    bool is_news = false;
};
// None: the message is about something else.
std::optional<PlaceWish> parse_wish(std::string_view message) noexcept;

}  // namespace rotary::fleet
