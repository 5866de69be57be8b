#include <rotary/auth/key_table.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = WallTime(20'000 * 24h);

KeyOwner owner_of(const char* consumer, bool disabled = false) {
    KeyOwner owner;
    owner.consumer = consumer;
    owner.disabled = disabled;
    return owner;
}

TEST(KeyTableTest, AKeyIsValidInItsTimeAlone) {
    struct Row {
        const char* name;
        WallTime not_before;
        WallTime not_after;
        std::uint32_t owner;
        KeyDefect defect;
    };
    const WallTime always = WallTime::min();
    const WallTime ever = WallTime::max();
    const Row rows[] = {
        {"without bounds", always, ever, 0, KeyDefect::none},
        {"from this very moment", kNow, ever, 0, KeyDefect::none},
        {"from a moment later", kNow + 1ns, ever, 0, KeyDefect::not_yet_valid},
        {"until a moment later", always, kNow + 1ns, 0, KeyDefect::none},
        {"until this very moment", always, kNow, 0, KeyDefect::expired},
        {"of an owner that is disabled", always, ever, 1, KeyDefect::disabled},
        {"disabled comes before expired", always, kNow, 1, KeyDefect::disabled},
    };
    for (const Row& row : rows) {
        const KeyTable table({owner_of("a"), owner_of("b", true)},
                             {{digest_of("key"), row.not_before, row.not_after, row.owner}});
        const auto found = table.find(digest_of("key"), kNow);
        EXPECT_EQ(found.defect, row.defect) << row.name;
        ASSERT_NE(found.owner, nullptr) << row.name;
        EXPECT_EQ(found.owner->consumer, row.owner == 0 ? "a" : "b") << row.name;
    }
}

TEST(KeyTableTest, EachOfManyKeysIsFoundAndNoOther) {
    std::vector<KeyOwner> owners;
    std::vector<KnownKey> keys;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        owners.push_back(owner_of(("team-" + std::to_string(i)).c_str()));
        KnownKey key;
        key.digest = digest_of(std::to_string(i));
        key.owner = i;
        keys.push_back(key);
    }
    const KeyTable table(owners, keys);
    EXPECT_EQ(table.size(), 1000U);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const auto found = table.find(digest_of(std::to_string(i)), kNow);
        ASSERT_EQ(found.defect, KeyDefect::none) << i;
        EXPECT_EQ(found.owner->consumer, "team-" + std::to_string(i));
        EXPECT_EQ(table.find(digest_of("no " + std::to_string(i)), kNow).owner, nullptr);
    }
}

// Digests that begin alike share a home: the whole of them decides.
TEST(KeyTableTest, DigestsThatBeginAlikeAreToldApart) {
    std::vector<KnownKey> keys(3);
    for (std::uint32_t i = 0; i < 3; ++i) {
        keys[i].digest = KeyDigest{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        keys[i].digest[31] = static_cast<std::uint8_t>(i);
        keys[i].owner = i;
    }
    const KeyTable table({owner_of("a"), owner_of("b"), owner_of("c")}, keys);
    EXPECT_EQ(table.find(keys[2].digest, kNow).owner->consumer, "c");
    KeyDigest fourth = keys[0].digest;
    fourth[31] = 9;
    EXPECT_EQ(table.find(fourth, kNow).owner, nullptr);
}

TEST(KeyTableTest, AnEmptyTableHasNoKey) {
    const KeyTable table;
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.find(digest_of("key"), kNow).defect, KeyDefect::unknown);
}

TEST(KeyTableTest, AnOwnerMayCallWhatItsListHolds) {
    KeyOwner owner;
    EXPECT_TRUE(owner.may_call(7)) << "without a list any";
    owner.has_apis = true;
    EXPECT_FALSE(owner.may_call(7)) << "of a list whose APIs are gone none";
    owner.apis = {9, 2, 7};
    KnownKey key;
    key.digest = digest_of("key");
    const KeyTable table({owner}, {key});
    const KeyOwner& known = *table.find(key.digest, kNow).owner;
    for (const std::uint32_t api : {2U, 7U, 9U}) EXPECT_TRUE(known.may_call(api)) << api;
    for (const std::uint32_t api : {0U, 3U, 10U}) EXPECT_FALSE(known.may_call(api)) << api;
}

}  // namespace
}  // namespace rotary::auth
