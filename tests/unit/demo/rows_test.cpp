#include "demo/rows.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rotary::demo {
namespace {

TEST(DemoColumn, IsFilledAndNeverCut) {
    EXPECT_EQ(column("ab", 4), "ab  ");
    EXPECT_EQ(column("abcd", 4), "abcd");
    EXPECT_EQ(column("abcde", 4), "abcde");
    EXPECT_EQ(column("", 2), "  ");
    EXPECT_EQ(column("", 0), "");
}

TEST(DemoCallRow, StandsBelowItsTitles) {
    const Served call{200, "gpt-4o", "provider-1", 1, "gpt-4o-2024", {}};
    const std::string titles = call_titles();
    const std::string row = call_row(3, call);
    const std::pair<const char*, const char*> columns[] = {
        {"call", "3"},     {"model", "gpt-4o"}, {"backend", "provider-1"},
        {"status", "200"}, {"attempts", "1"},   {"the answer names", "gpt-4o-2024"},
    };
    for (const auto& [title, cell] : columns) {
        const std::size_t at = titles.find(title);
        ASSERT_NE(at, std::string::npos) << title;
        EXPECT_EQ(row.substr(at, std::string_view(cell).size()), cell) << title;
    }
}

TEST(DemoModelRow, TellsHowLongOnlyOfWhatIsOut) {
    const ModelState active{"production", "gpt-4o", "provider-1", "active", "", 0};
    EXPECT_EQ(model_row(active), "production  gpt-4o       provider-1  active");
    const ModelState out{"sandbox", "o1-mini", "provider-2", "suspended", "rate_limited", 7};
    EXPECT_EQ(model_row(out),
              "sandbox     o1-mini      provider-2  suspended, rate_limited, 7 s left");
    const ModelState down{"sandbox", "o1-mini", "provider-2", "down", "health", 0};
    EXPECT_EQ(model_row(down), "sandbox     o1-mini      provider-2  down");
}

}  // namespace
}  // namespace rotary::demo
