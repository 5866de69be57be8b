#pragma once

#include "kubernetes/judged.hpp"

#include <rotary/base/clock.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rotary::kubernetes {

// Which object is to be told next what has come of it, and when. All replicas come to the same and
// none leads: each waits a little, at random, so that one is first and the others find it said.
// Pure: the clock and the random numbers are its caller's.
class StatusPlan {
public:
    static constexpr std::chrono::seconds kSpread{2};   // over which replicas spread
    static constexpr std::chrono::seconds kPause{10};   // between two looks at one object
    static constexpr std::chrono::seconds kFailed{30};  // of all, after one that failed

    enum class Result {
        said,      // it is there, or another replica's is, or a newer object is on its way
        conflict,  // another has written in between
        failed,    // no answer, or a refusal
        gone       // there is no such object
    };

    // All there is to be said from here on. An object is due when it, or what has come of it, is
    // not what it was. `random` is of [0, 1).
    void tell(std::vector<Judged> objects, SteadyTime now, double random);
    // The object that has been due for the longest, in the caller's hands until finish().
    std::optional<Judged> take(SteadyTime now);
    void finish(const Judged& judged, Result result, SteadyTime now);
    // When take() has something again; nothing: not before the next tell().
    std::optional<SteadyTime> next() const;

private:
    struct Entry {
        Judged judged;
        std::optional<SteadyTime> due;
        std::optional<SteadyTime> looked_at;
    };
    std::map<std::string, Entry> entries_;  // by target
    SteadyTime resumes_at_{};
};

// What was said in Events of late.
class EventMemory {
public:
    static constexpr std::chrono::minutes kKept{10};

    bool knows(const std::string& what, SteadyTime now);
    void keep(const std::string& what, SteadyTime now) { said_[what] = now; }

private:
    std::map<std::string, SteadyTime> said_;
};

}  // namespace rotary::kubernetes
