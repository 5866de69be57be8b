#include "server/admission.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace rotary::server {

namespace {

// An idle session may ask for something just as it is to be closed. That often in a row only when
// hardly any is idle.
constexpr int kMostTries = 8;

metrics::SeriesId refused_series(metrics::Registry& registry, std::string_view reason) {
    return registry.counter("rotary_connections_refused_total",
                            "Client connections closed as they came.", {{"reason", reason}});
}

}  // namespace

Admission::Admission(const Parts& parts, metrics::Registry& registry, Serve serve)
    : parts_(parts),
      serve_(std::move(serve)),
      evicted_(registry.counter("rotary_connections_evicted_total",
                                "Idle client connections closed to make room for new ones.", {})),
      refused_by_limit_(refused_series(registry, "limit")),
      refused_by_descriptors_(refused_series(registry, "descriptors")) {}

void Admission::accept(std::size_t at, int fd) {
    if (parts_.sessions.admit()) {
        serve_(at, fd);
        return;
    }
    if (closed_ || parts_.limit->longest_idle() == nullptr) {
        refuse(fd);
        return;
    }
    doors_[at].waiting = fd;
    doors_[at].listener->pause();
    ask(at, 1);
}

// By way of the other's loop, which may be ours too: all that share the limit are joined before the
// first of them is destroyed.
void Admission::ask(std::size_t at, int tries) {
    net::SessionSet* const other = parts_.limit->longest_idle();
    if (other == nullptr || tries > kMostTries) {
        refuse(std::exchange(doors_[at].waiting, -1));
        doors_[at].listener->resume();
        return;
    }
    other->reactor().post([this, other, at, tries] {
        const auto idle = other->evict_longest_idle();
        parts_.reactor.post([this, at, idle, tries] { answered(at, idle, tries); });
    });
}

void Admission::answered(std::size_t at, std::optional<SteadyTime::duration> idle, int tries) {
    if (idle) note_evicted(*idle);
    if (doors_[at].waiting < 0) {
        if (idle) parts_.limit->give();
    } else if (idle || parts_.sessions.admit()) {
        let_in(at);
    } else {
        ask(at, tries + 1);
    }
}

void Admission::let_in(std::size_t at) {
    serve_(at, std::exchange(doors_[at].waiting, -1));
    doors_[at].listener->resume();
}

void Admission::refuse(int fd) {
    parts_.metrics.add(refused_by_limit_);  // before its client can see the end
    ::close(fd);
    std::uint64_t unsaid = 0;
    if (!refused_lines_.due(parts_.reactor.now(), unsaid)) return;
    parts_.log.warn(
        "a connection was refused: limits.connections is reached and none is idle",
        {{"limits.connections", parts_.limit->most()}, {"others_since_last_line", unsaid}});
}

void Admission::note_evicted(SteadyTime::duration idle) {
    parts_.metrics.add(evicted_);
    std::uint64_t unsaid = 0;
    if (!evicted_lines_.due(parts_.reactor.now(), unsaid)) return;
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(idle).count();
    parts_.log.warn("the longest idle connection was closed: limits.connections is reached",
                    {{"limits.connections", parts_.limit->most()},
                     {"idle_milliseconds", milliseconds},
                     {"others_since_last_line", unsaid}});
}

void Admission::close() noexcept {
    closed_ = true;
    for (Door& door : doors_) {
        if (door.waiting < 0) continue;
        ::close(std::exchange(door.waiting, -1));
        parts_.metrics.add(refused_by_limit_);
    }
}

}  // namespace rotary::server
