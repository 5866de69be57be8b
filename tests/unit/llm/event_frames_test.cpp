#include <rotary/llm/event_frames.hpp>
#include <rotary/llm/usage_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

std::string number(std::size_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return text;
}

// The bytes between are those that JSON would be led astray by.
std::string frame(const std::string& headers, const std::string& payload) {
    std::string text = number(16 + headers.size() + payload.size()) + number(headers.size());
    text.append("{\"{[").append(headers).append(payload).append("\"{\"\\");
    return text;
}

// Each payload with a bar behind it.
std::string payloads_of(const std::vector<std::string_view>& pieces) {
    EventFrames frames;
    std::string text;
    for (std::string_view piece : pieces) {
        for (;;) {
            const std::string_view run = frames.next(piece);
            if (run.empty()) break;
            if (frames.begins()) text.push_back('<');
            text.append(run);
            if (frames.ends()) text.push_back('>');
        }
    }
    return text;
}

TEST(EventFrames, GiveTheirPayloadsWhereverThePiecesEnd) {
    const std::string stream = frame(":event-type{", "{\"a\":1}") + frame("", "") +
                               frame("h", "{\"usage\":{}}") + frame("", "x");
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (std::size_t second = first; second <= stream.size(); ++second) {
            const std::string_view view = stream;
            EXPECT_EQ(payloads_of({view.substr(0, first), view.substr(first, second - first),
                                   view.substr(second)}),
                      "<{\"a\":1}><{\"usage\":{}}><x>")
                << first << " " << second;
        }
    }
}

TEST(EventFrames, WhatIsNoneHasNoPayload) {
    EXPECT_EQ(payloads_of({""}), "");
    EXPECT_EQ(payloads_of({"{\"usage\":{\"prompt_tokens\":5}}"}), "");          // too long a frame
    EXPECT_EQ(payloads_of({number(15) + number(0) + "cccc" + "payload"}), "");  // too short
    EXPECT_EQ(payloads_of({number(40) + number(25) + "cccc" + "payload"}), "");
    EXPECT_EQ(payloads_of({frame("h", "a").substr(0, 13)}), "");
}

}  // namespace
}  // namespace rotary::llm
