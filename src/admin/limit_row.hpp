#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/quota/limit_use.hpp>
#include <rotary/wire/json_writer.hpp>

namespace rotary::admin {

// How one counter of a limit stands, of all replicas where they share it; what is not known of
// these by now is asked for, and a later look knows it.
quota::LimitUse look_at(const quota::Limit& limit, const quota::HeldCounter& counter,
                        WallTime now) noexcept;
// The same of the counter that those share who have none of their own.
quota::LimitUse look_at(const quota::Limit& limit, WallTime now) noexcept;

// How one counter of a limit stands, as members of the object that is open.
void write_standing(wire::JsonWriter& json, const quota::Limit& limit, const quota::LimitUse& use);
// A limit, as members of the object that is open; without how it stands.
void write_limit_names(wire::JsonWriter& json, const quota::Limit& limit);
// Both, as an object.
void write_limit(wire::JsonWriter& json, const quota::Limit& limit, const quota::LimitUse& use);

}  // namespace rotary::admin
