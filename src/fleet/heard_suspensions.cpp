// What SharedSuspensions hears from the others, and reads of what they have written.
#include <rotary/base/text.hpp>
#include <rotary/fleet/place_question.hpp>
#include <rotary/fleet/shared_suspensions.hpp>

#include <algorithm>
#include <utility>

namespace rotary::fleet {

namespace {

constexpr std::chrono::seconds kPause{1};
// Two clocks and a way between them: ends that differ by less are the same one.
constexpr std::chrono::milliseconds kSameEnd{50};
// Those who said it have found by then that it is lost. A thousand replicas are spread so far that
// few speak before they hear the first.
constexpr std::chrono::milliseconds kSayHeardAfter{1200};
constexpr std::chrono::milliseconds kSayHeardWithin{2000};

// As TIME replies: seconds and microseconds.
std::optional<std::chrono::milliseconds> time_of(const Reply& reply) {
    if (reply.kind != Reply::Kind::array || reply.elements.size() != 2) return std::nullopt;
    const auto seconds = text::parse_unsigned(reply.elements[0].text);
    const auto micros = text::parse_unsigned(reply.elements[1].text);
    if (!seconds || !micros) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000 + *micros / 1000));
}

}  // namespace

void SharedSuspensions::on_ready() {
    door_->is_ready = true;
    look_again();
}

void SharedSuspensions::on_lost() {
    door_->is_ready = false;
    is_informed_ = false;
    is_reading_ = false;
}

void SharedSuspensions::on_message(std::string_view message) {
    if (parse_wish(message)) return;  // about requests in flight
    const auto event = parse_event(message);
    if (!event) {
        ++counts_.ignored;
        return;
    }
    if (event->number == number_ + 1) ++number_;
    hear(*event);
    if (born_ == 0) look_again();  // it is a new hash
}

void SharedSuspensions::hear(const SuspensionEvent& event) {
    const auto found = entries_.find(event.entry);
    if (found == entries_.end()) {
        ++counts_.unknown;
        return;
    }
    Entry& entry = found->second;
    const bool is_own = event.outage.replica == options_.replica;
    entry.number = event.number;
    if (event.kind != SuspensionEvent::Kind::out) {
        // Its own word on a probe before it was suspended anew, which the next event will say.
        if (is_own && entry.said) return;
        return hear_back(found->first, entry, event.kind);
    }
    const SteadyTime now = door_->timers->now();
    const SteadyTime until = now + std::min(event.left, options_.longest);
    const auto state = entry.state.lock();
    const bool is_crossed = state && state->until() == SteadyTime::min();
    if (!is_own || is_crossed) hear_out(found->first, entry, event.outage, until);
}

void SharedSuspensions::hear_out(const std::string& id, Entry& entry, const ToldOutage& told,
                                 SteadyTime until) {
    const auto state = entry.state.lock();
    if (!state) return;
    const SteadyTime now = door_->timers->now();
    until = std::max(until, now);  // what is over is still to be probed
    entry.is_told = true;
    entry.until = std::max(entry.until, until);
    const auto lasts = std::min(told.lasts, options_.longest);
    const rotation::Outage outage{until, lasts, told.times, told.reason};
    if (!entry.heard || entry.heard->until < until) entry.heard = outage;
    if (!state->hear_out(outage)) return;
    ++counts_.heard;
    const std::chrono::duration<double> left = until - now;
    log_.warn("model suspended by another replica", {{"entry", id},
                                                     {"reason", rotation::to_string(told.reason)},
                                                     {"seconds", left.count()},
                                                     {"replica", told.replica}});
}

void SharedSuspensions::hear_back(const std::string& id, Entry& entry, SuspensionEvent::Kind kind) {
    entry.said.reset();
    entry.heard.reset();
    entry.is_told = false;
    const auto state = entry.state.lock();
    if (!state) return;
    const bool is_resumed = kind == SuspensionEvent::Kind::resumed;
    if (!(is_resumed ? state->hear_resumed() : state->hear_back())) return;
    ++counts_.heard;
    log_.info("model brought back by another replica", {{"entry", id}, {"resumed", is_resumed}});
}

void SharedSuspensions::look_again() {
    look_again_ = true;
    if (is_reading_ || !store_.is_ready()) return;
    is_reading_ = true;
    look_again_ = false;
    asked_number_ = number_;
    auto now = std::make_shared<std::optional<std::chrono::milliseconds>>();
    store_.ask({"TIME"}, [now](const Reply& reply) { *now = time_of(reply); });
    store_.ask({"HGETALL", hash_}, [token = token_, now](const Reply& reply) {
        if (*token == nullptr) return;
        SharedSuspensions& owner = **token;
        owner.is_reading_ = false;
        if (*now && reply.kind == Reply::Kind::array) {
            owner.read(**now, reply);
        } else {
            owner.look_again_ = true;
        }
    });
}

