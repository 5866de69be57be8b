#pragma once

#include <mock/asked.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rotary::mock {

// What an answer of any kind is made of.
struct Told {
    std::uint64_t id = 0;
    std::string model;               // as the answer names it
    std::vector<std::string> words;  // escaped, as they stand in a chunk
    std::string content() const;     // all of them
};

// A whole answer, as OpenAI's API gives it.
std::string plain_body(const Asked& asked, const Told& told);

// The events of a stream, each with its empty line.
std::vector<std::string> stream_events(const Asked& asked, const Told& told);

}  // namespace rotary::mock
