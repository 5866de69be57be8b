// Names to addresses, asked of a name server that says, or does not say, what the test wants.
#include <rotary/net/resolver.hpp>

#include <support/dns_server.hpp>
#include <support/eventually.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <list>
#include <memory>
#include <set>
#include <thread>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using net::Resolved;
using net::Resolver;

Resolver::Options asking(const DnsServer& server) {
    Resolver::Options options;
    options.lookup = 1h;  // what ends one is what the test does
    options.servers = {server.address()};
    return options;
}

// "127.0.0.1 ::1", or what a failure says.
std::string text(const Resolved& resolved) {
    if (!resolved) return resolved.error().detail;
    std::string out;
    for (const auto& place : **resolved) {
        out += (out.empty() ? "" : " ") + place.address().to_string();
    }
    return out;
}

// One who asks, with a loop of its own.
class Caller {
public:
    explicit Caller(Resolver& resolver) : resolver_(resolver) {}

    void ask(const std::string& name) {
        const auto post = [this](std::function<void()> work) {
            boost::asio::post(context_, std::move(work));
        };
        questions_.push_back(resolver_.ask(name, post, [this, name](const Resolved& resolved) {
            answers_.emplace_back(name, resolved);
        }));
    }
    // Runs the loop until so many answers have come; false after a long while.
    bool answers(std::size_t count) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (answers_.size() < count && std::chrono::steady_clock::now() < end) {
            context_.restart();
            context_.run_one_for(100ms);
        }
        return answers_.size() >= count;
    }
    Resolved resolve(const std::string& name) {
        answers_.clear();
        ask(name);
        if (!answers(1)) return Fault::internal(FaultKind::draining, "no answer");
        return answers_.front().second;
    }
    const std::vector<std::pair<std::string, Resolved>>& got() const { return answers_; }
    void drop() { questions_.clear(); }
    boost::asio::io_context& context() { return context_; }

private:
    Resolver& resolver_;
    boost::asio::io_context context_{1};
    std::vector<std::pair<std::string, Resolved>> answers_;
    std::list<Resolver::Question> questions_;
};

// Until what is known of the name reads like this.
bool becomes(Resolver& resolver, const std::string& name, const std::string& wanted) {
    return eventually(
        [&] {
            const std::optional<Resolved> known = resolver.known(name);
            return known && text(*known) == wanted;
        },
        60s);
}

TEST(ResolverTest, FindsAddressesInTheOrderOfTheAnswer) {
    DnsServer server;
    server.has("several.test", {"127.0.0.3", "127.0.0.1", "127.0.0.2"});
    Resolver resolver(asking(server));
    Caller caller(resolver);
    EXPECT_FALSE(resolver.known("several.test"));
    EXPECT_EQ(text(caller.resolve("several.test")), "127.0.0.3 127.0.0.1 127.0.0.2");
    ASSERT_TRUE(resolver.known("several.test"));
    EXPECT_EQ(text(*resolver.known("several.test")), "127.0.0.3 127.0.0.1 127.0.0.2");
}

TEST(ResolverTest, KnowsThisMachineWithoutAsking) {
    DnsServer server;
    Resolver resolver(asking(server));
    Caller caller(resolver);
    const Resolved found = caller.resolve("localhost");
    ASSERT_TRUE(found) << found.error().detail;
    for (const auto& place : **found) EXPECT_TRUE(place.address().is_loopback());
    EXPECT_EQ(server.queries("localhost"), 0U);
}

TEST(ResolverTest, SearchesTheDomainsOfTheSystem) {
    DnsServer server;
    server.has("provider.search.test", {"127.0.0.4"});
    ::setenv("LOCALDOMAIN", "search.test", 1);
    Resolver resolver(asking(server));
    Caller caller(resolver);
    const Resolved found = caller.resolve("provider");
    ::unsetenv("LOCALDOMAIN");
    EXPECT_EQ(text(found), "127.0.0.4");
}

TEST(ResolverTest, LooksANameUpOnceHoweverManyAsk) {
    DnsServer server;
    server.has("busy.test", {"127.0.0.1"});
    server.hold("busy.test");
    Resolver resolver(asking(server));
    std::vector<std::unique_ptr<Caller>> callers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) callers.push_back(std::make_unique<Caller>(resolver));
    for (const auto& caller : callers) {
        threads.emplace_back([&caller] {
            for (int i = 0; i < 25; ++i) caller->ask("busy.test");
        });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(server.wait_for("busy.test"));
    server.release("busy.test");
    for (const auto& caller : callers) {
        ASSERT_TRUE(caller->answers(25));
        for (const auto& [name, resolved] : caller->got()) EXPECT_EQ(text(resolved), "127.0.0.1");
    }
    EXPECT_EQ(server.lookups("busy.test"), 1U) << "one A, and one AAAA where there is IPv6";
    EXPECT_EQ(text(callers[0]->resolve("busy.test")), "127.0.0.1");
    EXPECT_EQ(server.lookups("busy.test"), 1U) << "it is known now";
}

