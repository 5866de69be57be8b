#include <rotary/routing/prefix_tree.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PrefixTree tree_of(const std::vector<std::string_view>& texts) {
    PrefixTree tree;
    for (std::size_t i = 0; i < texts.size(); ++i) tree[texts[i]] = static_cast<std::uint32_t>(i);
    return tree;
}

template <class Text>
std::vector<std::uint32_t> met(const PrefixTree& tree, const Text& text) {
    std::vector<std::uint32_t> numbers;
    tree.walk(text, [&](std::uint32_t number, std::size_t) { numbers.push_back(number); });
    return numbers;
}

TEST(PrefixTree, MeetsWhatATextBeginsWithTheShortestFirst) {
    const PrefixTree tree = tree_of({"/abc/d", "/a", "/abd", "", "/abc", "x", "/abc/d/e\xff"});
    struct Row {
        std::string_view text;
        std::vector<std::uint32_t> numbers;
    };
    const Row rows[] = {
        {"", {3}},
        {"/", {3}},
        {"/a", {3, 1}},
        {"/ab", {3, 1}},
        {"/abc", {3, 1, 4}},
        {"/abd", {3, 1, 2}},
        {"/abcd", {3, 1, 4}},
        {"/abc/", {3, 1, 4}},
        {"/abc/d", {3, 1, 4, 0}},
        {"/abc/d/e", {3, 1, 4, 0}},
        {"/abc/d/e\xff/f", {3, 1, 4, 0, 6}},
        {"/x", {3}},
        {"x/abc", {3, 5}},
        {"y", {3}},
    };
    for (const Row& row : rows) EXPECT_EQ(met(tree, row.text), row.numbers) << row.text;
}

TEST(PrefixTree, OneThatIsEmptyMeetsNothing) {
    const PrefixTree tree;
    EXPECT_THAT(met(tree, std::string_view{}), IsEmpty());
    EXPECT_THAT(met(tree, std::string_view{"a"}), IsEmpty());
}

TEST(PrefixTree, ATextHasOneNumber) {
    PrefixTree tree = tree_of({"ab", "abc"});
    EXPECT_EQ(tree["ab"], 0U);
    EXPECT_EQ(tree["abc"], 1U);
    EXPECT_EQ(tree["a"], PrefixTree::kNone) << "was only a place where others part";
    tree["ab"] = 7;
    EXPECT_THAT(met(tree, std::string_view{"abcd"}), ElementsAre(7U, 1U));
}

TEST(PrefixTree, SaysHowLongEachTextIs) {
    const PrefixTree tree = tree_of({"/a", "/abc"});
    std::vector<std::size_t> sizes;
    tree.walk(std::string_view{"/abcd"},
              [&](std::uint32_t, std::size_t size) { sizes.push_back(size); });
    EXPECT_THAT(sizes, ElementsAre(2U, 4U));
}

TEST(PrefixTree, HostsAreReadBackwardsInLowerCase) {
    const PrefixTree tree = tree_of({"moc.elpmaxe.", "moc.elpmaxe.ipa."});
    EXPECT_THAT(met(tree, Backwards("A.API.Example.com")), ElementsAre(0U, 1U));
    EXPECT_THAT(met(tree, Backwards("b.example.com")), ElementsAre(0U));
    EXPECT_THAT(met(tree, Backwards("example.com")), IsEmpty());
    EXPECT_THAT(met(tree, Backwards("")), IsEmpty());
}

// Texts that share all but their last byte: the walk is as long as a text, not as the list.
TEST(PrefixTree, AWalkTakesAtMostAStepAByte) {
    PrefixTree tree;
    std::string text;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        tree[text + "b"] = i;
        text += 'a';
    }
    const auto ignore = [](std::uint32_t, std::size_t) {};
    EXPECT_LE(tree.walk(std::string_view(text), ignore), text.size());
    EXPECT_LE(tree.walk(std::string_view("aaab"), ignore), 4U);
}

}  // namespace
}  // namespace rotary::routing
