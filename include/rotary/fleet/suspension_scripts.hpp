#pragma once

#include <rotary/fleet/script.hpp>

#include <string>
#include <string_view>

namespace rotary::fleet {

// "{rotary:NS}:WHAT". The braces keep all keys of a fleet in one slot of a Redis Cluster.
std::string fleet_key(std::string_view name_space, std::string_view what);

// KEYS: the hash, the entry's lease of the probe. ARGV: channel, entry, milliseconds left, those
// from its beginning, times, reason, replica, the longest time that is believed. Only extends what
// is there. Replies 1, or 0 where it is out for longer already.
const Script& suspend_script();

// KEYS as above. ARGV: channel, entry, "b" or "r", replica, the longest time. Replies 1.
const Script& back_script();

// KEYS: the set of replicas. ARGV: replica, milliseconds after which one is gone. Replies how many
// are there, this one too.
const Script& present_script();

// KEYS and ARGV: as above, without the time. Replies 1.
const Script& leave_script();

}  // namespace rotary::fleet
