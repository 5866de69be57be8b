#include "kubernetes/kubernetes_source.hpp"

#include <map>
#include <string_view>

// What the source shows of itself.
namespace rotary::kubernetes {

namespace {

std::string_view word_of(WatchState::Standing standing) {
    switch (standing) {
        case WatchState::Standing::starting:
            return "starting";
        case WatchState::Standing::complete:
            return "watched";
        case WatchState::Standing::away:
            return "away";
        case WatchState::Standing::not_installed:
            return "not installed";
        case WatchState::Standing::forbidden:
            break;
    }
    return "forbidden";
}

}  // namespace

void KubernetesSource::write(wire::JsonWriter& json) const {
    json.string("kind", "kubernetes")
        .string("server", access_.url().authority)
        .boolean("connected", !away_since_)
        .number("away_seconds", away_for().count())
        .string("trouble", watches_.trouble())
        .begin_array("kinds");
    for (const auto& watch : watches_.watches()) {
        json.begin_object()
            .string("kind", watch->kind().name)
            .string("namespace", watch->selection().name_space)
            .string("standing", word_of(watch->state().standing()))
            .number("objects", watch->size())
            .boolean("is_removed", watch->holds_removed_kind())
            .end_object();
    }
    json.end_array().begin_array("held");
    for (const auto& [object, serves] : held_) {
        const auto finding = held_findings_.find(object);
        json.begin_object()
            .string("object", object)
            .string("in_force", serves)
            .string("finding", finding == held_findings_.end() ? "" : finding->second)
            .end_object();
    }
    json.end_array();
}

void KubernetesSource::sample(metrics::Exposition& out) const {
    out.gauge("rotary_kubernetes_up", "1 while the API server answers and all kinds are watched.",
              {}, away_since_ ? 0 : 1);
    std::map<std::string_view, std::size_t> objects;
    for (const auto& watch : watches_.watches()) objects[watch->kind().name] += watch->size();
    for (const auto& [kind, count] : objects) {
        out.gauge("rotary_kubernetes_objects", "Objects that the API server has, by kind.",
                  {{"kind", kind}}, static_cast<double>(count));
    }
    out.gauge("rotary_kubernetes_held_objects",
              "Objects that are not served as the API server has them.", {},
              static_cast<double>(held_.size()));
    out.counter("rotary_kubernetes_events_total", "Events that watches of the API server brought.",
                {}, static_cast<double>(watches_.events()));
    const StatusWriter::Counts& told = statuses_.counts();
    const auto counted = [&](std::string_view how, std::uint64_t count) {
        out.counter("rotary_kubernetes_told_total",
                    "What the cluster was told of its objects: status, event, or refused.",
                    {{"how", how}}, static_cast<double>(count));
    };
    counted("status", told.patches);
    counted("event", told.events);
    counted("refused", told.refusals);
}

}  // namespace rotary::kubernetes
