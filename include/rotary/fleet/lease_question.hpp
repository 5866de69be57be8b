#pragma once

#include <rotary/fleet/reply.hpp>
#include <rotary/fleet/script.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rotary::fleet {

// How much of a limit's window one replica gets at once: what it used of late, or a part of the
// rest, whichever is more; never more than its half share of the rest, and one at least. `rest` >
// 0.
struct GrantRule {
    std::int64_t rest = 0;      // that no replica has
    std::int64_t replicas = 1;  // that are alive
    std::int64_t recent = 0;    // used by this one in the last half second
    std::int64_t need = 0;      // that a request waits for; granted where the rest holds it

    std::int64_t grant() const noexcept;
};

// What a replica says and asks of one limit, in one window. Amounts above 2^53 are cut to that:
// the numbers of Redis's Lua are doubles.
struct LeaseQuestion {
    std::string key;    // of the limit, without the window
    std::string field;  // the replica
    std::int64_t begin_ms = 0;
    std::int64_t length_ms = 0;
    std::int64_t left_ms = 0;  // of the window
    std::int64_t amount = 0;
    // What was granted to it in this window, or what it used, if that is more. The store takes it
    // over, so that what it has lost comes back.
    std::int64_t held = 0;
    // What all replicas had of the window when this one last heard of it. A store that has lost the
    // window begins with that, and what the others say that they hold is a part of it.
    std::int64_t heard = 0;
    std::int64_t recent = 0;
    std::int64_t need = 0;
    bool asks = false;        // else it only tells
    bool gives_back = false;  // `held` is less than it was
    bool slides = false;
    bool carries_debt = false;
};

struct LeaseAnswer {
    std::int64_t granted = 0;  // in this window, in all
    std::int64_t rest = 0;     // negative: more was used than there is
    std::int64_t free_ms = 0;  // of a limit that is used up: until there is room without gifts
};

// One script that carries them all.
const Script& lease_script();
std::vector<std::string> lease_keys(const std::vector<LeaseQuestion>& questions);
std::vector<std::string> lease_arguments(const std::vector<LeaseQuestion>& questions,
                                         std::uint32_t replicas);
// None: it is no answer to so many questions.
std::optional<std::vector<LeaseAnswer>> lease_answers(const Reply& reply, std::size_t questions);

}  // namespace rotary::fleet
