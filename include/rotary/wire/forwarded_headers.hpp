#pragma once

#include <string_view>

// Which fields of a client's request go on to a provider (README.md, "What goes on to a provider").
// A list of those that do: which names hold credentials no list can know.
namespace rotary::wire {

// The names that always go on: content-*, accept*, if-*, user-agent, range, prefer, the trace
// context, idempotency-key and what the SDKs of providers mean for them.
bool goes_on_to_provider(std::string_view name) noexcept;

// Whether a name says that its value lets its bearer in ("x-auth-token", "cookie2"): it stays here,
// whatever a glob of routing.forward_headers says.
bool names_credential(std::string_view name) noexcept;

// Whether a glob may let the name through: no credential, and none of the fields that every request
// to a provider has of ours.
bool may_go_on_to_provider(std::string_view name) noexcept;

// `*` is any run of characters; ASCII case makes no difference.
bool matches_glob(std::string_view glob, std::string_view name) noexcept;

}  // namespace rotary::wire
