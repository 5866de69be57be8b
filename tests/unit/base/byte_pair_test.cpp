#include <rotary/base/byte_pair.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace rotary::text {
namespace {

TEST(BytePair, IsFoundAtEveryPlaceOfTextsOfEverySize) {
    constexpr std::size_t kMost = 70;
    for (std::size_t size = 2; size <= kMost; ++size) {
        for (std::size_t at = 0; at + 2 <= size; ++at) {
            // Halves of the pair stand everywhere.
            std::string text;
            for (std::size_t i = 0; i < size; ++i) text.push_back(i % 2 == 0 ? 'u' : '.');
            text.replace(at, 2, "\"u");
            ASSERT_EQ(find_pair(text, '"', 'u'), at) << size;
            ASSERT_EQ(rfind_pair(text, '"', 'u'), at) << size;
            ASSERT_EQ(find_pair(text, '"', 'u', at), at) << size;
            ASSERT_EQ(find_pair(text, '"', 'u', at + 1), std::string_view::npos) << size;
        }
    }
}

TEST(BytePair, TheFirstAndTheLastOfMany) {
    std::string text;
    for (int i = 0; i < 20; ++i) text.append(".\"u\"u.");
    EXPECT_EQ(find_pair(text, '"', 'u'), 1u);
    EXPECT_EQ(find_pair(text, '"', 'u', 2), 3u);
    EXPECT_EQ(rfind_pair(text, '"', 'u'), text.size() - 3);
    EXPECT_EQ(rfind_pair(text.substr(0, text.size() - 2), '"', 'u'), text.size() - 5);
}

// Cut by the end of the text it is none, whatever lies behind.
TEST(BytePair, NothingBehindTheEndCounts) {
    const std::string text = std::string(40, '.') + "\"u";
    for (std::size_t size = 0; size + 1 <= text.size(); ++size) {
        const std::string_view piece = std::string_view(text).substr(0, size);
        EXPECT_EQ(find_pair(piece, '"', 'u'), std::string_view::npos) << size;
        EXPECT_EQ(rfind_pair(piece, '"', 'u'), std::string_view::npos) << size;
    }
    EXPECT_EQ(find_pair("", '"', 'u', 9), std::string_view::npos);
}

}  // namespace
}  // namespace rotary::text
