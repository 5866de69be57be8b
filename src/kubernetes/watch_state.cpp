#include "kubernetes/watch_state.hpp"

#include <algorithm>

namespace rotary::kubernetes {

namespace {

using std::chrono::milliseconds;
using How = Ending::How;

constexpr unsigned kGone = 410;
constexpr unsigned kNotFound = 404;
constexpr unsigned kForbidden = 403;
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kMostDoublings = 16;

}  // namespace

// What the server asks for, or a wait of its own that grows, a part of it by chance so that a fleet
// does not come back as one. A refusal behind an absence is an API server that starts, and is ready
// in a moment: the waits grow anew.
milliseconds WatchState::wait(const Ending& ending, double random) {
    if (ending.how != How::cut && unanswered_ >= kAbsence) failures_ = 0;
    unanswered_ = ending.how == How::cut ? unanswered_ + 1 : 0;
    is_told_to_wait_ = ending.retry_after.count() > 0;
    const unsigned doublings = std::min(failures_++, kMostDoublings);
    const milliseconds grown = std::min(kFirstWait * (1U << doublings), longest_);
    const milliseconds own(
        static_cast<milliseconds::rep>(static_cast<double>(grown.count()) * (0.5 + random / 2)));
    return is_told_to_wait_ ? ending.retry_after + own / 4 : own;
}

void WatchState::event(std::string_view resource_version) {
    if (!resource_version.empty()) resource_version_ = resource_version;
    has_spoken_ = true;
    failures_ = 0;
    expired_ = 0;
    standing_ = Standing::complete;
}

Step WatchState::listed(std::string_view resource_version) {
    resource_version_ = resource_version;
    standing_ = Standing::complete;
    is_complete_ = true;
    failures_ = 0;
    silent_ = 0;
    has_spoken_ = false;
    return {Step::Do::watch, milliseconds(0)};
}

Step WatchState::list_ended(const Ending& ending, double random) {
    if (ending.how == How::refused && ending.status == kGone) {
        // The pages were too slow: from the beginning, at once the first time.
        return list_after(expired_++ == 0 ? milliseconds(0) : wait(ending, random));
    }
    if (ending.how == How::refused && ending.status == kNotFound) {
        if (version_ + 1 < versions_) {
            ++version_;
            return list_after(milliseconds(0));
        }
        version_ = 0;
        failures_ = 0;
        standing_ = Standing::not_installed;
        is_complete_ = true;
        return list_after(longest_);
    }
    const bool has_no_right = ending.how == How::refused &&
                              (ending.status == kForbidden || ending.status == kUnauthorized);
    standing_ = has_no_right ? Standing::forbidden : Standing::away;
    return list_after(wait(ending, random));
}

Step WatchState::watch_ended(const Ending& ending, double random) {
    if (ending.how == How::clean) {
        silent_ = has_spoken_ ? 0 : silent_ + 1;
        has_spoken_ = false;
        const milliseconds pause = ending.was_quick ? wait(ending, random) : milliseconds(0);
        if (!ending.was_quick) failures_ = 0;
        if (silent_ < kSilentWatches) return {Step::Do::watch, pause};
        silent_ = 0;
        return list_after(pause);
    }
    has_spoken_ = false;
    const bool is_answer = ending.how == How::refused || ending.how == How::told;
    if (is_answer && ending.status == kGone) {
        return list_after(expired_++ == 0 ? milliseconds(0) : wait(ending, random));
    }
    if (ending.how == How::refused && ending.status == kNotFound) {
        version_ = 0;
        return list_after(milliseconds(0));  // which finds the version that is there, if one is
    }
    if (ending.how == How::told) return list_after(wait(ending, random));
    const bool has_no_right =
        is_answer && (ending.status == kForbidden || ending.status == kUnauthorized);
    standing_ = has_no_right ? Standing::forbidden : Standing::away;
    if (has_no_right) return list_after(wait(ending, random));
    return {Step::Do::watch, wait(ending, random)};
}

}  // namespace rotary::kubernetes
