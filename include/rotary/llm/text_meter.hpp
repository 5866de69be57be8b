#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::llm {

// Counts the bytes of text in the events of one stream, for an estimate should none of them tell
// how many tokens it was. The text stands at the same place of one event after another, so that
// most cost a look at that place.
class TextMeter {
public:
    void measure(std::string_view event) noexcept;  // its data
    std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::size_t text_at(std::string_view event) noexcept;

    std::uint64_t bytes_ = 0;
    std::size_t key_ = 0;  // among the names that text has
    std::size_t at_ = 0;   // where the text began that was found last
};

}  // namespace rotary::llm
