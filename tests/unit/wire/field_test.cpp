#include <rotary/base/text.hpp>
#include <rotary/wire/field.hpp>
#include <rotary/wire/message.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

// Every second letter from the first or the second on.
std::string with_capitals(std::string_view name, std::size_t from) {
    std::string out(name);
    for (std::size_t i = from; i < out.size(); i += 2) {
        if (out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 32);
    }
    return out;
}

TEST(Field, EachKnownNameIsToldHoweverItIsWritten) {
    for (std::size_t i = 1; i < kFields; ++i) {
        const auto field = static_cast<Field>(i);
        const std::string name(name_of(field));
        EXPECT_EQ(field_of(name), field) << name;
        EXPECT_EQ(field_of(with_capitals(name, 0)), field) << name;
        EXPECT_EQ(field_of(with_capitals(name, 1)), field) << name;
    }
    EXPECT_EQ(name_of(Field::other), "");
}

TEST(Field, AnyOtherLetterMakesItAnother) {
    for (const std::string_view known : fields::kNames) {
        for (std::size_t at = 0; at < known.size(); ++at) {
            for (unsigned c = 0; c < 256; ++c) {
                std::string name(known);
                name[at] = static_cast<char>(c);
                const bool is_same = text::iequals(name, known);
                const Field told = field_of(name);
                ASSERT_EQ(told != Field::other && name_of(told) == known, is_same) << name;
                // It may be another of the known ones; then by each of its letters.
                ASSERT_TRUE(told == Field::other || text::iequals(name, name_of(told))) << name;
            }
        }
    }
}

TEST(Field, ALongerOrShorterOneIsAnother) {
    EXPECT_EQ(field_of(""), Field::other);
    for (const std::string_view known : fields::kNames) {
        for (const std::string& name :
             {std::string(known) + "s", "x" + std::string(known), std::string(known) + '\0'}) {
            EXPECT_EQ(field_of(name), Field::other) << name;
        }
        for (std::size_t size = 1; size < known.size(); ++size) {
            const Field told = field_of(known.substr(0, size));
            EXPECT_TRUE(told == Field::other || name_of(told) == known.substr(0, size)) << known;
        }
    }
}

TEST(HeaderTable, FindsKnownNamesAndOthers) {
    HeaderTable table;
    table.push({"X-Mine", "1"});
    table.push({"Content-TYPE", "2"});
    table.push({"x-mine", "3"});
    table.push({"content-type", "4"});
    ASSERT_NE(table.find("x-MINE"), nullptr);
    EXPECT_EQ(table.find("x-MINE")->value, "1");
    EXPECT_EQ(table.find("content-type")->value, "2");
    EXPECT_EQ(table.find(field("content-type"))->value, "2");
    EXPECT_EQ(table.find("x-none"), nullptr);
    EXPECT_EQ(table.find(field("accept")), nullptr);
    EXPECT_EQ(table.count("x-mine"), 2U);
}

}  // namespace
}  // namespace rotary::wire
