#include <rotary/routing/model_place.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rotary::routing {
namespace {

using In = config::ValueLocation::In;
using testing::ElementsAre;

ModelPlace place_of(In in, const std::string& value) {
    config::ValueLocation location;
    location.in = in;
    location.value = value;
    Placed placed = model_place(location);
    EXPECT_EQ(placed.error, "") << value;
    return std::move(placed.place);
}

TEST(ModelPlace, MembersLeadToTheModel) {
    EXPECT_THAT(place_of(In::body, "model").members, ElementsAre("model"));
    EXPECT_THAT(place_of(In::body, "$.input.model").members, ElementsAre("input", "model"));
    EXPECT_TRUE(place_of(In::body, "$.model").may_be_field());
    EXPECT_FALSE(place_of(In::body, "a.b").may_be_field());
    EXPECT_EQ(place_of(In::body, "model").part_head,
              "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n");
    EXPECT_EQ(place_of(In::body, "mo\"del").part_head, "") << "no part can be named so";
}

TEST(ModelPlace, TextsOfAModel) {
    const ModelTexts plain = model_texts(place_of(In::body, "model"), "a/\"m\" 1");
    EXPECT_EQ(plain.json, R"("a/\"m\" 1")");
    EXPECT_EQ(plain.encoded, "a%2F%22m%22%201");
    EXPECT_EQ(plain.field, "model=a%2F%22m%22%201");
    EXPECT_THAT(plain.members, ElementsAre(R"("model":"a/\"m\" 1")"));
    const ModelTexts deep = model_texts(place_of(In::body, "$.a.b.c"), "m");
    EXPECT_THAT(deep.members,
                ElementsAre(R"("a":{"b":{"c":"m"}})", R"("b":{"c":"m"})", R"("c":"m")"));
}

TEST(ModelPlace, SlotIsTheFirstGroup) {
    const PathSlot slot("/models/([^/:]+):");
    ASSERT_TRUE(slot.ok());
    const auto found = slot.find("/v1/models/gpt:generate");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->begin, 11U);
    EXPECT_EQ(found->size, 3U);
    EXPECT_FALSE(slot.find("/v1/models/gpt%3Agenerate"));
    EXPECT_FALSE(PathSlot("(a)|b").find("b")) << "it matches without its group";
    EXPECT_FALSE(PathSlot("abc").ok());
    EXPECT_FALSE(PathSlot("(").ok());
}

}  // namespace
}  // namespace rotary::routing
