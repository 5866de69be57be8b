#include "unit/kubernetes/fake_cluster.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace rotary::kubernetes {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using testing::HasSubstr;
using Standing = WatchState::Standing;

constexpr const char* kPath = "/apis/dp.wso2.com/v1alpha2/namespaces/default/backends";

// Every row of what an API server was seen to do, on the wire.
class ResourceWatchTest : public FakeCluster {
protected:
    ResourceWatchTest() {
        server_.put(kBackends, "one", R"("spec":{"v":1})");
        options_.kind = &*std::find_if(kinds().begin(), kinds().end(),
                                       [](const Kind& kind) { return kind.name == "Backend"; });
        options_.selection.name_space = "default";
        options_.timeouts.kubernetes_retry = 50ms;
        options_.timeouts.kubernetes_watch = 60s;
        options_.timeouts.kubernetes_hold = 1s;
        options_.on_change = [this](bool other) { changes_ += other ? 1 : 0; };
    }
    // Begins, and waits until it watches.
    void begin() {
        watch_.emplace(context_, *client_, log_, options_);
        ASSERT_TRUE(until([&] { return server_.watches() == 1; }));
    }
    std::string text(const std::string& name) {
        ObjectMap objects;
        watch_->add_objects(objects);
        const auto found = objects.find("Backend default/" + name);
        return found == objects.end() ? "" : found->second->text;
    }
    bool shows(const std::string& name, const std::string& part) {
        return until([&] { return text(name).find(part) != std::string::npos; });
    }
    bool stands(Standing standing) {
        return until([&] { return watch_->state().standing() == standing; });
    }
    std::size_t lists() const { return server_.count("backends?limit"); }

    ResourceWatch::Options options_;
    int changes_ = 0;
    std::optional<ResourceWatch> watch_;
};

TEST_F(ResourceWatchTest, AListThenWhatChanges) {
    begin();
    EXPECT_TRUE(watch_->state().is_complete());
    EXPECT_EQ(changes_, 1);
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    EXPECT_TRUE(shows("one", R"("v":2)"));
    server_.put(kBackends, "two", R"("spec":{"v":3})");
    EXPECT_TRUE(shows("two", R"("v":3)"));
    EXPECT_EQ(changes_, 3);
    server_.remove(kBackends, "two");
    EXPECT_TRUE(until([&] { return text("two").empty(); }));
    EXPECT_EQ(changes_, 4);
    EXPECT_EQ(lists(), 1U);
}

TEST_F(ResourceWatchTest, AnEditOfTheStatusMovesTheVersionAlone) {
    begin();
    server_.touch(kBackends, "one");
    EXPECT_TRUE(until(
        [&] { return watch_->state().resource_version() == std::to_string(server_.version()); }));
    EXPECT_EQ(changes_, 1);
    EXPECT_EQ(watch_->events(), 1U);
}

TEST_F(ResourceWatchTest, PagesAreOneList) {
    for (const char* name : {"a", "b", "c", "d"}) server_.put(kBackends, name, R"("spec":{})");
    server_.page_at_most(2);
    begin();
    EXPECT_EQ(watch_->size(), 5U);
    EXPECT_EQ(server_.count("continue="), 2U);
}

TEST_F(ResourceWatchTest, APageThatIsTooOldBeginsTheListAnew) {
    for (const char* name : {"a", "b", "c"}) server_.put(kBackends, name, R"("spec":{})");
    server_.page_at_most(2);
    const std::string gone =
        R"({"kind":"Status","code":410,"reason":"Expired","metadata":{"continue":"x"}})";
    server_.answer_once(
        std::string(kPath) + "?limit=500&continue",
        "HTTP/1.1 410 Gone\r\nContent-Length: " + std::to_string(gone.size()) + "\r\n\r\n" + gone);
    begin();
    EXPECT_EQ(watch_->size(), 4U);
    EXPECT_EQ(lists(), 4U);
}

