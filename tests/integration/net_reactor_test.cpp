// Who wakes whom: hang-ups, cancelling, descriptors that go while their events arrive, draining.
#include "net_support.hpp"

#include <rotary/net/session_set.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace rotary;
using namespace rotary::test;
using net::Descriptor;
using net::IoStatus;
using net::Reactor;
using net::SessionSet;
using net::Stream;
using net::WaitFor;
using net::Wake;

struct Line {
    explicit Line(NetLoop& loop)
        : pair(tcp_pair()),
          stream(std::in_place, loop.reactor, loop.buffers, pair.ours, Stream::Role()),
          peer(pair.theirs) {}
    SocketPair pair;
    std::optional<Stream> stream;
    Peer peer;
};

Task<void> wait_for(Reactor& reactor, WaitFor what, std::optional<Wake>& wake) {
    wake = co_await reactor.wait(what);
}

// Runs the loop's handlers until something came of it.
void run_until_woken(NetLoop& loop, const std::optional<Wake>& wake) {
    while (!wake) turn(loop.reactor);
}

TEST(Waiting, ClientThatHangsUpWakesAWaitForAnother) {
    struct Row {
        const char* name;
        bool reset;
    };
    for (const Row& row : {Row{"FIN", false}, Row{"RST", true}}) {
        SCOPED_TRACE(row.name);
        NetLoop loop;
        Line upstream(loop);
        Line client(loop);
        std::optional<Wake> wake;
        WaitFor what;
        what.read = &upstream.stream->descriptor();
        what.client = &client.stream->descriptor();
        what.deadline = loop.reactor.now() + 20s;
        spawn(wait_for(loop.reactor, what, wake));
        settle(loop.reactor);
        ASSERT_FALSE(wake);
        const std::uint64_t turns = loop.reactor.rounds();
        row.reset ? client.peer.reset() : client.peer.finish();
        run_until_woken(loop, wake);
        EXPECT_EQ(wake, Wake::peer_gone);
        EXPECT_EQ(loop.reactor.rounds(), turns + 1);
    }
}

TEST(Waiting, ClientAlreadyGoneIsToldAtOnceEvenBesideReadiness) {
    NetLoop loop;
    Line upstream(loop);
    Line client(loop);
    client.peer.finish();
    ASSERT_TRUE(upstream.peer.write("answer"));
    settle(loop.reactor);
    ASSERT_TRUE(client.stream->descriptor().hung_up());
    std::optional<Wake> wake;
    WaitFor what;
    what.read = &upstream.stream->descriptor();
    what.client = &client.stream->descriptor();
    spawn(wait_for(loop.reactor, what, wake));
    EXPECT_EQ(wake, Wake::peer_gone);
}

Task<void> read_request(Stream& client, std::string& got, IoStatus& end) {
    WaitFor what;
    what.read = &client.descriptor();
    what.client = &client.descriptor();
    const Wake wake = co_await client.descriptor().reactor().wait(what);
    EXPECT_EQ(wake, Wake::ready);
    end = co_await read_until(client, 100, 100, got);
}

TEST(Waiting, ClientsOwnBytesAreReadBeforeItsEnd) {
    for (const bool known_before : {false, true}) {
        SCOPED_TRACE(known_before);
        NetLoop loop;
        Line client(loop);
        ASSERT_TRUE(client.peer.write("GET"));
        client.peer.finish();
        if (known_before) settle(loop.reactor);
        EXPECT_EQ(client.stream->descriptor().hung_up(), known_before);
        std::string got;
        IoStatus end = IoStatus::ok;
        loop.run(read_request(*client.stream, got, end));
        EXPECT_EQ(got, "GET");
        EXPECT_EQ(end, IoStatus::end);
    }
}

TEST(Waiting, DeadlineWakesAWaitForBytes) {
    NetLoop loop;
    Line line(loop);
    settle(loop.reactor);
    std::optional<Wake> wake;
    WaitFor what;
    what.read = &line.stream->descriptor();
    what.deadline = loop.reactor.now() + 30ms;
    const auto expiry = what.deadline;
    spawn(wait_for(loop.reactor, what, wake));
    run_until_woken(loop, wake);
    EXPECT_EQ(wake, Wake::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now(), expiry);
}

