#include <rotary/config/kinds/resources.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Backend backend(const std::string& name, const std::string& host) {
    Backend made;
    made.metadata.name = name;
    made.host = host;
    return made;
}

ApiPolicy policy(const std::string& name, TargetKind kind, const std::string& target) {
    ApiPolicy made;
    made.metadata.name = name;
    made.target.kind = kind;
    made.target.name = target;
    return made;
}

TEST(Resources, TheFirstOfTwoWithOneNameIsFound) {
    Resources resources;
    resources.backends = {backend("a", "one"), backend("b", "two"), backend("a", "three")};
    ASSERT_NE(resources.find_backend("a"), nullptr);
    EXPECT_EQ(resources.find_backend("a")->host, "one");
    EXPECT_EQ(resources.find_backend("b")->host, "two");
    EXPECT_EQ(resources.find_backend("c"), nullptr);
    EXPECT_EQ(resources.find_route("a"), nullptr) << "a name is one of its kind";
}

TEST(Resources, WhatIsAddedLaterIsFoundToo) {
    Resources resources;
    EXPECT_EQ(resources.find_backend("a"), nullptr);
    for (int i = 0; i < 100; ++i) {
        const std::string name = "b" + std::to_string(i);
        resources.backends.push_back(backend(name, name));
        ASSERT_NE(resources.find_backend(name), nullptr);
        EXPECT_EQ(resources.find_backend(name)->host, name);
        EXPECT_EQ(resources.find_backend("b0")->host, "b0");
    }
    const Resources copy = resources;
    EXPECT_EQ(copy.find_backend("b99"), &copy.backends[99]);
}

TEST(Resources, PoliciesOfAnApiStandInTheirOrder) {
    Resources resources;
    resources.policies = {
        policy("one", TargetKind::api, "chat"), policy("two", TargetKind::gateway, "chat"),
        policy("three", TargetKind::api, "other"), policy("four", TargetKind::api, "chat")};
    Api api;
    api.metadata.name = "chat";
    std::vector<std::string> names;
    for (const ApiPolicy* one : resources.policies_of(api)) names.push_back(one->metadata.name);
    EXPECT_THAT(names, ElementsAre("one", "four"));
    api.metadata.name = "third";
    EXPECT_THAT(resources.policies_of(api), IsEmpty());
    EXPECT_THAT(resources.authentications_of(api), IsEmpty());
}

// Every lookup once went over all objects: ten thousand routes took four seconds to check.
TEST(Places, LookAtEachObjectOnce) {
    std::vector<std::string> objects;
    Places places;
    std::size_t looked_at = 0;
    const auto name_of = [&](const std::string& object) -> const std::string& {
        ++looked_at;
        return object;
    };
    for (int i = 0; i < 10'000; ++i) objects.push_back(std::to_string(i));
    for (int i = 0; i < 10'000; ++i) {
        ASSERT_THAT(places.of(objects, std::to_string(i), name_of), ElementsAre(i));
        ASSERT_THAT(places.of(objects, "x" + std::to_string(i), name_of), IsEmpty());
    }
    EXPECT_EQ(looked_at, objects.size());
}

}  // namespace
}  // namespace rotary::config
