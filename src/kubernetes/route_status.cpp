#include <rotary/wire/json_copy.hpp>
#include <rotary/wire/json_writer.hpp>
#include "kubernetes/json_member.hpp"
#include "kubernetes/status_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace rotary::kubernetes {
namespace {

using wire::JsonValue;
using wire::JsonWriter;

struct Condition {
    std::string_view type;
    bool is_true;
    std::string_view reason;
    std::string message;
};
using Conditions = std::array<Condition, 3>;

Condition accepted(const Verdict& verdict) {
    std::vector<config::Finding> own;
    for (const config::Finding& finding : verdict.findings) {
        if (!is_reference(finding)) {
            own.push_back(finding);
        }
    }
    if (config::has_errors(own)) {
        return {"Accepted", false, "UnsupportedValue", said(own, config::Severity::error)};
    }
    return {"Accepted", true, "Accepted", said(own, config::Severity::warning)};
}

Condition resolved(const Verdict& verdict) {
    std::vector<config::Finding> references;
    std::copy_if(verdict.findings.begin(), verdict.findings.end(), std::back_inserter(references),
                 is_reference);
    if (!references.empty()) {
        return {"ResolvedRefs", false, "BackendNotFound",
                said(references, config::Severity::error)};
    }
    return {"ResolvedRefs", true, "ResolvedRefs", ""};
}

Condition programmed(const Verdict& verdict) {
    switch (verdict.outcome) {
        case Verdict::Outcome::live:
            return {"Programmed", true, "Programmed", "every worker serves by it"};
        case Verdict::Outcome::held:
            return {"Programmed", false, "Invalid",
                    "the version that was good before it goes on being served"};
        case Verdict::Outcome::left_out:
            break;
    }
    return {"Programmed", false, "Invalid", "it is not served"};
}

// Whether two references name the same place. The namespace is the route's where it is left out.
bool same_parent(JsonValue one, JsonValue other, std::string_view name_space) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTexts{{
        {"group", "gateway.networking.k8s.io"},
        {"kind", "Gateway"},
        {"name", ""},
        {"sectionName", ""},
    }};
    for (const auto& [key, otherwise] : kTexts) {
        if (text_of(one, key, otherwise) != text_of(other, key, otherwise)) {
            return false;
        }
    }
    const auto port_of = [](JsonValue of) {
        const std::optional<JsonValue> port = of.find("port");
        return port ? port->integer().value_or(0) : 0;
    };
    return port_of(one) == port_of(other) &&
           text_of(one, "namespace", name_space) == text_of(other, "namespace", name_space);
}

// What there is to be said, and what is said by now.
class RouteStatus {
public:
    RouteStatus(JsonValue route, const Verdict& verdict, std::string_view now)
        : route_(route),
          conditions_{accepted(verdict), resolved(verdict), programmed(verdict)},
          now_(now) {
        const std::optional<JsonValue> metadata = route.find("metadata");
        name_space_ = text_of(metadata, "namespace");
        version_ = text_of(metadata, "resourceVersion");
        const std::optional<JsonValue> generation = member(metadata, "generation");
        generation_ = generation ? generation->integer().value_or(0) : 0;
        parent_refs_ = member(route.find("spec"), "parentRefs");
        written_ = member(route.find("status"), "parents");
    }

    bool is_written() const;
    std::string patch() const;

private:
    bool is_own(JsonValue entry) const { return text_of(entry, "controllerName") == kController; }
    std::optional<JsonValue> own_entry(JsonValue parent_ref) const;
    bool says(JsonValue entry, const Condition& condition) const;
    void write_condition(JsonWriter& json, const Condition& condition,
                         const std::optional<JsonValue>& entry) const;
    void write_entry(JsonWriter& json, JsonValue parent_ref) const;

    JsonValue route_;
    Conditions conditions_;
    std::string_view now_;
    std::string_view name_space_;
    std::string_view version_;
    std::int64_t generation_ = 0;
    std::optional<JsonValue> parent_refs_;
    std::optional<JsonValue> written_;
};

