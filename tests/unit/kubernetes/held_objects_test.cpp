#include "kubernetes/held_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace rotary::kubernetes {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

// A world in which an object's text is "ok", "bad", or the names that it refers to, each of which
// must be there.
class Held : public testing::Test {
protected:
    static void put(ObjectMap& map, const std::string& name, const std::string& text) {
        map[name] = std::make_shared<const KnownObject>(KnownObject{"", text});
    }
    static config::Loaded attempt(const ObjectMap& objects) {
        config::Loaded loaded;
        for (const auto& [name, object] : objects) {
            const std::string& text = object->text;
            config::Finding finding;
            finding.file = name;
            if (text == "bad") {
                finding.message = "is bad";
                loaded.findings.push_back(finding);
            } else if (text.find(' ') != std::string::npos && !objects.contains(text)) {
                finding.message = "there is no \"" + text.substr(text.find(' ') + 1) + '"';
                loaded.findings.push_back(finding);
            } else if (text == "alone" && objects.size() > 1) {
                finding.message = "clashes with \"" + rival + '"';
                loaded.findings.push_back(finding);
            }
        }
        return loaded;
    }
    Settled settled() { return settle(now_, good_, attempt); }

    static inline std::string rival;
    ObjectMap now_;
    ObjectMap good_;
};

TEST_F(Held, WhatIsRightIsTakenAsItIs) {
    put(now_, "Backend default/a", "ok");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.held, IsEmpty());
    EXPECT_THAT(made.chosen, ElementsAre(Key("Backend default/a")));
}

TEST_F(Held, AWrongEditKeepsTheLastGoodVersion) {
    put(good_, "Backend default/a", "ok");
    put(now_, "Backend default/a", "bad");
    put(now_, "Backend default/b", "ok");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.held, ElementsAre(Pair("Backend default/a", "its last good version")));
    EXPECT_EQ(made.chosen.at("Backend default/a")->text, "ok");
    EXPECT_EQ(made.chosen.size(), 2U);
    ASSERT_EQ(made.findings.size(), 1U);
    EXPECT_EQ(made.findings[0].message, "is bad");
}

TEST_F(Held, WhatNeverWasRightIsLeftOutWithWhatRefersToIt) {
    put(now_, "Backend default/a", "bad");
    put(now_, "HTTPRoute default/r", "Backend default/a");
    put(now_, "API default/x", "HTTPRoute default/r");
    put(now_, "API default/other", "ok");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.chosen, ElementsAre(Key("API default/other")));
    EXPECT_EQ(made.held.size(), 3U);
}

TEST_F(Held, WhatIsDeletedAndStillReferredToStays) {
    put(good_, "Backend default/a", "ok");
    put(good_, "HTTPRoute default/r", "Backend default/a");
    put(now_, "HTTPRoute default/r", "Backend default/a");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.held, ElementsAre(Pair("Backend default/a", testing::HasSubstr("deleted"))));
    EXPECT_EQ(made.chosen.size(), 2U);
    now_.clear();  // and goes with what referred to it
    EXPECT_THAT(settled().chosen, IsEmpty());
}

// What is served is taken out of service by deleting it, and what was attached goes with it.
TEST_F(Held, ARouteThatIsDeletedIsGone) {
    put(good_, "HTTPRoute default/r", "ok");
    put(good_, "API default/x", "HTTPRoute default/r");
    put(good_, "APIPolicy default/p", "API default/x");
    now_ = good_;
    now_.erase("HTTPRoute default/r");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.chosen, IsEmpty());
    EXPECT_THAT(made.held, ElementsAre(Key("API default/x"), Key("APIPolicy default/p")));
}

// The older one of two that clash stays, whichever the finding is about.
TEST_F(Held, ANewObjectDoesNotTakeAnOldOnesPlace) {
    rival = "default/new";
    put(good_, "API default/old", "alone");
    put(now_, "API default/old", "alone");
    put(now_, "API default/new", "ok");
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.chosen, ElementsAre(Key("API default/old")));
    EXPECT_THAT(made.held, ElementsAre(Key("API default/new")));
}

TEST_F(Held, WhatIsNoObjectsFaultIsReturned) {
    put(now_, "API default/x", "ok");
    const auto broken = [](const ObjectMap&) {
        config::Loaded loaded;
        loaded.findings.push_back({config::Severity::error, "rotary.yaml", 1, 1, "", "is wrong"});
        return loaded;
    };
    const Settled made = settle(now_, good_, broken);
    EXPECT_FALSE(made.loaded.ok());
    EXPECT_THAT(made.held, IsEmpty());
}

TEST_F(Held, AChainThatIsTooLongLeavesAllAsItWas) {
    put(good_, "API default/z", "ok");
    put(now_, "API default/z", "ok");
    put(now_, "API default/a00", "bad");
    for (int i = 1; i <= kHeldTries + 1; ++i) {
        const auto name = [](int n) {
            return std::string("API default/a") + static_cast<char>('0' + n / 10) +
                   static_cast<char>('0' + n % 10);
        };
        put(now_, name(i), name(i - 1));
    }
    const Settled made = settled();
    EXPECT_TRUE(made.loaded.ok());
    EXPECT_THAT(made.chosen, ElementsAre(Key("API default/z")));
    EXPECT_EQ(made.held.size(), static_cast<std::size_t>(kHeldTries) + 2);
}

}  // namespace
}  // namespace rotary::kubernetes
