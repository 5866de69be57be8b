#include <rotary/routing/snapshot.hpp>

#include <rotary/base/hop_by_hop.hpp>
#include <rotary/wire/forwarded_headers.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>

namespace rotary::routing {

namespace {

template <class Settle>
Passages settled(Settle settle) {
    Passages passages;
    for (std::size_t i = 1; i < wire::kFields; ++i) {
        const auto field = static_cast<wire::Field>(i);
        const std::string_view name = wire::name_of(field);
        passages.set(field, text::is_hop_by_hop(name) ? Passage::stays : settle(name));
    }
    return passages;
}

void ask_edited(const config::HeaderModifier& edits, Passages& passages) {
    for (const std::string& name : edits.remove) passages.ask(name);
    for (const config::HeaderEdit& edit : edits.set) passages.ask(edit.name);
}

Passages request_passages(const Forwarding& forwarding) {
    return settled([&](std::string_view name) {
        const bool goes =
            forwarding.lets_through(name) && !forwarding.credential_headers.contains(name);
        return goes ? Passage::goes : Passage::stays;
    });
}

Passages answer_passages() {
    return settled([](std::string_view name) {
        if (wire::is_withheld_from_client(name)) return Passage::stays;
        return name.starts_with("x-ratelimit-") ? Passage::asks : Passage::goes;
    });
}

// Those names ask of which the route itself says something.
void narrow_requests(const Snapshot& snapshot, const Route& route, Passages& passages) {
    if (!route.auth.oauth2.disabled) passages.ask(route.auth.oauth2.header);
    if (!route.auth.jwt.disabled) passages.ask(route.auth.jwt.header);
    for (const config::ApiKeyLocation& key : route.auth.api_keys) {
        if (key.in == config::ApiKeyLocation::In::header) passages.ask(key.name);
    }
    ask_edited(route.request_headers, passages);
    if (!route.list) return;
    const ModelPlace& place = snapshot.lists[*route.list].model_place;
    if (place.in == config::ValueLocation::In::header) passages.ask(place.name);
}

void narrow_answers(const Route& route, Passages& passages) {
    ask_edited(route.response_headers, passages);
    if (!route.cors) return;
    for (const std::string_view name : wire::fields::kNames) {
        if (name.starts_with("access-control-")) passages.ask(name);
    }
}

}  // namespace

bool Forwarding::lets_through(std::string_view name) const noexcept {
    if (wire::goes_on_to_provider(name)) return true;
    return std::any_of(
               header_globs.begin(), header_globs.end(),
               [name](const std::string& glob) { return wire::matches_glob(glob, name); }) &&
           wire::may_go_on_to_provider(name);
}

void settle_passages(Snapshot& snapshot) {
    const Passages requests = request_passages(snapshot.forwarding);
    const Passages answers = answer_passages();
    for (Route& route : snapshot.routes) {
        route.request_passages = requests;
        narrow_requests(snapshot, route, route.request_passages);
        route.answer_passages = answers;
        narrow_answers(route, route.answer_passages);
    }
}

}  // namespace rotary::routing
