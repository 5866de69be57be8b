// When the key fetcher fetches, what it keeps, and how it ends.
#include "jwks_fixture.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>

namespace rotary::control {
namespace {

using testing::AnyOf;

TEST_F(JwksTest, FetchesAtOnceAndPublishes) {
    KeyServer& keys = server();
    keys.serve(jwks_of({"a", "b"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    EXPECT_THAT(published_, testing::ElementsAre("0: a b "));
    EXPECT_EQ(kids(fetcher().keys(0)), "a b ");
    EXPECT_THAT(keys.last_request, testing::StartsWith("GET /keys?x=1 HTTP/1.1\r\n"));
    EXPECT_THAT(keys.last_request, HasSubstr("Host: 127.0.0.1:"));
    const JwksStatus status = fetcher().status(0);
    EXPECT_EQ(status.fetches_ok, 1u);
    EXPECT_EQ(status.fetches_failed, 0u);
    EXPECT_EQ(status.last_error, "");
    ASSERT_TRUE(status.last_success);
    EXPECT_LT(std::chrono::system_clock::now() - *status.last_success, 10s);
}

TEST_F(JwksTest, RotationArrivesAndTheSameKeysAreNotPublishedAgain) {
    options_.refresh = 20ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until([&] { return keys.requests >= 4; }));
    EXPECT_THAT(published_, testing::ElementsAre("0: a "));
    keys.serve(jwks_of({"a", "b"}));
    ASSERT_TRUE(run_until_published(2));
    EXPECT_EQ(published_.back(), "0: a b ");
}

TEST_F(JwksTest, RefreshesAfterFourFifthsOfThePeriod) {
    options_.refresh = 250ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    const auto before = std::chrono::steady_clock::now();
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until([&] { return keys.requests >= 2; }));
    EXPECT_GE(std::chrono::steady_clock::now() - before, 200ms);
}

TEST_F(JwksTest, AnOutageKeepsTheKeysAndIsRetriedUntilItEnds) {
    options_.refresh = 20ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    keys.serve("", "503 Service Unavailable");
    ASSERT_TRUE(run_until_failed(4));
    EXPECT_EQ(kids(fetcher().keys(0)), "a ");
    EXPECT_EQ(fetcher().status(0).last_error, "refused: status 503");
    EXPECT_EQ(published_.size(), 1u);
    keys.serve(jwks_of({"b"}));
    ASSERT_TRUE(run_until_published(2));
    EXPECT_EQ(kids(fetcher().keys(0)), "b ");
    EXPECT_EQ(fetcher().status(0).last_error, "");
}

TEST_F(JwksTest, RetriesBackOff) {
    options_.retry_first = 20ms;
    options_.retry_max = 80ms;
    KeyServer& keys = server();
    keys.serve("", "500 no");
    const auto before = std::chrono::steady_clock::now();
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_failed(5));  // waits of 20, 40, 80 and 80 ms lie between them
    EXPECT_GE(std::chrono::steady_clock::now() - before, 215ms);
}

TEST_F(JwksTest, KeysGoStale) {
    options_.refresh = 20ms;
    options_.stale = 100ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    keys.serve("", "404 Not Found");
    ASSERT_TRUE(run_until_published(2));
    EXPECT_EQ(published_.back(), "0: none");
    keys.serve(jwks_of({"a"}));
    ASSERT_TRUE(run_until_published(3));
    EXPECT_EQ(published_.back(), "0: a ");
}

TEST_F(JwksTest, UnknownKidsCauseOneFetchACooldown) {
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    keys.serve(jwks_of({"b"}));
    int started = 0;
    for (int i = 0; i < 10'000; ++i) started += fetcher().refresh_for_unknown_kid(0) ? 1 : 0;
    EXPECT_EQ(started, 1);
    ASSERT_TRUE(run_until_published(2));
    for (int i = 0; i < 10'000; ++i) started += fetcher().refresh_for_unknown_kid(0) ? 1 : 0;
    settle();
    EXPECT_EQ(started, 1);
    EXPECT_EQ(keys.requests, 2);
    EXPECT_FALSE(fetcher().refresh_for_unknown_kid(1));
}

TEST_F(JwksTest, AfterTheCooldownAnUnknownKidIsLookedForAgain) {
    options_.cooldown = 50ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    const auto before = std::chrono::steady_clock::now();
    int started = 0;
    ASSERT_TRUE(run_until([&] {
        started += fetcher().refresh_for_unknown_kid(0) ? 1 : 0;
        return started == 3;
    }));
    EXPECT_GE(std::chrono::steady_clock::now() - before, 100ms);
}

// An end is told after the keys, so that whoever hears of it has them.
TEST_F(JwksTest, TellsOfTheBeginningAndTheEndOfEachFetch) {
    fetcher().on_fetch([this](std::size_t issuer, FetchStage stage) {
        const char* const names[] = {"started", "succeeded", "failed"};
        const std::string busy = fetcher().fetching(issuer) ? " busy" : "";
        published_.push_back(names[static_cast<std::size_t>(stage)] + busy);
    });
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    EXPECT_TRUE(fetcher().fetching(0));
    EXPECT_FALSE(fetcher().fetching(1));
    EXPECT_EQ(fetcher().not_before(0), SteadyTime::min());
    ASSERT_TRUE(run_until_published(3));
    EXPECT_THAT(published_, testing::ElementsAre("started", "0: a ", "succeeded"));
    EXPECT_EQ(fetcher().not_before(0), SteadyTime::min()) << "nobody has asked for it";
    published_.clear();
    const SteadyTime before = std::chrono::steady_clock::now();
    ASSERT_TRUE(fetcher().refresh_for_unknown_kid(0));  // the same keys
    EXPECT_GE(fetcher().not_before(0), before + options_.cooldown);
    ASSERT_TRUE(run_until_published(2));
    EXPECT_THAT(published_, testing::ElementsAre("started", "succeeded"));
}

TEST_F(JwksTest, TellsOfAFailureToo) {
    fetcher().on_fetch([this](std::size_t, FetchStage stage) {
        published_.push_back(stage == FetchStage::started ? "started" : "ended");
    });
    JwksSource missing, unreachable = at("gopher://x");
    missing.file = "/nowhere/at/all";
    fetcher().set_sources({missing, unreachable});
    EXPECT_THAT(published_, testing::ElementsAre("started", "ended", "started", "ended"));
}

TEST_F(JwksTest, OneFetchAtATime) {
    KeyServer& keys = server();  // never answers
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until([&] { return keys.requests == 1; }));
    EXPECT_FALSE(fetcher().refresh_for_unknown_kid(0));
    settle();
    EXPECT_EQ(keys.connections, 1);
}

TEST_F(JwksTest, ASilentServerCostsOneDeadline) {
    options_.fetch = 50ms;
    KeyServer& keys = server();
    fetcher().set_sources({at(keys.url())});
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    EXPECT_EQ(fetcher().status(0).last_error, "no answer in time");
    keys.serve(jwks_of({"a"}));
    EXPECT_TRUE(fetcher().refresh_for_unknown_kid(0));  // a new one may start
    EXPECT_TRUE(run_until_published(1));
}

TEST_F(JwksTest, WhatCanNotBeFetchedFailsAndIsRetried) {
    KeyServer& gone = server();
    const std::string closed = gone.url();
    gone.close();
    JwksSource broken_ca = at("https://localhost:1/keys");
    broken_ca.ca_pem = "not a certificate";
    fetcher().set_sources({at(closed), at("http://192.0.2.1/keys"), at("gopher://x"), broken_ca});
    ASSERT_TRUE(run_until([&] {
        for (std::size_t i = 0; i < 4; ++i) {
            if (fetcher().status(i).fetches_failed < 2) return false;
        }
        return true;
    }));
    EXPECT_THAT(fetcher().status(0).last_error, HasSubstr("connect: "));
    EXPECT_THAT(fetcher().status(1).last_error, HasSubstr("neither https nor http to a loopback"));
    EXPECT_THAT(fetcher().status(2).last_error, HasSubstr("neither https nor http to a loopback"));
    EXPECT_THAT(fetcher().status(3).last_error, HasSubstr("CA certificate"));
    EXPECT_EQ(fetcher().fetches_ok(), 0u);
}

TEST_F(JwksTest, FilesAreReadAtOnceAndAgain) {
    const test::TempDir dir;
    JwksSource source;
    source.file = dir.write("keys.json", jwks_of({"a"}));
    options_.refresh = 20ms;
    fetcher().set_sources({source});
    EXPECT_THAT(published_, testing::ElementsAre("0: a "));  // the context has not even run
    dir.write("keys.json", jwks_of({"b"}));
    ASSERT_TRUE(run_until_published(2));
    EXPECT_EQ(published_.back(), "0: b ");
    std::filesystem::remove(source.file);
    ASSERT_TRUE(run_until_failed(2));
    EXPECT_EQ(kids(fetcher().keys(0)), "b ");
    dir.write("keys.json", jwks_of({"c"}));
    ASSERT_TRUE(run_until_published(3));
}

TEST_F(JwksTest, FilesThatCanNotBeUsedFail) {
    const test::TempDir dir;
    options_.limits.bytes = 4096;
    JwksSource missing, folder, large, pipe;
    missing.file = dir / "missing.json";
    folder.file = dir.path().string();
    large.file = dir.write("large.json", std::string(5000, ' ') + jwks_of({"a"}));
    pipe.file = dir / "pipe";
    ASSERT_EQ(::mkfifo(pipe.file.c_str(), 0600), 0);
    fetcher().set_sources({missing, folder, large, pipe});
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(fetcher().status(i).fetches_failed, 1u) << i;
        EXPECT_EQ(fetcher().keys(i), nullptr) << i;
    }
    EXPECT_TRUE(published_.empty());
}

TEST_F(JwksTest, AReloadKeepsWhatIsStillThere) {
    KeyServer& first = server();
    KeyServer& second = server();
    KeyServer& third = server();
    first.serve(jwks_of({"a"}));
    second.serve(jwks_of({"b"}));
    third.serve(jwks_of({"c"}));
    fetcher().set_sources({at(first.url()), at(second.url())});
    ASSERT_TRUE(run_until_published(2));
    const auto kept = fetcher().keys(1);
    second.serve("", "500 no");  // in the middle of its outage
    fetcher().set_sources({at(second.url()), at(third.url())});
    EXPECT_EQ(fetcher().size(), 2u);
    EXPECT_EQ(fetcher().keys(0), kept);
    EXPECT_EQ(fetcher().status(0).fetches_ok, 1u);
    EXPECT_EQ(fetcher().keys(1), nullptr);
    ASSERT_TRUE(run_until_published(3));
    EXPECT_EQ(published_.back(), "1: c ");
    EXPECT_EQ(fetcher().fetches_ok(), 3u);
    EXPECT_EQ(second.requests, 1);
}

TEST_F(JwksTest, AReloadEndsTheFetchesOfIssuersThatAreGone) {
    KeyServer& silent = server();
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(silent.url())});
    ASSERT_TRUE(run_until([&] { return silent.requests == 1; }));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    EXPECT_EQ(fetcher().fetches_failed(), 0u);
}

