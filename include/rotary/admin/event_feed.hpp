#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/proxy/wiring.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

namespace rotary::admin {

// What happened, for those who look at it afterwards or listen: suspensions, resumes, reloads, the
// drain. Control thread only.
class EventFeed {
public:
    // One who listens. It is told of each message, ready to be sent as an event of
    // text/event-stream, and must not unsubscribe then.
    using Hear = std::function<void(std::string_view message)>;
    using Place = std::list<Hear>::iterator;

    void set_limits(std::size_t events, std::size_t subscribers);
    // `what`: the subject, an entry's id or a sentence.
    void add(std::string_view kind, std::string_view what, std::string_view detail, WallTime now);
    // To those who listen now; it is not kept.
    void tell(std::string_view event, std::string_view json);

    bool has_room() const noexcept { return subscribers_.size() < most_subscribers_; }
    bool is_heard() const noexcept { return !subscribers_.empty(); }
    Place subscribe(Hear hear) { return subscribers_.insert(subscribers_.end(), std::move(hear)); }
    void unsubscribe(Place place) { subscribers_.erase(place); }

    // {"events":[…]}, the newest first.
    std::string json() const;
    // All that are kept, the oldest first, for one who begins to listen.
    std::string messages() const;

private:
    struct Event {
        std::uint64_t id;
        std::string json;
    };
    static std::string message(const Event& event);

    std::size_t most_events_ = 0;
    std::size_t most_subscribers_ = 0;
    std::uint64_t last_id_ = 0;
    std::deque<Event> events_;
    std::list<Hear> subscribers_;
};

// Notices entries that went out of the rotation or came back since it last looked.
class EntryWatch {
public:
    void look(const proxy::Wiring& wiring, const Now& now, EventFeed& feed);

private:
    struct Seen {
        bool out = false;
        SteadyTime until;
    };
    std::map<std::string, Seen, std::less<>> seen_;
};

}  // namespace rotary::admin
