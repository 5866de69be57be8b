#pragma once

#include <demo/check.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// The events of a chat's stream, as the demo reads and shows them.
namespace rotary::demo {

// Takes the whole events from the front of `pending`.
void take_events(std::string& pending, std::chrono::milliseconds at,
                 std::vector<StreamSeen::Event>& events);

// The text that one event of a chat stream adds; nothing when it is no such event.
std::optional<std::string> delta_of(const std::string& data);

// When it came and what it adds, or that it is the end; empty when there is nothing to show.
std::string event_row(const StreamSeen::Event& event);

}  // namespace rotary::demo