TEST_F(ResourceWatchTest, ABookmarkMovesTheVersion) {
    begin();
    server_.bookmark();
    EXPECT_TRUE(until(
        [&] { return watch_->state().resource_version() == std::to_string(server_.version()); }));
    server_.end_watches();
    const std::string from = "resourceVersion=" + std::to_string(server_.version());
    EXPECT_TRUE(until([&] { return server_.count(from) == 1; }));
    EXPECT_EQ(changes_, 1);
}

TEST_F(ResourceWatchTest, ACleanEndIsWatchedOnFrom) {
    begin();
    server_.end_watches();
    EXPECT_TRUE(until([&] { return server_.count("watch=1") == 2 && server_.watches() == 1; }));
    EXPECT_EQ(lists(), 1U);
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    EXPECT_TRUE(shows("one", R"("v":2)"));
}

TEST_F(ResourceWatchTest, ACutInAChunkIsWatchedOnFrom) {
    begin();
    server_.cut_watches();
    EXPECT_TRUE(stands(Standing::away));
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    EXPECT_TRUE(shows("one", R"("v":2)"));
    EXPECT_EQ(watch_->state().standing(), Standing::complete);
    EXPECT_EQ(lists(), 1U);
}

TEST_F(ResourceWatchTest, AVersionThatIsTooOldIsListedAgain) {
    begin();
    server_.cut_watches();
    ASSERT_TRUE(stands(Standing::away));
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    server_.forget_history();
    EXPECT_TRUE(shows("one", R"("v":2)"));
    EXPECT_EQ(lists(), 2U);
    EXPECT_TRUE(until([&] { return server_.watches() == 1; }));
}

TEST_F(ResourceWatchTest, AVersionFromTheFutureIsFoundOutByTwoSilentWatches) {
    begin();
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    ASSERT_TRUE(shows("one", R"("v":2)"));
    server_.go_back();
    server_.end_watches();  // the one that spoke
    for (std::size_t silent = 2; silent <= 3; ++silent) {
        ASSERT_TRUE(
            until([&] { return server_.count("watch=1") == silent && server_.watches() == 1; }));
        EXPECT_EQ(lists(), 1U);
        server_.end_watches();
    }
    EXPECT_TRUE(until([&] { return lists() == 2; }));
    EXPECT_TRUE(until([&] { return watch_->state().resource_version() == "1"; }));
}

TEST_F(ResourceWatchTest, AnErrorInTheStreamIsWaitedFor) {
    server_.answer_once(
        std::string(kPath) + "?watch",
        "HTTP/1.1 200 OK\r\n\r\n"
        R"({"type":"ERROR","object":{"kind":"Status","code":504,"reason":"Timeout","message":)"
        R"("Too large resource version","details":{"retryAfterSeconds":0}}})"
        "\n");
    begin();
    EXPECT_EQ(lists(), 2U);
}

