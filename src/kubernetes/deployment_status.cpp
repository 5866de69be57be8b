#include <rotary/wire/json_document.hpp>
#include <rotary/wire/json_writer.hpp>
#include "kubernetes/json_member.hpp"
#include "kubernetes/status_text.hpp"

#include <vector>

namespace rotary::kubernetes {
namespace {

using wire::JsonValue;
using wire::JsonWriter;

struct Deployment {
    bool is_accepted;
    std::string_view status;
    std::string message;
    std::vector<std::string> events;
};

constexpr std::size_t kEventBytes = 1024;
constexpr std::size_t kEvents = 16;

Deployment deployment_of(const Verdict& verdict) {
    Deployment made{verdict.is_good(), "Deployed", "every worker serves by it", {}};
    if (verdict.outcome == Verdict::Outcome::held) {
        made.status = "Held";
    } else if (verdict.outcome == Verdict::Outcome::left_out) {
        made.status = "Invalid";
    }
    if (!verdict.is_good()) {
        made.message = said(verdict.findings, config::Severity::error);
    }
    if (verdict.outcome == Verdict::Outcome::held) {
        made.message += "; the version that was good before it goes on being served";
    }
    for (const config::Finding& finding : verdict.findings) {
        if (finding.severity == config::Severity::warning && made.events.size() < kEvents) {
            made.events.push_back(said(finding, kEventBytes));
        }
    }
    return made;
}

bool same_events(const std::optional<JsonValue>& written, const std::vector<std::string>& events) {
    if (!written || written->size() != events.size()) {
        return events.empty() && !written;
    }
    std::size_t i = 0;
    for (const JsonValue event : written->elements()) {
        if (event.string() != std::string_view(events[i++])) {
            return false;
        }
    }
    return true;
}

bool same_state(const std::optional<JsonValue>& written, const Deployment& wanted) {
    const std::optional<JsonValue> accepted = member(written, "accepted");
    return accepted && accepted->boolean() == wanted.is_accepted &&
           text_of(written, "status") == wanted.status;
}

}  // namespace

std::optional<std::string> api_status(JsonValue api, const Verdict& verdict, std::string_view now) {
    const Deployment wanted = deployment_of(verdict);
    const std::optional<JsonValue> written = member(api.find("status"), "deploymentStatus");
    const bool is_same = same_state(written, wanted);
    if (is_same && text_of(written, "message") == wanted.message &&
        same_events(member(written, "events"), wanted.events)) {
        return std::nullopt;
    }
    const std::string_view since = is_same ? text_of(written, "transitionTime") : now;
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.begin_object("metadata")
        .string("resourceVersion", text_of(api.find("metadata"), "resourceVersion"))
        .end_object();
    json.begin_object("status").begin_object("deploymentStatus");
    json.boolean("accepted", wanted.is_accepted);
    json.string("status", wanted.status);
    json.string("message", wanted.message);
    json.begin_array("events");
    for (const std::string& event : wanted.events) {
        json.string(event);
    }
    json.end_array();
    json.string("transitionTime", since.empty() ? now : since);
    json.end_object().end_object();
    json.end_object();
    return out;
}

}  // namespace rotary::kubernetes
