// A client that reads slowly, or not at all, holds its provider back and nobody else.
#include "fault_fixture.hpp"

#include <support/system_figures.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHeld = 65536;  // limits.relay_buffer_bytes

// About a megabyte of numbered events; its size is no multiple of any buffer's.
const std::string& long_stream() {
    static const std::string stream = [] {
        std::string text;
        for (std::size_t i = 0; text.size() < 1'000'000; ++i) {
            text += "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word " +
                    std::to_string(i) + "\"}}]}\n\n";
        }
        return text;
    }();
    return stream;
}

// How often the stream comes: more than the sockets between provider and client could ever hold.
std::size_t rounds() {
    static const std::size_t count =
        (most_a_kernel_holds("tcp_rmem") + 2 * most_a_kernel_holds("tcp_wmem")) /
            long_stream().size() +
        4;
    return count;
}

// Bytes that lie in the kernel, in sockets between these two ports, in one direction.
struct Queues {
    std::size_t unsent = 0;  // at `from`, or not yet acknowledged
    std::size_t unread = 0;  // at `to`
};

// As the kernel lists them; 0 stands for any port.
Queues queues(std::uint16_t from, std::uint16_t to) {
    const auto port_of = [](const std::string& address) {
        return std::stoul(address.substr(address.find(':') + 1), nullptr, 16);
    };
    const auto is = [](unsigned long port, std::uint16_t wanted) {
        return wanted == 0 || port == wanted;
    };
    Queues found;
    std::ifstream table("/proc/net/tcp");
    std::string line;
    for (std::getline(table, line); std::getline(table, line);) {
        std::istringstream fields(line);
        std::string number, local, remote, state, both;
        fields >> number >> local >> remote >> state >> both;
        constexpr const char* kEstablished = "01";
        if (state != kEstablished) continue;
        const std::size_t colon = both.find(':');
        if (is(port_of(local), from) && is(port_of(remote), to)) {
            found.unsent += std::stoul(both.substr(0, colon), nullptr, 16);
        }
        if (is(port_of(local), to) && is(port_of(remote), from)) {
            found.unread += std::stoul(both.substr(colon + 1), nullptr, 16);
        }
    }
    return found;
}

