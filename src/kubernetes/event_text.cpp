#include "kubernetes/event_text.hpp"

#include <rotary/wire/json_writer.hpp>
#include "kubernetes/status_text.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace rotary::kubernetes {
namespace {

constexpr std::size_t kNoteBytes = 1024;  // of an Event's note (events.k8s.io/v1)
constexpr std::size_t kNameBytes = 253;   // of any object's
constexpr std::chrono::minutes kSameNews{10};

struct News {
    std::string_view type;  // Normal or Warning
    std::string_view reason;
    std::string note;
};

// The same in every process: FNV-1a.
std::uint64_t hash(std::uint64_t seed, std::string_view text) {
    for (const char c : text) {
        seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return (seed ^ 0xFFU) * 1099511628211U;
}

std::string name_of(const Regarded& object, const News& news, WallTime now) {
    const auto window = now.time_since_epoch() / kSameNews;
    std::uint64_t mixed = hash(1469598103934665603U, object.uid);
    mixed = hash(mixed, news.reason);
    mixed = hash(mixed, news.note);
    mixed = hash(mixed, std::to_string(window));
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string suffix = ".";
    for (int shift = 60; shift >= 0; shift -= 4) {
        suffix += kDigits[mixed >> static_cast<unsigned>(shift) & 0xFU];
    }
    return object.name.substr(0, kNameBytes - suffix.size()) + suffix;
}

EventText event(const Regarded& object, const News& news, std::string_view instance, WallTime now) {
    EventText made{name_of(object, news, now), ""};
    TimestampBuffer buffer;
    std::string time(format_timestamp(now, buffer));
    time.insert(time.size() - 1, "000");  // MicroTime has six decimals
    wire::JsonWriter json(made.body);
    json.begin_object();
    json.string("apiVersion", "events.k8s.io/v1").string("kind", "Event");
    json.begin_object("metadata").string("name", made.name);
    json.string("namespace", object.name_space).end_object();
    json.string("eventTime", time).string("type", news.type).string("reason", news.reason);
    json.string("action", "Load").string("note", news.note);
    json.string("reportingController", kController).string("reportingInstance", instance);
    json.begin_object("regarding").string("apiVersion", object.api_version);
    json.string("kind", object.kind).string("namespace", object.name_space);
    json.string("name", object.name).string("uid", object.uid).end_object();
    json.end_object();
    return made;
}

std::string_view reason_of(const config::Finding& finding) {
    if (finding.severity == config::Severity::error) {
        return is_reference(finding) ? "ReferenceNotFound" : "Invalid";
    }
    return finding.message.starts_with("is not served") ? "NotServed" : "Noticed";
}

}  // namespace

EventText event_of(const Regarded& object, const config::Finding& finding,
                   std::string_view instance, WallTime now) {
    return event(object, {"Warning", reason_of(finding), said(finding, kNoteBytes)}, instance, now);
}

std::string whole_seconds(WallTime time) {
    TimestampBuffer buffer;
    return std::string(format_timestamp(time, buffer).substr(0, 19)) + 'Z';
}

}  // namespace rotary::kubernetes