TEST(ResolverTest, NameThatHangsKeepsNobodyElseWaiting) {
    DnsServer server;
    server.hold("hanging.test");
    server.hold("hanging-too.test");
    Resolver resolver(asking(server));
    Caller caller(resolver);
    Caller patient(resolver);
    patient.ask("hanging.test");
    patient.ask("hanging-too.test");
    ASSERT_TRUE(server.wait_for("hanging.test"));
    ASSERT_TRUE(server.wait_for("hanging-too.test"));
    for (int i = 0; i < 50; ++i) {
        const std::string name = "n" + std::to_string(i) + ".test";
        server.has(name, {"127.0.0.1"});
        EXPECT_EQ(text(caller.resolve(name)), "127.0.0.1") << name;
    }
    patient.context().poll();
    EXPECT_TRUE(patient.got().empty());
    server.has("hanging.test", {"127.0.0.2"});
    server.release("hanging.test");
    ASSERT_TRUE(patient.answers(1));
    EXPECT_EQ(text(patient.got()[0].second), "127.0.0.2");
}

TEST(ResolverTest, EndsInTime) {
    DnsServer server;
    server.hold("hanging.test");
    Resolver::Options options = asking(server);
    options.lookup = 100ms;
    Resolver resolver(options);
    Caller caller(resolver);
    const Resolved failed = caller.resolve("hanging.test");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, FaultKind::upstream_dns_failed);
    EXPECT_EQ(failed.error().origin, Origin::upstream);
    EXPECT_EQ(failed.error().retry, Retry::next_entry);
    EXPECT_STREQ(failed.error().detail, "name resolution timed out");
}

TEST(ResolverTest, LateAnswerOfTheFirstServerCounts) {
    DnsServer first;
    DnsServer second;
    first.has("slow.test", {"127.0.0.1"});
    first.hold("slow.test");
    second.hold("slow.test");
    Resolver::Options options = asking(first);
    options.lookup = 30s;
    options.servers.push_back(second.address());
    Resolver resolver(options);
    Caller caller(resolver);
    caller.ask("slow.test");
    ASSERT_TRUE(second.wait_for("slow.test")) << "the next server's turn";
    first.release("slow.test");
    ASSERT_TRUE(caller.answers(1));
    EXPECT_EQ(text(caller.got()[0].second), "127.0.0.1");
}

TEST(ResolverTest, OneKindOfAddressIsEnough) {
    DnsServer server;
    server.has("half.test", {"127.0.0.1"});
    server.hold_v6("half.test");
    Resolver::Options options = asking(server);
    options.lookup = 2s;
    Resolver resolver(options);
    Caller caller(resolver);
    EXPECT_EQ(text(caller.resolve("half.test")), "127.0.0.1");
}

TEST(ResolverTest, FailureIsNotWaitedFor) {
    DnsServer server;
    server.fails("broken.test");
    Resolver resolver(asking(server));
    Caller caller(resolver);
    for (const char* name : {"broken.test", "nowhere.test"}) {
        const Resolved failed = caller.resolve(name);
        ASSERT_FALSE(failed) << name;
        EXPECT_EQ(failed.error().kind, FaultKind::upstream_dns_failed);
        EXPECT_EQ(failed.error().origin, Origin::upstream);
    }
    EXPECT_STREQ(caller.resolve("nowhere.test").error().detail, "no such name");
}

TEST(ResolverTest, FailureIsRememberedBriefly) {
    for (const bool briefly : {true, false}) {
        DnsServer server;
        Resolver::Options options = asking(server);
        options.negative = briefly ? 1h : 0s;
        Resolver resolver(options);
        Caller caller(resolver);
        EXPECT_EQ(text(caller.resolve("late.test")), "no such name");
        server.has("late.test", {"127.0.0.1"});
        EXPECT_EQ(text(caller.resolve("late.test")), briefly ? "no such name" : "127.0.0.1");
        EXPECT_EQ(server.lookups("late.test"), briefly ? 1U : 2U);
    }
}

TEST(ResolverTest, StaleAddressServesWhileItsRenewalHangs) {
    DnsServer server;
    server.has("old.test", {"127.0.0.1"});
    Resolver::Options options = asking(server);
    options.fresh = 0s;
    Resolver resolver(options);
    Caller caller(resolver);
    ASSERT_EQ(text(caller.resolve("old.test")), "127.0.0.1");
    const std::size_t before = server.packets("old.test");
    server.has("old.test", {"127.0.0.2"});
    server.hold("old.test");
    EXPECT_TRUE(resolver.known("old.test"));
    ASSERT_TRUE(server.wait_for("old.test", before + 1)) << "it is being renewed";
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(text(caller.resolve("old.test")), "127.0.0.1");
        ASSERT_TRUE(resolver.known("old.test"));
        EXPECT_EQ(text(*resolver.known("old.test")), "127.0.0.1");
    }
    EXPECT_EQ(server.lookups("old.test"), 2U) << "one renewal at a time";
    server.release("old.test");
    EXPECT_TRUE(becomes(resolver, "old.test", "127.0.0.2"));
}

