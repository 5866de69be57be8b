#include "proxy/admit.hpp"

#include "proxy/asked_model.hpp"
#include "proxy/forwarding.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/form_body.hpp>

namespace rotary::proxy {

namespace {

// Whether the body that is announced can be given a model.
Result<void> check_body(Exchange& exchange, const routing::ModelPlace& place) {
    if (!exchange.request.has_body) {
        return Fault::client(FaultKind::length_required);
    }
    if (exchange.request.is_encoded) return Fault::client(FaultKind::unsupported_content_encoding);
    if (exchange.request.has_content_types) {
        return Fault::client(FaultKind::bad_request, "There is more than one Content-Type.");
    }
    if (exchange.content.body_kind == llm::BodyKind::json) return {};
    if (exchange.content.body_kind == llm::BodyKind::other) {
        return Fault::client(FaultKind::unsupported_media_type);
    }
    if (!place.may_be_field()) {
        return Fault::client(FaultKind::unsupported_media_type, "The body must be JSON.");
    }
    if (exchange.content.body_kind == llm::BodyKind::form) return {};
    if (place.part_head.empty()) {
        return Fault::client(FaultKind::unsupported_media_type, "The body must be JSON or a form.");
    }
    const auto boundary = llm::boundary_of(exchange.request.content_type);
    if (!boundary) return boundary.error();
    exchange.content.boundary = *boundary;
    return {};
}

// On a route with a rotation a model that can't be replaced would be the client's own.
Result<void> check_model_place(Context& context, Exchange& exchange) {
    const routing::ModelPlace& place = exchange.list()->model_place;
    switch (place.in) {
        case config::ValueLocation::In::body:
            return check_body(exchange, place);
        case config::ValueLocation::In::header:
            keep_model_of_head(context, exchange, place);
            return {};
        case config::ValueLocation::In::query:
            return {};
        case config::ValueLocation::In::path:
            break;
    }
    const config::PathRewrite* rewrite =
        exchange.match.route->rewrite ? &*exchange.match.route->rewrite : nullptr;
    const std::string_view path =
        exchange.match.rule->pattern.rewritten(exchange.request.path, rewrite, context.path);
    if (place.slot->find(path)) return {};
    return Fault::client(FaultKind::bad_request, "The path names no model where one must stand.");
}

// Whether a caller that may have some models only may have one here: where the list does not
// choose, the client would.
Result<void> check_models(const Exchange& exchange) {
    if (!exchange.is_narrowed()) return {};
    const routing::Route& route = *exchange.match.route;
    if (!route.list) {
        return Fault::client(FaultKind::model_not_allowed,
                             "This key is for some models only, and this API has no list of models "
                             "that would choose one of them.");
    }
    const routing::EntryList& list = exchange.snapshot().lists[*route.list];
    if (list.rotation_for(exchange.match.key_owner->model_set) != nullptr) return {};
    return Fault::client(FaultKind::model_not_allowed,
                         "This API has none of the models that this key is for.");
}

}  // namespace

Result<void> admit(Context& context, Exchange& exchange) {
    if (exchange.request.has_content_type) {
        exchange.content.body_kind = llm::body_kind(exchange.request.content_type);
    }
    if (exchange.request.body_length.value_or(0) > exchange.limits().body_bytes) {
        return Fault::client(FaultKind::request_too_large);
    }
    if (const auto models = check_models(exchange); !models) return models;
    const bool may_hold_body = carries_content(exchange.request.method);
    if (!exchange.request.has_body && may_hold_body && exchange.request.has_content_type) {
        return Fault::client(FaultKind::length_required);
    }
    if (!exchange.match.route->list) {
        if (exchange.routing().without_rotation == config::WithoutRotation::refuse) {
            return Fault::client(FaultKind::model_not_allowed,
                                 "This API has no list of models, and requests may not choose.");
        }
        const routing::ModelPlace* place = exchange.match.route->asked_model.get();
        if (place != nullptr) keep_model_of_head(context, exchange, *place);
        return write_forwarded_lines(context, exchange);
    }
    const routing::EntryList& list = exchange.snapshot().lists[*exchange.match.route->list];
    // Where the model stands in the body a request without one has no model to choose.
    const bool rotates = list.model_place.in != config::ValueLocation::In::body ||
                         exchange.request.has_body || may_hold_body;
    if (rotates) {
        exchange.tries.choice.list = *exchange.match.route->list;
        if (const auto placed = check_model_place(context, exchange); !placed) return placed;
    }
    return write_forwarded_lines(context, exchange);
}

}  // namespace rotary::proxy
