#include <rotary/fleet/shared_spend.hpp>

#include <gtest/gtest.h>

#include "support/model_store.hpp"
#include "support/spend_books.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kToday = 20'786;  // 2026-11-29, as the moved clock has it
constexpr const char* kHash = "{rotary:test}:m:USD:2026-11-29";

// A ledger without a disk: it outlives the process that writes it.
class Journal {
public:
    explicit Journal(std::size_t number) : name_("000000000000000" + std::to_string(number)) {}

    void spend(const std::string& consumer, quota::Nanos nanos, std::int64_t day = kToday) {
        Row& row = rows_[{day, consumer}];
        row.version = ++last_;
        row.spend += quota::Spend::of({}, nanos);
    }
    quota::Nanos total(std::int64_t day = kToday) const {
        quota::Nanos sum = 0;
        for (const auto& [key, row] : rows_) sum += key.first == day ? row.spend.nanos : 0;
        return sum;
    }
    control::DayPage days_after(const control::DaysAsked& asked) const {
        std::vector<std::pair<std::uint64_t, control::DaySum>> found;
        for (const auto& [key, row] : rows_) {
            if (row.version <= asked.after || key.first < asked.first) continue;
            control::DaySum sum{key.first, {key.second, "chat", "production"}, row.spend};
            found.emplace_back(row.version, std::move(sum));
        }
        std::sort(found.begin(), found.end(),
                  [](const auto& one, const auto& other) { return one.first < other.first; });
        control::DayPage page;
        page.journal = name_;
        page.has_more = found.size() > asked.most;
        page.to = page.has_more ? found[asked.most - 1].first : last_;
        if (page.has_more) found.resize(asked.most);
        for (auto& [version, sum] : found) page.sums.push_back(std::move(sum));
        return page;
    }
    bool can_be_read = true;

private:
    struct Row {
        std::uint64_t version = 0;
        quota::Spend spend;
    };
    std::string name_;
    std::map<std::pair<std::int64_t, std::string>, Row> rows_;
    std::uint64_t last_ = 0;
};

class Spending : public testing::Test {
protected:
    struct Replica {
        Replica(Spending& fleet, Journal& kept)
            : journal(kept), store(fleet.server_, *fleet.time_, 100us) {
            SharedSpend::Options options{"test", "USD", 40, {}};
            options.ask_days = [this, time = fleet.time_](const control::DaysAsked& asked) {
                std::optional<control::DayPage> page;
                if (journal.can_be_read) page = journal.days_after(asked);
                time->post([then = asked.then, page] { then(page); });
            };
            shared = std::make_unique<SharedSpend>(store, fleet.time_, std::move(options));
        }
        Journal& journal;
        test::ModelStore store;
        std::unique_ptr<SharedSpend> shared;
    };

    Spending() {
        server_.teach(spend_script(), test::take_spend);
        for (std::size_t i = 0; i < 2; ++i) {
            journals_.push_back(std::make_unique<Journal>(i));
            start(i);
        }
    }
    void start(std::size_t index) {
        replicas_[index] = std::make_unique<Replica>(*this, *journals_[index]);
    }
    Replica& replica(std::size_t index) { return *replicas_[index]; }
    Journal& journal(std::size_t index) { return *journals_[index]; }
    void move(std::chrono::nanoseconds by) { time_->move(by); }
    quota::Nanos ledgers() const {
        quota::Nanos sum = 0;
        for (const auto& journal : journals_) sum += journal->total();
        return sum;
    }
    // The day's sum, which must be that of its rows.
    quota::Nanos store() {
        quota::Nanos rows = 0;
        quota::Nanos sum = 0;
        for (const auto& [field, value] : server_.hash(kHash)) {
            if (field == "t") sum = std::stoll(value);
            if (const auto row = parse_spend(kToday, field, value)) rows += row->spend.nanos;
        }
        EXPECT_EQ(sum, rows);
        return sum;
    }
    // In so much time all have the same.
    void agree(std::chrono::milliseconds in = 2500ms) {
        move(in);
        EXPECT_EQ(store(), ledgers());
        for (const auto& [index, replica] : replicas_) {
            EXPECT_EQ(replica->shared->today(), ledgers()) << index;
        }
    }

    const std::shared_ptr<test::MovedTime> time_ = std::make_shared<test::MovedTime>();
    test::ModelServer server_{*time_};
    std::vector<std::unique_ptr<Journal>> journals_;
    std::map<std::size_t, std::unique_ptr<Replica>> replicas_;
};

