#pragma once

#include <mock/bodies.hpp>

namespace rotary::mock {

// OpenAI's Responses API: an answer with its text as one message, and the events that tell it, from
// response.created to response.completed. These streams have no [DONE].
std::string response_body(const Asked& asked, const Told& told);
std::vector<std::string> response_events(const Asked& asked, const Told& told);

}  // namespace rotary::mock
