// A client that leaves takes its request with it: the provider is left as soon, in whatever phase,
// and nobody is blamed.
#include "fault_fixture.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <ostream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::duration<double, std::milli>;

enum class Wait {
    dialling,     // SYN is not answered
    handshake,    // ClientHello is not answered
    first_byte,   // of the answer
    first_event,  // or the rest of a small answer: the head has come
    plain_body,   // the client has the beginning of a large answer
    mid_stream,   // the client has some events
    blocked,      // the client has not read for long, and the provider has more
};

constexpr const char* kWaits[] = {"Dialling",  "Handshake", "FirstByte", "FirstEvent",
                                  "PlainBody", "MidStream", "Blocked"};
void PrintTo(Wait wait, std::ostream* out) { *out << kWaits[static_cast<std::size_t>(wait)]; }

struct Leaving {
    const char* name;
    void (TestClient::*leave)();
};
constexpr Leaving kLeavings[] = {{"close_notify and FIN", &TestClient::close},
                                 {"FIN", &TestClient::drop},
                                 {"RST", &TestClient::reset},
                                 {"half closed", &TestClient::shutdown_write}};

// A port whose queue of connections is full: SYNs to it are dropped, and connecting hangs.
class FullListener {
public:
    FullListener() {
        listener_.listen(0);
        while (connects()) {
        }
    }
    ~FullListener() {
        for (const int fd : queued_) ::close(fd);
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;

    GatewayBackend backend() const { return backend_at(listener_); }
    // This process's sockets that wait for an answer to their SYN.
    static std::size_t dialling() {
        constexpr int kDescriptors = 1024;  // no test has more
        std::size_t count = 0;
        for (int fd = 3; fd < kDescriptors; ++fd) {
            tcp_info info{};
            socklen_t size = sizeof info;
            const bool known = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
            if (known && info.tcpi_state == TCP_SYN_SENT) ++count;
        }
        return count;
    }

private:
    bool connects() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const sockaddr_in address = listener_.address();
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        static_cast<void>(::connect(fd, generic, sizeof address));
        pollfd polled{fd, POLLOUT, 0};
        const bool connected = ::poll(&polled, 1, 50) > 0;
        if (connected) {
            queued_.push_back(fd);
        } else {
            ::close(fd);
        }
        return connected;
    }

    LoopbackPort listener_;
    std::vector<int> queued_;
};

class ClientGoneTest : public testing::TestWithParam<Wait> {
protected:
    static constexpr std::size_t kEach = 7;  // of each way to leave and each kind of request

    ClientGoneTest() {
        FaultyProvider::Options options;
        if (GetParam() == Wait::handshake) options.tls = &certificates().server;
        provider_ = std::make_unique<FaultyProvider>(options);
        if (GetParam() == Wait::dialling) full_ = std::make_unique<FullListener>();
        GatewayOptions gateway;
        gateway.backends = {full_ ? full_->backend() : provider_->backend()};
        gateway.production = {{"a"}};
        gateway.process = "timeouts: {log_flush: 20ms, connect: 1m}\n";
        gateway_ = std::make_unique<Gateway>(gateway);
    }

    static std::vector<bool> kinds() {  // streamed?
        if (GetParam() == Wait::plain_body) return {false};
        if (GetParam() == Wait::mid_stream) return {true};
        return {false, true};
    }