std::optional<JsonValue> condition_of(const std::optional<JsonValue>& entry,
                                      std::string_view type) {
    const std::optional<JsonValue> conditions = member(entry, "conditions");
    if (!conditions) {
        return std::nullopt;
    }
    for (const JsonValue condition : conditions->elements()) {
        if (text_of(condition, "type") == type) {
            return condition;
        }
    }
    return std::nullopt;
}

std::string_view word(bool is_true) { return is_true ? "True" : "False"; }

std::optional<JsonValue> RouteStatus::own_entry(JsonValue parent_ref) const {
    if (!written_) {
        return std::nullopt;
    }
    for (const JsonValue entry : written_->elements()) {
        const std::optional<JsonValue> its = entry.find("parentRef");
        if (is_own(entry) && its && same_parent(*its, parent_ref, name_space_)) {
            return entry;
        }
    }
    return std::nullopt;
}

bool RouteStatus::says(JsonValue entry, const Condition& condition) const {
    const std::optional<JsonValue> found = condition_of(entry, condition.type);
    const std::optional<JsonValue> generation = member(found, "observedGeneration");
    return found && text_of(found, "status") == word(condition.is_true) &&
           text_of(found, "reason") == condition.reason &&
           text_of(found, "message") == condition.message && generation &&
           generation->integer() == generation_;
}

bool RouteStatus::is_written() const {
    for (const JsonValue parent_ref : parent_refs_->elements()) {
        const std::optional<JsonValue> entry = own_entry(parent_ref);
        if (!entry || !std::all_of(conditions_.begin(), conditions_.end(),
                                   [&](const Condition& one) { return says(*entry, one); })) {
            return false;
        }
    }
    // An entry for a parent that the route does not name any more must go.
    std::size_t own = 0;
    for (const JsonValue entry : written_->elements()) {
        if (is_own(entry)) {
            ++own;
        }
    }
    return own == parent_refs_->size();
}

void RouteStatus::write_condition(JsonWriter& json, const Condition& condition,
                                  const std::optional<JsonValue>& entry) const {
    const std::optional<JsonValue> before = condition_of(entry, condition.type);
    const bool is_same = before && text_of(before, "status") == word(condition.is_true);
    json.begin_object();
    json.string("type", condition.type);
    json.string("status", word(condition.is_true));
    json.string("reason", condition.reason);
    json.string("message", condition.message);
    json.number("observedGeneration", generation_);
    json.string("lastTransitionTime", is_same ? text_of(before, "lastTransitionTime", now_) : now_);
    json.end_object();
}

void RouteStatus::write_entry(JsonWriter& json, JsonValue parent_ref) const {
    std::string parent;
    wire::append_json(parent, parent_ref);
    const std::optional<JsonValue> entry = own_entry(parent_ref);
    json.begin_object();
    json.raw("parentRef", parent);
    json.string("controllerName", kController);
    json.begin_array("conditions");
    for (const Condition& condition : conditions_) {
        write_condition(json, condition, entry);
    }
    json.end_array();
    json.end_object();
}

std::string RouteStatus::patch() const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.begin_object("metadata").string("resourceVersion", version_).end_object();
    json.begin_object("status").begin_array("parents");
    if (written_) {
        for (const JsonValue entry : written_->elements()) {
            if (!is_own(entry)) {
                std::string other;
                wire::append_json(other, entry);
                json.raw(other);
            }
        }
    }
    for (const JsonValue parent_ref : parent_refs_->elements()) {
        write_entry(json, parent_ref);
    }
    json.end_array().end_object();
    json.end_object();
    return out;
}

}  // namespace

bool names_parents(JsonValue route) {
    const std::optional<JsonValue> parents = member(route.find("spec"), "parentRefs");
    return parents && parents->size() > 0;
}

std::optional<std::string> route_status(JsonValue route, const Verdict& verdict,
                                        std::string_view now) {
    if (!names_parents(route)) {
        return std::nullopt;
    }
    const RouteStatus status(route, verdict, now);
    if (status.is_written()) {
        return std::nullopt;
    }
    return status.patch();
}

}  // namespace rotary::kubernetes