SharedSuspensions::Rows SharedSuspensions::rows_of(const Reply& reply) {
    Rows rows;
    std::uint64_t number = 0;
    std::uint64_t born = 0;
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
        const std::string& field = reply.elements[i].text;
        const std::string& value = reply.elements[i + 1].text;
        if (field == "#") {
            number = text::parse_unsigned(value).value_or(0);
        } else if (field == "@") {
            born = text::parse_unsigned(value).value_or(0);
        } else if (auto row = parse_row(value)) {
            rows.emplace(field, std::move(*row));
        } else {
            ++counts_.ignored;
        }
    }
    take_number(number, born);
    return rows;
}

// Behind a flush, or from a replica of Redis that lags behind, an absent row means nothing.
void SharedSuspensions::take_number(std::uint64_t number, std::uint64_t born) {
    is_same_hash_ = born != 0 && born == born_ && number >= asked_number_;
    read_number_ = number;
    born_ = born;
    if (is_same_hash_) {
        number_ = std::max(number, number_);  // more may have been heard while it was on its way
        return;
    }
    number_ = number;
    for (auto& [id, entry] : entries_) entry.number = 0;
}

void SharedSuspensions::read(std::chrono::milliseconds now, const Reply& reply) {
    const Rows rows = rows_of(reply);
    for (auto& [id, entry] : entries_) {
        const auto row = rows.find(id);
        compare(id, entry, row == rows.end() ? nullptr : &row->second, now);
    }
    is_informed_ = true;
    for (const auto& informed : std::exchange(informed_, {})) informed();
    if (look_again_) look_again();
}

void SharedSuspensions::compare(const std::string& id, Entry& entry, const SuspensionRow* row,
                                std::chrono::milliseconds now) {
    if (entry.number > read_number_) return;  // what was heard is later than what was read
    const auto state = entry.state.lock();
    if (!state) return;
    const SteadyTime here = door_->timers->now();
    SteadyTime until = SteadyTime::min();
    if (row != nullptr) until = here + std::min(row->ends - now, options_.longest);
    const bool is_later = until > entry.until + kSameEnd;
    if (entry.unsaid != Back::none && !is_later) {
        const Back how = std::exchange(entry.unsaid, Back::none);
        if (row == nullptr && how == Back::probe_passed) return;
        entry.unsaid = how;
        return say_back(id, how);
    }
    entry.unsaid = Back::none;
    const bool is_active = state->until() == SteadyTime::min();
    if (row != nullptr && (is_later || is_active)) hear_out(id, entry, row->outage, until);
    if (row == nullptr && entry.is_told && is_same_hash_) {
        return hear_back(id, entry, SuspensionEvent::Kind::back);
    }
    const auto is_lost = [&](const std::optional<rotation::Outage>& known) {
        return known && known->until > here && until + kSameEnd < known->until;
    };
    if (row == nullptr || is_lost(entry.heard)) entry.is_told = false;
    if (is_lost(entry.said)) return say_out(id, *entry.said);
    if (is_lost(entry.heard)) say_heard_later();
}

void SharedSuspensions::say_heard_later() {
    if (std::exchange(says_heard_, true)) return;
    const auto within = std::chrono::milliseconds(random_() % (kSayHeardWithin.count() + 1));
    door_->timers->after(kSayHeardAfter + within, [token = token_] {
        if (*token != nullptr) (*token)->say_heard();
    });
}

void SharedSuspensions::say_heard() {
    says_heard_ = false;
    for (const auto& [id, entry] : entries_) {
        if (!entry.is_told && entry.heard) say_out(id, *entry.heard);
    }
}

void SharedSuspensions::each_second() {
    door_->is_ready = store_.is_ready();
    if (store_.is_ready() && !is_reading_) {
        if (look_again_ || !is_informed_) {
            look_again();
        } else {
            compare_number();
        }
    }
    door_->timers->after(kPause, [token = token_] {
        if (*token != nullptr) (*token)->each_second();
    });
}

// Another number than what was heard: an event was missed, or the hash is another one.
void SharedSuspensions::compare_number() {
    store_.ask({"HGET", hash_, "#"}, [token = token_](const Reply& reply) {
        if (*token == nullptr || !reply.is_answer()) return;
        const std::uint64_t number = text::parse_unsigned(reply.text).value_or(0);
        if (number == (*token)->number_) return;
        ++(*token)->counts_.repairs;
        (*token)->look_again();
    });
}

}  // namespace rotary::fleet
