#pragma once

#include "kubernetes/verdict.hpp"

#include <rotary/wire/json_document.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// Who writes these conditions (Gateway API, RouteParentStatus.controllerName).
inline constexpr std::string_view kController = "rotary.dev/gateway";

// The merge patch (RFC 7396) of an object's status that says what has come of it, against the
// object as it is now, whose resourceVersion it names: another's write in between makes it fail.
// Nothing when the object says that already. `now` is RFC 3339, for what changes; what stays keeps
// its time.

// Of an HTTPRoute: an entry of status.parents for each of its parentRefs, with the conditions
// Accepted, ResolvedRefs and Programmed. The list is atomic, so other controllers' entries are
// repeated as they are. Nothing for a route without parentRefs.
std::optional<std::string> route_status(wire::JsonValue route, const Verdict& verdict,
                                        std::string_view now);

bool names_parents(wire::JsonValue route);

// Of an API: status.deploymentStatus, as WSO2's definition has it.
std::optional<std::string> api_status(wire::JsonValue api, const Verdict& verdict,
                                      std::string_view now);

}  // namespace rotary::kubernetes