TEST(Waiting, CancelWakesEveryWaiter) {
    NetLoop loop;
    Line line(loop);
    Line other(loop);
    settle(loop.reactor);
    line.stream->descriptor().clear_writable();
    std::array<std::optional<Wake>, 3> wakes;
    std::array<WaitFor, 3> whats;
    whats[0].read = &line.stream->descriptor();
    whats[1].write = &line.stream->descriptor();
    whats[2].read = &other.stream->descriptor();
    whats[2].client = &line.stream->descriptor();
    for (std::size_t i = 0; i < 3; ++i) spawn(wait_for(loop.reactor, whats[i], wakes[i]));
    line.stream->descriptor().cancel();
    EXPECT_FALSE(wakes[0]) << "who is woken runs later, not inside of cancel()";
    settle(loop.reactor);
    for (const auto& wake : wakes) EXPECT_EQ(wake, Wake::cancelled);
}

// Two lines with an event each in one batch; who runs first ends the other's stream.
struct Rival {
    std::unique_ptr<Line> line;
    OwnedTask task;
    Rival* other = nullptr;
};

OwnedTask end_the_other(Reactor& reactor, Rival& self, int& survivors) {
    WaitFor what;
    what.read = &self.line->stream->descriptor();
    what.deadline = reactor.now() + 20s;
    co_await reactor.wait(what);
    ++survivors;
    self.other->task.destroy();
    self.other->line.reset();
}

TEST(Waiting, StreamMayGoInTheBatchOfItsEvent) {
    NetLoop loop;
    std::array<Rival, 2> rivals;
    int survivors = 0;
    for (Rival& rival : rivals) rival.line = std::make_unique<Line>(loop);
    settle(loop.reactor);
    rivals[0].other = &rivals[1];
    rivals[1].other = &rivals[0];
    for (Rival& rival : rivals) rival.task = end_the_other(loop.reactor, rival, survivors);
    for (Rival& rival : rivals) ASSERT_TRUE(rival.line->peer.write("now"));
    while (survivors == 0) turn(loop.reactor);
    settle(loop.reactor);
    EXPECT_EQ(survivors, 1);
}

TEST(Waiting, MoreEventsThanABatchAreAllSeen) {
    NetLoop loop;
    std::vector<std::unique_ptr<Line>> lines;
    std::vector<std::optional<Wake>> wakes(300);
    for (std::size_t i = 0; i < wakes.size(); ++i) {
        lines.push_back(std::make_unique<Line>(loop));
    }
    settle(loop.reactor);
    for (std::size_t i = 0; i < wakes.size(); ++i) {
        WaitFor what;
        what.read = &lines[i]->stream->descriptor();
        spawn(wait_for(loop.reactor, what, wakes[i]));
        ASSERT_TRUE(lines[i]->peer.write("x"));
    }
    const std::uint64_t turns = loop.reactor.rounds();
    for (const auto& wake : wakes) run_until_woken(loop, wake);
    EXPECT_EQ(loop.reactor.rounds(), turns + 2) << "deadlines and mail have their turn between two";
}

enum class Served { yes, not_yet };

// A session that waits for a request, or for its upstream.
Task<void> session(SessionSet& set, Stream& client, Stream* upstream, Served served,
                   std::optional<Wake>& wake) {
    SessionSet::Node node(set, client.descriptor());
    if (upstream == nullptr) node.enter_idle();
    node.fresh = served == Served::not_yet;
    WaitFor what;
    what.read = upstream == nullptr ? &client.descriptor() : &upstream->descriptor();
    what.client = &client.descriptor();
    wake = co_await client.descriptor().reactor().wait(what);
}

TEST(SessionSet, DrainEndsTheIdleOnesThenTheFreshOnesAndCancelTheRest) {
    NetLoop loop;
    Line idle(loop);
    Line fresh(loop);
    Line busy(loop);
    Line upstream(loop);
    settle(loop.reactor);
    SessionSet set(loop.reactor);
    std::optional<Wake> idle_wake;
    std::optional<Wake> fresh_wake;
    std::optional<Wake> busy_wake;
    spawn(session(set, *idle.stream, nullptr, Served::yes, idle_wake));
    spawn(session(set, *fresh.stream, nullptr, Served::not_yet, fresh_wake));
    spawn(session(set, *busy.stream, &*upstream.stream, Served::yes, busy_wake));
    EXPECT_EQ(set.size(), 3U);
    bool empty = false;
    set.on_empty([&] { empty = true; });

    set.drain();
    settle(loop.reactor);
    EXPECT_TRUE(set.draining());
    EXPECT_EQ(idle_wake, Wake::cancelled);
    EXPECT_FALSE(fresh_wake) << "it has had no answer yet";
    EXPECT_FALSE(set.fresh_time_is_over());
    set.end_fresh();
    settle(loop.reactor);
    EXPECT_TRUE(set.fresh_time_is_over());
    EXPECT_EQ(fresh_wake, Wake::cancelled);
    EXPECT_FALSE(busy_wake);
    EXPECT_EQ(set.size(), 1U);
    EXPECT_FALSE(empty);

    set.cancel_all();
    settle(loop.reactor);
    EXPECT_EQ(busy_wake, Wake::cancelled);
    EXPECT_EQ(set.size(), 0U);
    EXPECT_TRUE(empty);
}

