#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rotary::wire {
namespace {

// Exactly sized copies, so that AddressSanitizer sees a byte read outside.
std::size_t find(HeadEnd& end, std::string_view bytes) {
    const std::vector<char> copy(bytes.begin(), bytes.end());
    return end.find({copy.data(), copy.size()});
}

std::size_t end_at_once(std::string_view bytes) {
    HeadEnd end;
    const std::size_t found = find(end, bytes);
    EXPECT_EQ(find(end, bytes), found) << "asked again, the same answer";
    return found;
}

std::size_t end_byte_by_byte(std::string_view bytes) {
    HeadEnd end;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        if (const std::size_t found = find(end, bytes.substr(0, size))) return found;
        EXPECT_EQ(end.scanned, size) << "nothing is looked at twice";
    }
    return 0;
}

TEST(Http1HeadEnd, FindsTheEmptyLine) {
    const std::string far(100, 'a');
    const std::pair<std::string, std::size_t> rows[] = {
        {"", 0},
        {"\r\n", 0},  // the empty line allowed ahead
        {"\r\n\r\n", 4},
        {"G\r\n\r\n", 5},
        {"G\r\n\r\nPOST", 5},
        {"G\r\n\r", 0},
        {"G\r\r\n", 0},
        {"G\r\n \r\n", 0},
        {far + "\r\n" + far + "\r\n\r\n", 206},
        // Bare LFs end it as well, so that the refusal need not wait.
        {"\n", 1},
        {"G\n\n", 3},
        {"G\r\n\n", 4},
        {"G\n\r\n", 4},
        {"G\n", 0},
    };
    for (const auto& [bytes, end] : rows) {
        SCOPED_TRACE(testing::PrintToString(bytes));
        EXPECT_EQ(end_at_once(bytes), end);
        EXPECT_EQ(end_byte_by_byte(bytes), end);
    }
}

// Blocks are looked at at once: wherever in them a line ends, and the head.
TEST(Http1HeadEnd, FindsItAtEveryPlaceOfABlock) {
    for (std::size_t before = 1; before < 200; ++before) {
        const std::string line(before, 'a');
        const std::string head = "G\r\n" + line + "\r\n\r\n";
        EXPECT_EQ(end_at_once(head), head.size()) << before;
        EXPECT_EQ(end_at_once(head + line), head.size()) << before;
        EXPECT_EQ(end_at_once("G" + line + "\r\nb" + line + "\r\n\r"), 0U) << before;
    }
}

}  // namespace
}  // namespace rotary::wire
