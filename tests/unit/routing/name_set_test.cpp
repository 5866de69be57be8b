#include <rotary/routing/name_set.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rotary::routing {
namespace {

TEST(NameSet, NamesHaveNoCase) {
    NameSet names{"Authorization", "x-api-key", "X-Api-Key", ""};
    EXPECT_EQ(names.size(), 2U);
    for (const char* name : {"authorization", "AUTHORIZATION", "x-API-key"}) {
        EXPECT_TRUE(names.contains(name)) << name;
    }
    for (const char* name : {"", "authorizatioN2", "authorizatio", "buthorization", "x-api_key",
                             "x-api-ke", "accept", "x-api-keyx-api-key"}) {
        EXPECT_FALSE(names.contains(name)) << name;
    }
    names.insert("accept");
    EXPECT_TRUE(names.contains("Accept"));
}

TEST(NameSet, OneThatIsEmptyHoldsNothing) {
    const NameSet names;
    EXPECT_FALSE(names.contains(""));
    EXPECT_FALSE(names.contains("a"));
}

TEST(NameSet, LettersOfOtherAlphabetsAreBytes) {
    const NameSet names{"\xc3\x84", "[", "@"};
    EXPECT_TRUE(names.contains("\xc3\x84"));
    EXPECT_FALSE(names.contains("\xc3\xa4"));
    EXPECT_FALSE(names.contains("{"));
    EXPECT_FALSE(names.contains("`"));
}

TEST(NameSet, LongNamesAreToldApart) {
    const std::string long_name(100, 'a');
    const NameSet names{long_name};
    EXPECT_TRUE(names.contains(std::string(100, 'A')));
    EXPECT_FALSE(names.contains(std::string(99, 'a')));
    EXPECT_FALSE(names.contains(std::string(63, 'a')));
    EXPECT_FALSE(names.contains(std::string(101, 'a')));
}

// A name as its bytes come, and how many of them were asked for.
struct Counted {
    std::string_view rest;
    std::size_t* asked;
    int next() noexcept {
        ++*asked;
        if (rest.empty()) return -1;
        const char c = rest.front();
        rest.remove_prefix(1);
        return static_cast<unsigned char>(c);
    }
};

// A look reads a name twice at most, and the beginnings of the few that share its place.
TEST(NameSet, ALookCostsTheSameAmongTenThousand) {
    NameSet names;
    std::size_t read = 0;
    for (int i = 0; i < 10'000; ++i) names.insert("x-key-" + std::to_string(10'000 + i));
    EXPECT_EQ(names.size(), 10'000U);
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = "X-Key-" + std::to_string(10'000 + i);
        ASSERT_TRUE(names.holds(Counted{name, &read})) << name;
        ASSERT_FALSE(names.holds(Counted{name + "0", &read}));
        const std::string other = "y" + name.substr(1);
        ASSERT_FALSE(names.holds(Counted{other, &read}));
    }
    EXPECT_LE(read / 30'000, 40U) << "of a name of eleven bytes";
}

}  // namespace
}  // namespace rotary::routing