TEST_F(JwksTest, TheCallbackMayReload) {
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    const test::TempDir dir;
    JwksSource file;
    file.file = dir.write("keys.json", jwks_of({"f"}));
    when_published_ = [&] {
        if (published_.size() == 1) fetcher().set_sources({file});
    };
    fetcher().set_sources({at(keys.url()), at(keys.url() + "2")});
    ASSERT_TRUE(run_until_published(2));
    settle();
    EXPECT_THAT(published_, testing::ElementsAre(AnyOf("0: a ", "1: a "), "0: f "));
    EXPECT_EQ(fetcher().size(), 1u);
}

TEST_F(JwksTest, ACallbackThatThrowsHarmsNobody) {
    options_.refresh = 20ms;
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    when_published_ = [] { throw std::runtime_error("no"); };
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    keys.serve(jwks_of({"b"}));
    ASSERT_TRUE(run_until_published(2));
}

TEST_F(JwksTest, StopsInTheMiddleOfAFetch) {
    KeyServer& silent = server(&certificates().server);
    fetcher().set_sources({at(silent.url("localhost"), certificates().ca)});
    ASSERT_TRUE(run_until([&] { return silent.requests == 1; }));
    fetcher().stop();
    EXPECT_FALSE(fetcher().refresh_for_unknown_kid(0));
    fetcher().set_sources({at(silent.url())});
    settle();
    EXPECT_EQ(fetcher().fetches_failed(), 0u);
    EXPECT_EQ(silent.connections, 1);
    fetcher_.reset();
    settle();
    EXPECT_TRUE(published_.empty());
}

// At each step of a fetch, then the context goes without ever running again.
TEST_F(JwksTest, MayBeDestroyedAtAnyMoment) {
    for (int steps = 0; steps < 40; ++steps) {
        auto context = std::make_unique<asio::io_context>(1);
        KeyServer keys(*context, &certificates().server);
        keys.serve(jwks_of({"a"}));
        JwksFetcher::OnKeys ignore = [](std::size_t, std::shared_ptr<const KeySet>) {};
        auto fetching = std::make_unique<JwksFetcher>(*context, resolver_, options_, ignore, log_);
        fetching->set_sources({at(keys.url("localhost"), certificates().ca)});
        for (int i = 0; i < steps; ++i) context->run_one_for(2ms);
        fetching.reset();
        if (steps % 2 == 0) context->poll();
        keys.close();
    }
}

}  // namespace
}  // namespace rotary::control