TEST(SessionSet, EachSessionGivesItsPlaceBack) {
    NetLoop loop;
    Line first(loop);
    Line second(loop);
    settle(loop.reactor);
    net::ConnectionLimit limit(2);
    SessionSet one(loop.reactor, &limit);
    SessionSet other(loop.reactor, &limit);
    std::optional<Wake> wakes[2];
    ASSERT_TRUE(one.admit());
    spawn(session(one, *first.stream, nullptr, Served::yes, wakes[0]));
    ASSERT_TRUE(other.admit());
    spawn(session(other, *second.stream, nullptr, Served::yes, wakes[1]));
    EXPECT_FALSE(one.admit());
    EXPECT_FALSE(other.admit());
    other.cancel_all();
    settle(loop.reactor);
    EXPECT_EQ(limit.open(), 1U);
    EXPECT_TRUE(one.admit()) << "the limit is everybody's";
    one.cancel_all();
    settle(loop.reactor);
}

// The one that has just said something is not idle, though the reactor has yet to see it.
TEST(SessionSet, TheLongestIdleMakesRoom) {
    NetLoop loop;
    Line busy(loop);
    Line upstream(loop);
    Line speaking(loop);
    Line older(loop);
    Line newer(loop);
    settle(loop.reactor);
    net::ConnectionLimit limit(4);
    SessionSet none(loop.reactor, &limit);
    SessionSet set(loop.reactor, &limit);
    std::optional<Wake> wakes[4];
    const auto begin = [&](Line& line, Stream* provider, Served served, std::size_t at) {
        ASSERT_TRUE(set.admit());
        spawn(session(set, *line.stream, provider, served, wakes[at]));
    };
    begin(busy, &*upstream.stream, Served::yes, 0);
    EXPECT_EQ(limit.longest_idle(), nullptr);
    begin(speaking, nullptr, Served::yes, 1);
    begin(older, nullptr, Served::not_yet, 2);
    begin(newer, nullptr, Served::yes, 3);
    EXPECT_FALSE(none.admit());
    EXPECT_EQ(limit.longest_idle(), &set);
    EXPECT_EQ(none.idle_since(), SteadyTime::max());

    ASSERT_TRUE(speaking.peer.write("G"));
    EXPECT_TRUE(set.evict_longest_idle().has_value());
    EXPECT_EQ(limit.open(), 4U) << "its place has another";
    settle(loop.reactor);
    EXPECT_EQ(wakes[2], Wake::cancelled);
    EXPECT_EQ(wakes[1], Wake::ready);
    EXPECT_FALSE(wakes[3]);
    EXPECT_EQ(limit.open(), 3U) << "that of the one that spoke and went";
    EXPECT_TRUE(set.evict_longest_idle().has_value());
    EXPECT_FALSE(set.evict_longest_idle().has_value());
    EXPECT_EQ(limit.longest_idle(), nullptr);
    settle(loop.reactor);
    EXPECT_EQ(wakes[3], Wake::cancelled);
    EXPECT_FALSE(wakes[0]) << "it is busy";
    EXPECT_EQ(limit.open(), 3U) << "two places are others', one is busy's";
    set.cancel_all();
    settle(loop.reactor);
}

// More threads than places: never too many get in, and none is lost.
TEST(ConnectionLimit, IsExactForManyThreads) {
    constexpr std::size_t kPlaces = 3;
    net::ConnectionLimit limit(kPlaces);
    std::atomic<std::size_t> inside{0};
    std::atomic<std::size_t> most{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20'000; ++round) {
                if (!limit.take()) continue;
                const std::size_t now = ++inside;
                std::size_t seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) continue;
                --inside;
                limit.give();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(most, kPlaces);
    EXPECT_GT(most, 0U);
    EXPECT_EQ(limit.open(), 0U);
    limit.set_most(0);
    EXPECT_FALSE(limit.take());
}

TEST(SessionSet, EmptyOneTellsAtOnceAndOnce) {
    NetLoop loop;
    SessionSet set(loop.reactor);
    int told = 0;
    set.on_empty([&] { ++told; });
    EXPECT_EQ(told, 0);
    set.drain();
    set.drain();
    EXPECT_EQ(told, 1);
    set.on_empty([&] { ++told; });
    EXPECT_EQ(told, 2) << "a drained one tells whoever asks later";
}

}  // namespace
