// The demo's client and its signals, and whether a port is free: with sockets of this process.
#include "demo/client.hpp"

#include "demo/free_port.hpp"

#include <rotary/tools/dev_certificates.hpp>

#include <support/loopback_port.hpp>
#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>

#include <stdexcept>
#include <string>

namespace rotary::demo {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What was thrown says; empty: nothing was thrown.
template <class Operation>
std::string error_of(Operation operation) {
    try {
        operation();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

class DemoClientTest : public testing::Test {
protected:
    DemoClientTest() : certificates_(tools::make_dev_certificates(folder_.path().string())) {}

    mock::MockProvider& start(bool with_tls) {
        mock::MockOptions options;
        if (with_tls) options.tls = mock::MockTls{certificates_.certificate, certificates_.key};
        provider_.emplace(options);
        provider_->start();
        return *provider_;
    }
    static Call call(const std::string& host) {
        Call call;
        call.host = host;
        call.target = "/v1/chat/completions";
        call.body = R"({"model":"m"})";
        return call;
    }

    const test::TempDir folder_;
    const tools::DevCertificates certificates_;
    const StopSignal stop_;
    const Client client_{certificates_.ca, stop_};

private:
    std::optional<mock::MockProvider> provider_;
};

TEST_F(DemoClientTest, CallsPlainly) {
    mock::MockProvider& provider = start(false);
    const Answer answer = client_.http(provider.port(), call("h"));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_THAT(answer.body, HasSubstr("chat.completion"));
    EXPECT_EQ(provider.requests().at(0).header("host"), "h");
}

TEST_F(DemoClientTest, CallsWhoProvesToBeTheHost) {
    mock::MockProvider& provider = start(true);
    const Answer answer = client_.https(provider.port(), call("default.gw.wso2.com"));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_THAT(error_of([&] { client_.https(provider.port(), call("other.example")); }),
                HasSubstr("TLS handshake failed: hostname mismatch"));
}

TEST_F(DemoClientTest, TrustsItsOwnAuthorityAlone) {
    mock::MockProvider& provider = start(true);
    const test::TempDir folder;
    const tools::DevCertificates others = tools::make_dev_certificates(folder.path().string());
    const Client stranger(others.ca, stop_);
    EXPECT_THAT(error_of([&] { stranger.https(provider.port(), call("default.gw.wso2.com")); }),
                HasSubstr("TLS handshake failed: "));
    EXPECT_EQ(provider.request_count(), 0U);
    EXPECT_THAT(error_of([&] { const Client client(folder / "none.crt", stop_); }),
                HasSubstr("none.crt"));
}

TEST_F(DemoClientTest, SaysWhatWentWrong) {
    mock::MockProvider& provider = start(false);
    const auto meets = [&](mock::MockFault fault) {
        provider.set_fault("m", std::move(fault), 1);
        return error_of([&] { client_.http(provider.port(), call("h")); });
    };
    EXPECT_THAT(meets(mock::MockFault::garbage()), HasSubstr("no HTTP in the answer"));
    EXPECT_THAT(meets(mock::MockFault::close_after(20)), HasSubstr("ended in mid-answer"));
    EXPECT_THAT(meets(mock::MockFault::reset(20)), HasSubstr("ended in mid-answer"));
    const test::LoopbackPort port;
    EXPECT_EQ(
        error_of([&] { client_.http(port.number(), call("h")); }),
        "no connection to 127.0.0.1:" + std::to_string(port.number()) + ": Connection refused");
}

TEST_F(DemoClientTest, ASignalEndsACallAndAWait) {
    mock::MockProvider& provider = start(false);
    provider.set_fault("m", mock::MockFault::stall(), 1);
    ASSERT_NO_THROW(stop_.wait_for(0ms));
    ASSERT_EQ(::pthread_kill(::pthread_self(), SIGTERM), 0);
    EXPECT_THROW(client_.http(provider.port(), call("h")), Stopped);
    EXPECT_THROW(stop_.wait_for(1h), Stopped);
    stop_.wait();
}

TEST(DemoStopSignal, TakesTheSignalsThatCameWithIt) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        const StopSignal stop;
        ASSERT_EQ(::pthread_kill(::pthread_self(), number), 0);
        EXPECT_THROW(stop.wait_for(1h), Stopped) << number;
    }
    const StopSignal stop;
    EXPECT_NO_THROW(stop.wait_for(0ms));
}

TEST(DemoFreePort, IsOneThatNothingListensOn) {
    test::LoopbackPort port;
    port.listen(1);
    EXPECT_EQ(error_of([&] { require_free(port.number()); }),
              "can't listen on 127.0.0.1:" + std::to_string(port.number()) +
                  ": Address already in use. Choose another port: rotary demo --port 9195");
    EXPECT_NO_THROW(require_free(0));
}

}  // namespace
}  // namespace rotary::demo
