#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/quota/limit.hpp>
#include <rotary/wire/json_writer.hpp>

#include <cstdint>

namespace rotary::admin {

// How one counter of a limit stands, as members of the object that is open.
void write_standing(wire::JsonWriter& json, const quota::Limit& limit, const quota::Taken& stands);
// A limit, as members of the object that is open; without how it stands.
void write_limit_names(wire::JsonWriter& json, const quota::Limit& limit);

double used_ratio(const quota::Limit& limit, std::int64_t used) noexcept;

}  // namespace rotary::admin
