#include <net/name_table.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using rotary::Fault;
using rotary::FaultKind;
using rotary::net::Addresses;
using rotary::net::NameTable;
using rotary::net::Resolved;
using rotary::net::SteadyTime;

Resolved one(const char* text) {
    const boost::asio::ip::tcp::endpoint place(boost::asio::ip::make_address(text), 0);
    return std::make_shared<const Addresses>(1, place);
}

Resolved none() { return Fault::upstream(FaultKind::upstream_dns_failed, "none"); }

const SteadyTime kStart{1000s};

class NameTableTest : public testing::Test {
protected:
    NameTableTest() { table.set_rules(rules); }
    // "127.0.0.1", "127.0.0.1 renew", a failure's detail, or "unknown".
    std::string at(std::chrono::seconds when, const std::string& name = "a") const {
        const NameTable::Found found = table.find(name, kStart + when);
        if (found.resolved == nullptr) return "unknown";
        if (!*found.resolved) return found.resolved->error().detail;
        const std::string address = (**found.resolved)->front().address().to_string();
        return address + (found.renew ? " renew" : "");
    }
    void store(const Resolved& resolved, std::chrono::seconds when, bool gone = false) {
        table.store("a", resolved, gone, kStart + when);
    }

    NameTable::Rules rules{30s, 100s, 5s, 4};
    NameTable table;
};

TEST_F(NameTableTest, AnswersWhileFreshThenWhileStale) {
    EXPECT_EQ(at(0s), "unknown");
    store(one("127.0.0.1"), 0s);
    EXPECT_EQ(at(29s), "127.0.0.1");
    EXPECT_EQ(at(30s), "127.0.0.1 renew");
    EXPECT_EQ(at(129s), "127.0.0.1 renew");
    EXPECT_EQ(at(130s), "unknown");
    EXPECT_EQ(at(0s, "b"), "unknown");
}

TEST_F(NameTableTest, NewAnswerReplacesTheOld) {
    store(one("127.0.0.1"), 0s);
    store(one("::1"), 40s);
    EXPECT_EQ(at(41s), "::1");
    EXPECT_EQ(at(69s), "::1");
    EXPECT_EQ(at(70s), "::1 renew");
}

TEST_F(NameTableTest, FailureStandsBriefly) {
    store(none(), 0s);
    EXPECT_EQ(at(4s), "none");
    EXPECT_EQ(at(5s), "unknown");
}

TEST_F(NameTableTest, FailedRenewalRestsAndKeepsTheOldAnswerNoLonger) {
    store(one("127.0.0.1"), 0s);
    store(none(), 40s);
    EXPECT_EQ(at(44s), "127.0.0.1");
    EXPECT_EQ(at(45s), "127.0.0.1 renew");
    store(none(), 129s);
    EXPECT_EQ(at(130s), "unknown") << "a failure adds nothing to the time that stale ones have";
}

TEST_F(NameTableTest, NameThatIsGoneIsNotServedStale) {
    store(one("127.0.0.1"), 0s);
    store(none(), 40s, true);
    EXPECT_EQ(at(41s), "none");
    EXPECT_EQ(at(45s), "unknown");
}

TEST_F(NameTableTest, FailureBehindWhatIsTooOldStandsBriefly) {
    store(one("127.0.0.1"), 0s);
    store(none(), 130s);
    EXPECT_EQ(at(134s), "none");
    EXPECT_EQ(at(135s), "unknown");
}

TEST_F(NameTableTest, FullOneDropsWhatEndsFirst) {
    rules.entries = 2;
    table.set_rules(rules);
    table.store("b", one("127.0.0.1"), false, kStart + 1s);
    table.store("c", one("127.0.0.1"), false, kStart);
    table.store("d", one("127.0.0.1"), false, kStart + 2s);
    EXPECT_EQ(table.size(), 2U);
    EXPECT_EQ(at(3s, "b"), "127.0.0.1");
    EXPECT_EQ(at(3s, "c"), "unknown");
    EXPECT_EQ(at(3s, "d"), "127.0.0.1");
}

TEST_F(NameTableTest, LowerLimitHoldsFromTheNextAnswerOn) {
    for (const char* name : {"b", "c", "d"}) table.store(name, one("127.0.0.1"), false, kStart);
    rules.entries = 1;
    table.set_rules(rules);
    store(one("127.0.0.1"), 1s);
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(at(2s), "127.0.0.1");
}

TEST_F(NameTableTest, OneOfNoEntriesKeepsNothing) {
    rules.entries = 0;
    table.set_rules(rules);
    store(one("127.0.0.1"), 0s);
    EXPECT_EQ(at(0s), "unknown");
}

}  // namespace
