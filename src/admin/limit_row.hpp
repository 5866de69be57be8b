#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/quota/limit.hpp>
#include <rotary/wire/json_writer.hpp>

namespace rotary::admin {

// How the counter stands that those share who have none of their own.
quota::Taken standing_of(const quota::Limit& limit, WallTime now) noexcept;

// How one counter of a limit stands, as members of the object that is open.
void write_standing(wire::JsonWriter& json, const quota::Limit& limit, const quota::Taken& stands);
// A limit, as members of the object that is open; without how it stands.
void write_limit_names(wire::JsonWriter& json, const quota::Limit& limit);
// Both, as an object.
void write_limit(wire::JsonWriter& json, const quota::Limit& limit, const quota::Taken& stands);

}  // namespace rotary::admin