    static ProviderPlan plan(bool streamed) {
        ProviderPlan plan;
        plan.fault = ProviderFault::stall;
        plan.answer = streamed ? stream_answer(recorded_stream()) : json_answer(500, true);
        switch (GetParam()) {
            case Wait::dialling:
            case Wait::handshake:
                plan.phase = ProviderPhase::tls_handshake;
                break;
            case Wait::first_byte:
                plan.phase = ProviderPhase::before_head;
                break;
            case Wait::first_event:
                plan.phase = ProviderPhase::after_head;
                break;
            case Wait::plain_body:
                plan.phase = ProviderPhase::mid_body;
                plan.answer = json_answer(100'000);
                plan.offset = 60'000;
                break;
            case Wait::mid_stream:
                plan.phase = ProviderPhase::mid_body;
                plan.offset = events_of(recorded_stream()).front().size() + 20;
                break;
            case Wait::blocked:
                plan.fault = ProviderFault::none;
                plan.answer->chunk_bytes = 16'000;
                plan.answer->repetitions = 0;
                plan.answer->body =
                    streamed ? recorded_stream() : json_answer(1'000'000, true).body;
                break;
        }
        return plan;
    }

    bool provider_is_stuck() const {
        std::uint64_t sent = 0;
        auto since = Clock::now();
        return eventually([&] {
            if (sent != provider_->bytes_sent()) {
                sent = provider_->bytes_sent();
                since = Clock::now();
            }
            return sent > 0 && Clock::now() - since > 30ms;
        });
    }

    // The client's request has come as far as it will.
    void reach(TestClient& client, bool streamed, std::size_t faults) {
        const Wait wait = GetParam();
        client.send(chat(streamed ? kStreamed : "{}"));
        if (wait == Wait::dialling) {
            ASSERT_TRUE(eventually([&] { return FullListener::dialling() == 1; }));
        } else if (wait == Wait::blocked) {
            ASSERT_TRUE(provider_is_stuck());
        } else {
            ASSERT_TRUE(provider_->wait_for_faults(faults, 5s));
        }
        if (wait != Wait::plain_body && wait != Wait::mid_stream) return;
        ASSERT_EQ(client.read_head().status, 200U);
        if (wait == Wait::plain_body) {
            ASSERT_TRUE(client.read_body_piece());
        } else {
            ASSERT_TRUE(client.read_event());
        }
    }

    // How long the provider was kept after this moment.
    Milliseconds until_provider_is_left(Clock::time_point left) {
        if (full_) {
            EXPECT_TRUE(eventually([&] { return FullListener::dialling() == 0; }));
            return Clock::now() - left;
        }
        const std::uint64_t connection = provider_->connection_count();
        EXPECT_TRUE(provider_->wait_for_closed(connection, 5s));
        return provider_->closed_at(connection).value_or(Clock::now()) - left;
    }

    std::size_t logged(const std::string& what) const {
        const std::string log = gateway_->access_log();
        std::size_t count = 0;
        for (std::size_t at = log.find(what); at != std::string::npos;
             at = log.find(what, at + 1)) {
            ++count;
        }
        return count;
    }

    std::unique_ptr<FaultyProvider> provider_;
    std::unique_ptr<FullListener> full_;
    std::unique_ptr<Gateway> gateway_;
};

TEST_P(ClientGoneTest, ProviderIsLeftAtOnceAndNobodyIsBlamed) {
    std::vector<double> times;
    const std::size_t each = GetParam() == Wait::blocked ? 2 : kEach;
    for (const bool streamed : kinds()) {
        provider_->set_plan(plan(streamed));
        for (std::size_t i = 0; i < each * std::size(kLeavings) * (3 - kinds().size()); ++i) {
            const Leaving& leaving = kLeavings[i % std::size(kLeavings)];
            SCOPED_TRACE(std::string(leaving.name) + (streamed ? ", streamed" : ", plain"));
            TestClient client = gateway_->connect();
            reach(client, streamed, times.size() + 1);
            if (HasFatalFailure()) return;
            const auto left = Clock::now();
            (client.*leaving.leave)();
            times.push_back(until_provider_is_left(left).count());
        }
    }
    EXPECT_TRUE(eventually([&] { return logged("\"response_code\":499") == times.size(); }))
        << gateway_->access_log();
    EXPECT_EQ(logged("\"response_code\""), times.size());
    EXPECT_TRUE(all_settled(*gateway_));
    EXPECT_EQ(sum_of(*gateway_, "rotary_upstream_failures_total"), 0.0);
    EXPECT_EQ(sum_of(*gateway_, "rotary_failovers_total"), 0.0);
    EXPECT_EQ(entry_field(*gateway_, "a", "state"), "active");

    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    const double p99 = times[times.size() * 99 / 100];
    std::printf("%-10s left after p50 %.2f ms, p99 %.2f ms (%zu times)\n",
                kWaits[static_cast<std::size_t>(GetParam())], median, p99, times.size());
    RecordProperty("p99_us", static_cast<int>(p99 * 1000));
    EXPECT_LE(p99, 1000.0);  // 100 is promised; a machine that does much else gets more
}

INSTANTIATE_TEST_SUITE_P(All, ClientGoneTest,
                         testing::Values(Wait::dialling, Wait::handshake, Wait::first_byte,
                                         Wait::first_event, Wait::plain_body, Wait::mid_stream,
                                         Wait::blocked),
                         [](const auto& test) {
                             return kWaits[static_cast<std::size_t>(test.param)];
                         });

// The first try of an entry that returns is everybody's business: the next request makes it.
TEST(ClientGoneProbeTest, AbandonedProbeIsHandedOn) {
    for (const ProviderPhase phase : {ProviderPhase::before_head, ProviderPhase::after_head}) {
        SCOPED_TRACE(to_string(phase));
        FaultyProvider provider;
        FaultyProvider other;
        ProviderPlan refusal;
        refusal.answer = json_answer();
        refusal.answer->status = 429;
        provider.set_plan(refusal);
        GatewayOptions options;
        options.backends = {provider.backend(), other.backend()};
        options.production = {{"a", 0}, {"b", 1}};
        options.suspend_seconds = 1;
        options.process = "timeouts: {probe_verdict: 1m}\n";
        const Gateway gateway(options);
        EXPECT_EQ(ask(gateway).header("x-rotary-model"), "b");
        ASSERT_TRUE(gateway.wait_for_state("a", "returning", 5s));

        ProviderPlan stall;
        stall.fault = ProviderFault::stall;
        stall.phase = phase;
        provider.set_plan(stall);
        TestClient client = gateway.connect();
        client.send(chat(kStreamed));
        ASSERT_TRUE(provider.wait_for_faults(1, 5s));
        for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(gateway).header("x-rotary-model"), "b");
        provider.set_plan({});
        client.reset();
        EXPECT_TRUE(eventually([&] { return ask(gateway).header("x-rotary-model") == "a"; }));
        EXPECT_TRUE(all_settled(gateway));
        EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
    }
}

}  // namespace
}  // namespace rotary::test
