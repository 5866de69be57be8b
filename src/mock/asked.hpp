#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rotary::mock {

// What of OpenAI's API a path leads to, whatever stands before it.
enum class Endpoint : std::uint8_t { none, chat, completion, response, embedding, models };

Endpoint endpoint_of(std::string_view path) noexcept;

// What a request to one of them asks for.
struct Asked {
    Endpoint endpoint = Endpoint::none;
    bool valid = false;  // the body is a JSON object with a model that is a string
    std::string model;
    bool stream = false;
    bool include_usage = false;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t inputs = 1;      // of embeddings: how many texts
    std::uint64_t dimensions = 8;  // of embeddings: numbers in each
    bool base64 = false;           // of embeddings: packed as the official clients ask for them
};

// Embeddings that ask for more than OpenAI gives are not valid.
inline constexpr std::uint64_t kMostInputs = 2048;
inline constexpr std::uint64_t kMostDimensions = 3072;

Asked read_asked(Endpoint endpoint, const std::string& body);

}  // namespace rotary::mock