TEST_F(ResourceWatchTest, AServerThatStartsIsObeyed) {
    const std::string busy =
        R"({"kind":"Status","code":429,"message":"storage is (re)initializing",)"
        R"("details":{"retryAfterSeconds":1}})";
    server_.answer_once(kPath, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: " +
                                   std::to_string(busy.size()) + "\r\n\r\n" + busy);
    const auto began = std::chrono::steady_clock::now();
    begin();
    EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
    EXPECT_EQ(watch_->size(), 1U);
    server_.answer_once(kPath, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    server_.end_watches();
    EXPECT_TRUE(until([&] { return server_.count("watch=1") >= 3 && server_.watches() == 1; }));
    EXPECT_EQ(lists(), 2U);
}

TEST_F(ResourceWatchTest, AnOlderVersionOfAKindWillDo) {
    server_.uninstall(kBackends);
    const test::FakeResource older{"dp.wso2.com/v1alpha1", "backends", "Backend"};
    server_.put(older, "old", R"("spec":{"v":7})");
    begin();
    EXPECT_THAT(text("old"), HasSubstr(R"("apiVersion":"dp.wso2.com/v1alpha1")"));
    EXPECT_EQ(watch_->state().version(), 1U);
}

TEST_F(ResourceWatchTest, AKindThatIsRemovedGoesOnServingForAWhile) {
    server_.put(kBackends, "two", R"("spec":{"v":3})");
    begin();
    server_.uninstall(kBackends);
    ASSERT_TRUE(stands(Standing::not_installed));
    EXPECT_TRUE(watch_->holds_removed_kind());
    EXPECT_FALSE(text("one").empty());
    EXPECT_FALSE(text("two").empty());
    EXPECT_EQ(changes_, 1);
    EXPECT_TRUE(until([&] { return watch_->size() == 0; }));
    EXPECT_EQ(changes_, 2);
}

TEST_F(ResourceWatchTest, AKindThatIsInstalledAgainIsTakenUp) {
    begin();
    server_.uninstall(kBackends);
    ASSERT_TRUE(stands(Standing::not_installed));
    server_.put(kBackends, "new", R"("spec":{"v":9})");
    EXPECT_TRUE(shows("new", R"("v":9)"));
    EXPECT_TRUE(text("one").empty());
    EXPECT_FALSE(watch_->holds_removed_kind());
}

TEST_F(ResourceWatchTest, ARightThatIsMissingIsAskedForAgain) {
    server_.forbid("backends");
    watch_.emplace(context_, *client_, log_, options_);
    ASSERT_TRUE(stands(Standing::forbidden));
    EXPECT_FALSE(watch_->state().is_complete());
    EXPECT_THAT(watch_->last_error(), HasSubstr("backends is forbidden"));
    server_.allow("backends");
    EXPECT_TRUE(stands(Standing::complete));
}

TEST_F(ResourceWatchTest, WhatIsKnownOutlivesAnAbsence) {
    begin();
    server_.close();
    ASSERT_TRUE(stands(Standing::away));
    EXPECT_FALSE(text("one").empty());
    server_.put(kBackends, "one", R"("spec":{"v":2})");
    server_.open();
    EXPECT_TRUE(shows("one", R"("v":2)"));
    EXPECT_EQ(lists(), 1U);
}

// In which nothing happens, so that no line comes.
TEST_F(ResourceWatchTest, AQuietKindIsKnownToBeWatchedAgain) {
    begin();
    server_.cut_watches();
    ASSERT_TRUE(stands(Standing::away));
    EXPECT_TRUE(stands(Standing::complete));
    EXPECT_EQ(lists(), 1U);
}

TEST_F(ResourceWatchTest, AWaitIsCutShort) {
    options_.timeouts.kubernetes_retry = 1h;
    bool has_returned = false;
    options_.on_return = [&] { has_returned = true; };
    begin();
    server_.cut_watches();
    ASSERT_TRUE(stands(Standing::away));
    for (std::size_t tries = 2; tries < 14; ++tries) {  // then it would wait for half an hour
        server_.answer_once(kPath, "HTTP/1.1 503 Starting\r\nContent-Length: 0\r\n\r\n");
        ASSERT_TRUE(until([&] {
            watch_->hurry();
            return server_.count("watch=1") == tries;
        }));
        ASSERT_TRUE(until([&] { return watch_->last_error().find("503") != std::string::npos; }));
    }
    EXPECT_FALSE(has_returned);
    EXPECT_TRUE(until([&] {
        watch_->hurry();
        return watch_->state().standing() == Standing::complete;
    }));
    EXPECT_TRUE(has_returned);
}

TEST_F(ResourceWatchTest, ALineThatIsTooLongIsRefused) {
    options_.limits.kubernetes_object_bytes = 700;
    begin();
    server_.put(kBackends, "one", R"("spec":{"v":")" + std::string(700, 'x') + "\"}");
    EXPECT_TRUE(until([&] {
        return watch_->last_error().find("a line is longer than 700") != std::string::npos;
    }));
    EXPECT_THAT(text("one"), HasSubstr(R"("v":1)"));
}

}  // namespace
}  // namespace rotary::kubernetes