TEST(ResolverTest, StaleAddressOutlivesARenewalThatFailsButNotItsName) {
    DnsServer server;
    server.has("old.test", {"127.0.0.1"});
    Resolver::Options options = asking(server);
    options.fresh = options.negative = 0s;
    Resolver resolver(options);
    Caller caller(resolver);
    ASSERT_EQ(text(caller.resolve("old.test")), "127.0.0.1");
    server.fails("old.test");
    const std::size_t before = server.lookups("old.test");
    while (server.lookups("old.test") < before + 3) {
        EXPECT_EQ(text(caller.resolve("old.test")), "127.0.0.1");
    }
    server.has_not("old.test");
    options.negative = 100ms;  // a renewal that is under way may yet fail: the next one counts
    resolver.set_options(options);
    EXPECT_TRUE(becomes(resolver, "old.test", "no such name"));
}

TEST(ResolverTest, AddressThatIsTooOldIsNotServed) {
    DnsServer server;
    server.has("old.test", {"127.0.0.1"});
    Resolver::Options options = asking(server);
    options.fresh = options.stale = 0s;
    Resolver resolver(options);
    Caller caller(resolver);
    ASSERT_EQ(text(caller.resolve("old.test")), "127.0.0.1");
    EXPECT_FALSE(resolver.known("old.test"));
    server.has("old.test", {"127.0.0.2"});
    EXPECT_EQ(text(caller.resolve("old.test")), "127.0.0.2");
}

TEST(ResolverTest, LookupsAndAddressesAreBounded) {
    DnsServer server;
    server.hold("hanging.test");
    server.has("many.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3"});
    Resolver::Options options = asking(server);
    options.lookups = 1;
    options.addresses = 2;
    Resolver resolver(options);
    Caller caller(resolver);
    Caller patient(resolver);
    EXPECT_EQ(text(caller.resolve("many.test")), "127.0.0.1 127.0.0.2");
    patient.ask("hanging.test");
    const Resolved refused = caller.resolve("other.test");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().origin, Origin::internal) << "no provider's fault";
    EXPECT_EQ(refused.error().retry, Retry::next_entry);
    EXPECT_EQ(text(caller.resolve("many.test")), "127.0.0.1 127.0.0.2") << "which is known";
    EXPECT_EQ(server.queries("other.test"), 0U);
    server.release("hanging.test");
    ASSERT_TRUE(patient.answers(1));
    server.has("other.test", {"127.0.0.4"});
    EXPECT_EQ(text(caller.resolve("other.test")), "127.0.0.4") << "and the refusal was no answer";
}

TEST(ResolverTest, QuestionThatWasDroppedGetsNoAnswer) {
    DnsServer server;
    server.has("busy.test", {"127.0.0.1"});
    server.hold("busy.test");
    Resolver resolver(asking(server));
    auto leaver = std::make_unique<Caller>(resolver);
    Caller stayer(resolver);
    leaver->ask("busy.test");
    for (int i = 0; i < 1000; ++i) {  // whoever leaves is forgotten
        leaver->ask("busy.test");
        leaver->drop();
    }
    stayer.ask("busy.test");
    leaver.reset();  // with its loop
    ASSERT_TRUE(server.wait_for("busy.test"));
    server.release("busy.test");
    ASSERT_TRUE(stayer.answers(1));
    EXPECT_EQ(text(stayer.got()[0].second), "127.0.0.1");
}

TEST(ResolverTest, StopWaitsForNoLookup) {
    DnsServer server;
    for (const char* name : {"a.test", "b.test", "c.test"}) server.hold(name);
    auto resolver = std::make_unique<Resolver>(asking(server));
    Caller caller(*resolver);
    for (const char* name : {"a.test", "b.test", "c.test"}) caller.ask(name);
    ASSERT_TRUE(server.wait_for("c.test"));
    const auto start = std::chrono::steady_clock::now();
    resolver->stop();
    caller.context().poll();
    EXPECT_TRUE(caller.got().empty());
    resolver.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10min) << "the lookups have an hour";
}

TEST(ResolverTest, WantOfDescriptorsIsOurs) {
    DnsServer server;
    server.has("found.test", {"127.0.0.1"});
    Resolver resolver(asking(server));
    Caller caller(resolver);
    // UBSan opens a pipe when it first sees a type.
    EXPECT_FALSE(caller.resolve("missing.test"));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;  // those that are open stay so
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const Resolved failed = caller.resolve("found.test");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, FaultKind::overloaded);
    EXPECT_EQ(failed.error().origin, Origin::internal);
    EXPECT_STREQ(failed.error().detail, "out of file descriptors");
    EXPECT_EQ(text(caller.resolve("found.test")), "127.0.0.1") << "and that was no answer";
}

}  // namespace
}  // namespace rotary::test