TEST_F(Spending, OfAllReplicasIsOneSum) {
    journal(0).spend("a", 5);
    journal(1).spend("a", 70);
    journal(1).spend("b", 800);
    agree();
    EXPECT_EQ(store(), 875);
    journal(0).spend("a", 1000);
    agree();
    EXPECT_EQ(server_.hash(kHash).size(), 4u) << "three rows and their sum";
}

TEST_F(Spending, IsThereOnceAfterARestart) {
    journal(0).spend("a", 5);
    agree();
    replicas_.erase(0);
    journal(0).spend("a", 60);  // written at its end, and not told
    start(0);
    agree();
}

TEST_F(Spending, IsThereAgainAfterAFlush) {
    journal(0).spend("a", 5);
    journal(1).spend("b", 70);
    agree();
    server_.flush();
    EXPECT_EQ(store(), 0);
    agree();
    EXPECT_EQ(replica(0).shared->counts().lost, 1u);
}

TEST_F(Spending, IsThereAgainAfterAFlushThatComesBetweenPages) {
    for (int i = 0; i < 200; ++i) journal(0).spend("c" + std::to_string(i), 1 + i);
    move(1060ms);  // two of four pages
    EXPECT_GT(store(), 0);
    server_.flush();
    agree();
}

TEST_F(Spending, OfAnOutageIsTold) {
    journal(0).spend("a", 5);
    agree();
    for (const auto& [index, replica] : replicas_) replica->store.cut();
    for (int i = 0; i < 1000; ++i) journal(0).spend("c" + std::to_string(i), 1);
    journal(1).spend("a", 40);
    move(10s);
    EXPECT_EQ(store(), 5);
    for (const auto& [index, replica] : replicas_) replica->store.join();
    agree();
}

TEST_F(Spending, IsThereOnceAfterAnOutageThatEmptiesAndARestartOfAll) {
    journal(0).spend("a", 5);
    journal(1).spend("a", 70);
    agree();
    replicas_.clear();
    server_.flush();
    journal(0).spend("a", 100);
    start(0);
    start(1);
    agree();
    EXPECT_EQ(store(), 175);
}

TEST_F(Spending, ThatWasTakenButNotAnsweredIsThereOnce) {
    journal(0).spend("a", 5);
    replica(0).store.set_way(15ms);  // longer than its deadline, there and back
    move(3s);
    EXPECT_EQ(store(), 5);
    EXPECT_GT(replica(0).shared->counts().unanswered, 0u);
    journal(0).spend("a", 60);
    replica(0).store.set_way(100us);
    agree();
}

// As a question that lay at the old master, or in a socket.
TEST_F(Spending, ThatIsToldLateTakesNothingBack) {
    journal(0).spend("a", 5);
    SpendQuestion old;
    old.name_space = "test";
    old.currency = "USD";
    old.today = kToday;
    old.kept_days = 40;
    old.page = journal(0).days_after({0, 0, 64, {}});
    journal(0).spend("a", 60);
    agree();
    server_.run(spend_script(), spend_keys(old), spend_arguments(old));
    EXPECT_EQ(store(), 65);
    agree();
}

TEST_F(Spending, OfAReplicaThatIsGoneForEverStays) {
    journal(0).spend("a", 5);
    journal(1).spend("a", 70);
    agree();
    replicas_.erase(1);
    journal(0).spend("a", 100);
    agree();
    EXPECT_EQ(store(), 175);
}

// Until its ledger comes back to a replica, what it had not told is missing, and nothing else.
TEST_F(Spending, OfAReplicaThatIsGoneForEverIsLostByAFlush) {
    journal(0).spend("a", 5);
    journal(1).spend("a", 70);
    agree();
    replicas_.erase(1);
    server_.flush();
    move(2500ms);
    EXPECT_EQ(store(), 5);
    start(1);
    agree();
}

TEST_F(Spending, OfAnotherLedgerInItsPlaceIsToldFromItsBeginning) {
    journal(0).spend("a", 5);
    agree();
    Journal other(7);
    other.spend("a", 30);
    std::swap(journal(0), other);
    move(2500ms);
    EXPECT_EQ(store(), 35) << "the old one's stays";
}

// A copy from before. What it had meanwhile is counted, and more when it has more.
TEST_F(Spending, OfALedgerThatWasSetBackIsNotLessThanItWas) {
    journal(0).spend("a", 5);
    const Journal before = journal(0);
    journal(0).spend("a", 5);
    agree();
    journal(0) = before;
    move(2500ms);
    EXPECT_EQ(store(), 10);
    journal(0).spend("a", 100);
    journal(0).spend("a", 100);
    agree();
}

