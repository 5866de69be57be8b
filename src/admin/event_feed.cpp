#include <rotary/admin/event_feed.hpp>

#include <rotary/wire/json_writer.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace rotary::admin {

void EventFeed::set_limits(std::size_t events, std::size_t subscribers) {
    most_events_ = events;
    most_subscribers_ = subscribers;
    while (events_.size() > most_events_) events_.pop_front();
}

std::string EventFeed::message(const Event& event) {
    std::string out = "id: " + std::to_string(event.id);
    out.append("\nevent: event\ndata: ").append(event.json).append("\n\n");
    return out;
}

void EventFeed::add(std::string_view kind, std::string_view what, std::string_view detail,
                    WallTime now) {
    Event event{++last_id_, {}};
    TimestampBuffer time;
    wire::JsonWriter(event.json)
        .begin_object()
        .number("id", event.id)
        .string("time", format_timestamp(now, time))
        .string("kind", kind)
        .string("what", what)
        .string("detail", detail)
        .end_object();
    const std::string text = message(event);
    for (const Hear& hear : subscribers_) hear(text);
    if (most_events_ == 0) return;
    if (events_.size() == most_events_) events_.pop_front();
    events_.push_back(std::move(event));
}

void EventFeed::tell(std::string_view event, std::string_view json) {
    while (!json.empty() && json.back() == '\n') json.remove_suffix(1);
    std::string text = "event: ";
    text.append(event).append("\ndata: ");
    // Between JSON's values an end of line is a space; here it would end the data.
    std::replace_copy(json.begin(), json.end(), std::back_inserter(text), '\n', ' ');
    text.append("\n\n");
    for (const Hear& hear : subscribers_) hear(text);
}

std::string EventFeed::json() const {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("events");
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) json.raw(event->json);
    json.end_array().end_object();
    out.push_back('\n');
    return out;
}

std::string EventFeed::messages() const {
    std::string out;
    for (const Event& event : events_) out += message(event);
    return out;
}

void EntryWatch::look(const proxy::Wiring& wiring, const Now& now, EventFeed& feed) {
    decltype(seen_) next;
    for (const routing::EntryList& list : wiring.snapshot->lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            const rotation::EntryState& state = list.rotation.state(i);
            const std::string& id = list.entries[i].id;
            const Seen is{state.standing(now.steady) != rotation::Standing::active, state.until()};
            const auto known = seen_.find(id);
            const bool was_out = known != seen_.end() && known->second.out;
            const bool again = was_out && known->second.until < is.until;
            if (is.out && (!was_out || again)) {
                const auto left = std::chrono::ceil<std::chrono::seconds>(is.until - now.steady);
                std::string why(rotation::to_string(state.reason()));
                if (left.count() > 0) why += ", " + std::to_string(left.count()) + " s";
                feed.add("suspended", id, why, now.wall);
            } else if (!is.out && was_out) {
                feed.add("resumed", id, "", now.wall);
            }
            next.emplace(id, is);
        }
    }
    seen_ = std::move(next);
}

}  // namespace rotary::admin
