// Where and by whom a token may be used, as its claims say.
#include <rotary/auth/jwt.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::auth {
namespace {

TEST(ClaimsTest, ATokenMayBeUsedFromItsAddresses) {
    struct Row {
        const char* name;
        const char* list;
        const char* address;
        bool permitted;
    };
    const Row rows[] = {
        {"no list", "", "192.0.2.1", true},
        {"on the list", "10.0.0.0/8, 192.0.2.1", "192.0.2.1", true},
        {"not on it", "10.0.0.0/8", "192.0.2.1", false},
        {"a list that can't be read", "-", "192.0.2.1", false},
        {"an address that can't be read", "0.0.0.0/0", "somewhere", false},
    };
    for (const Row& row : rows) {
        ClaimViews views;
        views.permitted_addresses = row.list;
        EXPECT_EQ(Claims(views).permits_address(row.address), row.permitted) << row.name;
    }
}

TEST(ClaimsTest, ATokenMayBeUsedByItsReferers) {
    struct Row {
        const char* name;
        const char* list;
        const char* referer;
        bool permitted;
    };
    const Row rows[] = {
        {"no list", "", "", true},
        {"itself", "https://app.example.com/", "https://app.example.com/", true},
        {"below a pattern", "https://x.example/, https://app.example.com/*",
         "https://app.example.com/chat", true},
        {"another", "https://app.example.com/*", "https://evil.example/?https://app.example.com/",
         false},
        {"none sent", "https://app.example.com/*", "", false},
        {"none sent, and blanks on the list", " , ,", "", false},
    };
    for (const Row& row : rows) {
        ClaimViews views;
        views.permitted_referers = row.list;
        EXPECT_EQ(Claims(views).permits_referer(row.referer), row.permitted) << row.name;
    }
}

}  // namespace
}  // namespace rotary::auth
