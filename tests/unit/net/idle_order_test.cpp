#include <rotary/net/idle_order.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace {

using rotary::SteadyTime;
using rotary::net::IdleOrder;

// Each letter is a step of one of three sessions, one second after the other: A, B and C enter,
// a, b and c leave.
struct Row {
    const char* name;
    const char* steps;
    const char* order;  // the longest idle first
};

const std::vector<Row>& rows() {
    static const std::vector<Row> all = {
        {"none_is_idle", "", ""},
        {"who_came_first_goes_first", "ABC", "ABC"},
        {"the_first_leaves", "ABCa", "BC"},
        {"one_in_the_middle_leaves", "ABCb", "AC"},
        {"the_last_leaves", "ABCc", "AB"},
        {"one_that_comes_back_starts_anew", "ABCaA", "BCA"},
        {"one_that_enters_again_starts_anew", "ABCA", "BCA"},
        {"the_last_enters_again", "ABCC", "ABC"},
        {"the_only_one_enters_again", "AA", "A"},
        {"all_leave", "ABCbac", ""},
        {"the_only_one_leaves_and_comes_back", "AaA", "A"},
        {"one_that_is_not_in_leaves", "ABccC", "ABC"},
    };
    return all;
}

TEST(IdleOrder, TheLongestIdleIsFirst) {
    for (const Row& row : rows()) {
        SCOPED_TRACE(row.name);
        IdleOrder order;
        std::array<IdleOrder::Node, 3> nodes;
        SteadyTime now{};
        for (const char step : std::string(row.steps)) {
            now += std::chrono::seconds(1);
            const bool leaves = step >= 'a';
            IdleOrder::Node& node = nodes.at(static_cast<std::size_t>(step - (leaves ? 'a' : 'A')));
            leaves ? order.leave(node) : order.enter(node, now);
            const IdleOrder::Node* const longest = order.longest();
            EXPECT_EQ(order.idle_since(), longest != nullptr ? longest->since : SteadyTime::max());
        }
        std::string left;
        SteadyTime before{};
        while (IdleOrder::Node* const node = order.longest()) {
            left += static_cast<char>('A' + (node - nodes.data()));
            EXPECT_TRUE(node->is_idle);
            EXPECT_GT(node->since, before);
            before = node->since;
            order.leave(*node);
            EXPECT_FALSE(node->is_idle);
        }
        EXPECT_EQ(left, row.order);
        EXPECT_EQ(order.idle_since(), SteadyTime::max());
    }
}

}  // namespace