std::uint16_t port_of(const TestClient& client) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(client.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

class BackPressureTest : public testing::TestWithParam<bool> {
protected:
    BackPressureTest() : provider_(small_buffers()) {
        ProviderPlan plan;
        plan.answer = stream_answer(long_stream());
        plan.answer->chunk_bytes = 16'000;
        plan.answer->repetitions = rounds();
        provider_.set_plan(plan);
    }

    static FaultyProvider::Options small_buffers() {
        FaultyProvider::Options options;
        options.send_buffer = 16384;
        return options;
    }

    // One worker: whoever is served, is served beside the slow client.
    GatewayOptions options(const std::string& process = "") const {
        GatewayOptions options;
        options.workers = 1;
        options.plaintext = !GetParam();
        options.backends = {provider_.backend(), other_.backend()};
        options.production = {{"a", 0}};
        options.sandbox = {{"b", 1}};
        options.process = "timeouts: {log_flush: 20ms" + process + "}\n";
        return options;
    }

    static ClientOptions client_of(const Gateway& gateway) {
        ClientOptions to = gateway.client();
        to.tls = GetParam();
        return to;
    }

    static TestClient slow_client(const Gateway& gateway) {
        ClientOptions to = client_of(gateway);
        to.receive_buffer = 4096;
        return TestClient(to);
    }

    // The provider has not got rid of a byte for a while.
    bool wait_until_stuck() const {
        std::uint64_t sent = 0;
        auto since = Clock::now();
        return eventually(
            [&] {
                if (sent != provider_.bytes_sent()) {
                    sent = provider_.bytes_sent();
                    since = Clock::now();
                }
                return sent > 0 && Clock::now() - since > 300ms;
            },
            20s);
    }

    // Reads on until the body ends; says how much of the stream came before a byte was wrong.
    static std::size_t read_stream(TestClient& client) {
        const std::string twice = long_stream() + long_stream();
        std::size_t at = 0;
        while (const auto piece = client.read_body_piece()) {
            if (twice.compare(at % long_stream().size(), piece->size(), *piece) != 0) {
                ADD_FAILURE() << "other bytes at " << at;
                break;
            }
            at += piece->size();
        }
        return at;
    }

    FaultyProvider provider_;
    FaultyProvider other_;
};

// What left the provider and does not lie in one of the kernel's four queues between it and the
// client is held in the process. TLS and the framing of chunks add less than a hundredth.
TEST_P(BackPressureTest, LittleIsHeldOthersAreServedAndAllArrives) {
    const Gateway gateway(options());
    TestClient client = slow_client(gateway);
    ASSERT_TRUE(client.send(chat(kStreamed)));
    ASSERT_TRUE(wait_until_stuck());
    const std::size_t sent = provider_.bytes_sent();
    const Queues from_provider = queues(provider_.port(), 0);
    const Queues to_client = queues(gateway.port(), port_of(client));
    const std::size_t in_kernel =
        from_provider.unsent + from_provider.unread + to_client.unsent + to_client.unread;
    std::printf("sent %zu, in the kernel %zu (%zu + %zu + %zu + %zu)\n", sent, in_kernel,
                from_provider.unsent, from_provider.unread, to_client.unsent, to_client.unread);
    EXPECT_LT(sent, long_stream().size() * rounds());
    const std::size_t slack = sent / 100 + 1024;
    EXPECT_LE(sent, in_kernel + kHeld + slack);
    EXPECT_LE(in_kernel, sent + slack);  // or this would not count what it says

    for (int i = 0; i < 20; ++i) {
        const bool streamed = i % 2 == 1;
        const auto begun = Clock::now();
        const Response response =
            fetch(client_of(gateway), sandboxed(chat(streamed ? kStreamed : "{}")));
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.body, streamed ? recorded_stream() : json_answer().body);
        EXPECT_LT(Clock::now() - begun, 2s);
    }
    EXPECT_EQ(provider_.bytes_sent(), sent);

    const int large = 1 << 20;  // in a hurry now
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    ASSERT_EQ(client.read_head().status, 200U);
    EXPECT_EQ(read_stream(client), long_stream().size() * rounds());
    EXPECT_EQ(client.ending(), Ending::framed);
}

TEST_P(BackPressureTest, ClientThatNeverReadsIsEndedAndItsProviderIsLeft) {
    const Gateway gateway(options(", write_stall: 500ms"));
    TestClient client = slow_client(gateway);
    const auto begun = Clock::now();
    ASSERT_TRUE(client.send(chat(kStreamed)));
    ASSERT_TRUE(provider_.wait_for_closed(1, 10s));
    EXPECT_GE(*provider_.closed_at(1) - begun, 500ms);
    EXPECT_TRUE(all_settled(gateway));
    EXPECT_TRUE(eventually([&] { return !gateway.access_log().empty(); }));
    EXPECT_EQ(json_at(gateway.access_log(), "response_code"), "499");
    EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    // What the client finds when it looks at last is not the whole, and says so.
    if (GetParam()) {  // half a record may be all there is
        EXPECT_NE(client.wait_for_end(10s), ReadEnd::timeout);
        return;
    }
    ASSERT_EQ(client.read_head().status, 200U);
    EXPECT_LT(read_stream(client), long_stream().size() * rounds());
    EXPECT_EQ(client.ending(), Ending::cut);
    EXPECT_NE(client.last_end(), ReadEnd::timeout);
}

INSTANTIATE_TEST_SUITE_P(All, BackPressureTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls" : "Plaintext"; });

}  // namespace
}  // namespace rotary::test
