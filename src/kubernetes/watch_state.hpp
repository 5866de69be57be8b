#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// How a LIST or a WATCH ended.
struct Ending {
    enum class How : std::uint8_t {
        clean,    // to its end: of a LIST all pages, of a WATCH its time
        cut,      // no answer, or not all of it
        refused,  // an answer with another status than 200
        told      // a WATCH's last line was an ERROR
    };
    How how = How::clean;
    unsigned status = 0;                       // of what was refused or told
    std::chrono::milliseconds retry_after{0};  // what the server asks for; 0: nothing
    bool was_quick = false;                    // of a WATCH: within a second of its beginning
};

// What to do next, after a wait.
struct Step {
    enum class Do : std::uint8_t { list, watch };
    Do what = Do::list;
    std::chrono::milliseconds wait{0};
};

// Of one kind: when to LIST, when to WATCH and how long to wait between, from what came of it
// before. Pure: it neither reads a clock nor draws numbers.
class WatchState {
public:
    enum class Standing : std::uint8_t {
        starting,       // not listed yet
        complete,       // listed, and watched as far as it goes
        away,           // the server does not answer; what is known holds
        not_installed,  // the server knows no such kind
        forbidden       // this process has no right to it
    };

    // `versions` there are to be tried; `longest` bounds the waits that it makes up.
    WatchState(std::size_t versions, std::chrono::milliseconds longest)
        : versions_(versions), longest_(longest) {}

    void set_longest(std::chrono::milliseconds longest) noexcept { longest_ = longest; }

    std::size_t version() const noexcept { return version_; }  // index of the one to ask for
    Standing standing() const noexcept { return standing_; }
    const std::string& resource_version() const noexcept { return resource_version_; }
    // Whether a first LIST is in, or there is nothing to be listed.
    bool is_complete() const noexcept { return is_complete_; }

    // A line of a WATCH with this version: an object's or a bookmark's.
    void event(std::string_view resource_version);

    // A WATCH is answered with 200, whatever its lines will say and when.
    void opened() noexcept { standing_ = Standing::complete; }
    // Whether a wait is this side's own guess, which ends when the server answers another kind.
    bool may_hurry() const noexcept { return standing_ == Standing::away && !is_told_to_wait_; }

    // `random` of [0, 1) spreads the waits.
    Step listed(std::string_view resource_version);
    Step list_ended(const Ending& ending, double random);
    Step watch_ended(const Ending& ending, double random);

    static constexpr std::chrono::milliseconds kFirstWait{800};  // doubled each time
    static constexpr unsigned kAbsence =
        3;  // tries without an answer, after which one is good news
    static constexpr int kSilentWatches = 2;  // in a row, after which a LIST makes sure

private:
    std::chrono::milliseconds wait(const Ending& ending, double random);
    Step list_after(std::chrono::milliseconds wait) const { return {Step::Do::list, wait}; }

    std::size_t versions_;
    std::chrono::milliseconds longest_;
    std::size_t version_ = 0;
    Standing standing_ = Standing::starting;
    bool is_complete_ = false;
    std::string resource_version_;
    bool is_told_to_wait_ = false;  // by the server, the last time
    unsigned failures_ = 0;         // in a row
    unsigned unanswered_ = 0;       // of them, the last ones
    unsigned expired_ = 0;          // LISTs and WATCHes in a row that were too old
    int silent_ = 0;                // watches in a row that said nothing
    bool has_spoken_ = false;
};

}  // namespace rotary::kubernetes