TEST_F(Spending, OfAStoreThatHasAnOldMarkIsToldFromThere) {
    journal(0).spend("a", 5);
    agree();
    const auto hash = server_.hash(kHash);
    const auto mark = server_.text(mark_key("test", "0000000000000000"));
    journal(0).spend("b", 60);
    agree();
    server_.hash(kHash) = hash;  // a replica of the Redis that lagged is the master now
    server_.text(mark_key("test", "0000000000000000")) = mark;
    agree();
    EXPECT_EQ(replica(0).shared->counts().lost, 1u);
}

TEST_F(Spending, OfDaysThatAreNotKeptIsNotTold) {
    journal(0).spend("a", 1, kToday - 40);
    journal(0).spend("a", 20, kToday - 39);
    journal(0).spend("a", 300);
    move(2500ms);
    EXPECT_EQ(server_.hash(spend_key("test", "USD", kToday - 40)).size(), 0u);
    EXPECT_EQ(server_.hash(spend_key("test", "USD", kToday - 39)).size(), 2u);
    EXPECT_EQ(replica(1).shared->today(), 300);
}

TEST_F(Spending, ComesAtItsOwnPace) {
    for (int i = 0; i < 1000; ++i) journal(0).spend("c" + std::to_string(i), 1);
    const std::uint64_t before = server_.asked;
    move(1050ms);
    EXPECT_LE(server_.asked - before, 6u);
    EXPECT_LE(replica(0).shared->counts().told, 2 * SharedSpend::kMostAtOnce);
    agree();
    EXPECT_EQ(replica(0).shared->counts().told, 1000u);
    const std::uint64_t idle = server_.asked;
    move(10s);
    EXPECT_LE(server_.asked - idle, 22u) << "two replicas, a question a second";
    EXPECT_EQ(replica(0).shared->counts().told, 1000u);
}

TEST_F(Spending, WithALedgerThatCantBeReadIsHeardOf) {
    journal(0).spend("a", 5);
    journal(0).spend("b", 8000);
    agree();
    journal(0).can_be_read = false;
    journal(0).spend("a", 60);
    journal(1).spend("a", 700);
    move(2500ms);
    EXPECT_EQ(replica(0).shared->today(), 8705);
    journal(0).can_be_read = true;
    agree();
    EXPECT_EQ(replica(0).shared->counts().told, 3u) << "not all from the beginning";
    EXPECT_EQ(replica(0).shared->counts().lost, 0u);
}

TEST_F(Spending, OfAnotherDayIsNotTodays) {
    journal(0).spend("a", 5);
    agree();
    replica(0).store.cut();
    move(12h);
    EXPECT_EQ(replica(0).shared->today(), std::nullopt);
    EXPECT_EQ(replica(1).shared->today(), 0);
}

TEST_F(Spending, IsToldToItsEndByADrain) {
    for (int i = 0; i < 1000; ++i) journal(0).spend("c" + std::to_string(i), 1);
    bool is_done = false;
    replica(0).shared->finish([&] { is_done = true; });
    move(100ms);
    EXPECT_TRUE(is_done);
    EXPECT_EQ(store(), 1000);
}

TEST_F(Spending, IsToldToItsEndByADrainThatFindsItBusy) {
    journal(0).spend("a", 5);
    move(1000050us);  // it has been read, and not answered
    journal(0).spend("a", 60);
    bool is_done = false;
    replica(0).shared->finish([&] { is_done = true; });
    move(100ms);
    EXPECT_TRUE(is_done);
    EXPECT_EQ(store(), 65);
}

TEST_F(Spending, HoldsUpNoDrainWhileTheStoreIsAway) {
    journal(0).spend("a", 5);
    replica(0).store.cut();
    bool is_done = false;
    replica(0).shared->finish([&] { is_done = true; });
    move(100ms);
    EXPECT_TRUE(is_done);
    replica(1).store.set_silent(true);
    is_done = false;
    replica(1).shared->finish([&] { is_done = true; });
    move(100ms);
    EXPECT_TRUE(is_done);
}

TEST_F(Spending, BeyondWhatFitsIsRefusedAndLeavesTheSum) {
    constexpr quota::Nanos kMost = std::numeric_limits<quota::Nanos>::max();
    journal(0).spend("a", kMost - 10);
    journal(1).spend("a", 20);
    move(2500ms);
    EXPECT_EQ(replica(0).shared->counts().refused + replica(1).shared->counts().refused, 1u);
    EXPECT_EQ(store(), replica(1).shared->counts().refused == 1 ? kMost - 10 : 20);
}

}  // namespace
}  // namespace rotary::fleet
