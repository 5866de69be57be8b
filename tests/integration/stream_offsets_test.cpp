// A recorded stream whose provider dies at every byte of it.
#include "fault_fixture.hpp"

#include <support/sanitized.hpp>

#include <algorithm>
#include <array>
#include <atomic>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kClients = 4;
constexpr std::size_t kStep = kSanitized ? 7 : 1;

// Another answer of the same shape: what the healthy provider says can't be taken for the other's.
std::string other_stream() {
    std::string stream = recorded_stream();
    for (std::size_t at = 0; (at = stream.find("recorded", at)) != std::string::npos;) {
        stream.replace(at, 8, "healthy!");
    }
    return stream;
}

ProviderFault fault_named(const std::string& name) {
    for (const ProviderFault fault : {ProviderFault::fin, ProviderFault::rst, ProviderFault::stall,
                                      ProviderFault::tls_truncation}) {
        if (name == to_string(fault)) return fault;
    }
    return ProviderFault::none;
}

// Where and how a request's answer breaks off is said by the request.
ProviderPlan plan_of(const ProviderRequest& request) {
    ProviderPlan plan;
    plan.fault = fault_named(request.header("x-fault"));
    plan.phase = ProviderPhase::mid_body;
    plan.offset = std::strtoull(request.header("x-offset").c_str(), nullptr, 10);
    plan.whole_chunks = plan.offset % 2 == 1;
    plan.answer = stream_answer(recorded_stream());
    return plan;
}

FaultyProvider::Options over_tls() {
    FaultyProvider::Options options;
    options.tls = &certificates().server;
    return options;
}

class StreamOffsetsTest : public testing::Test {
protected:
    StreamOffsetsTest() : encrypted_(over_tls()) {
        plain_.set_planner(plan_of);
        encrypted_.set_planner(plan_of);
        ProviderPlan whole;
        whole.answer = stream_answer(other_stream());
        healthy_.set_plan(whole);
    }

    // Production is plain and the sandbox TLS; the healthy entry comes behind a hundred others.
    GatewayOptions options(const std::string& process) const {
        GatewayOptions options;
        options.plaintext = true;
        options.backends = {plain_.backend(), encrypted_.backend(), healthy_.backend()};
        options.production = {{"a", 0, 100}, {"b", 2, 1}};
        options.sandbox = {{"a", 1, 100}, {"b", 2, 1}};
        options.process = "routing: {failures_to_suspend: 1000}\n" + process;
        return options;
    }

    struct Death {
        ProviderFault fault;
        std::size_t offset;
    };

    static bool is_complete(const Death& death) { return death.offset >= recorded_stream().size(); }

    // The answer of a request that met this death at the entry "a".
    static Response ask_until_met(const Gateway& gateway, const Death& death) {
        ClientOptions to = gateway.client();
        to.tls = false;
        Request request = with(chat(kStreamed), "x-fault", to_string(death.fault));
        request = with(request, "x-offset", std::to_string(death.offset));
        if (death.fault == ProviderFault::tls_truncation) request = sandboxed(request);
        for (;;) {
            Response response = fetch(to, request);
            const bool met = response.header("x-rotary-attempts") != "1" ||
                             response.header("x-rotary-model") == "a";
            if (met) return response;
        }
    }

    // True: the answer was cut.
    static void check(const Gateway& gateway, const Death& death) {
        static const std::size_t first = events_of(recorded_stream()).front().size();
        SCOPED_TRACE(std::string(to_string(death.fault)) + " at " + std::to_string(death.offset));
        const Response response = ask_until_met(gateway, death);
        if (death.offset < first) {
            EXPECT_EQ(response.status, 200U) << response.body;
            EXPECT_EQ(response.header("x-rotary-attempts"), "2");
            EXPECT_EQ(response.header("x-rotary-model"), "b");
            EXPECT_EQ(response.ending, Ending::framed);
            EXPECT_EQ(response.body, other_stream());
        } else if (!is_complete(death)) {
            EXPECT_EQ(response.header("x-rotary-model"), "a");
            expect_interrupted(response, whole_events(recorded_stream(), death.offset));
        } else {
            EXPECT_EQ(response.header("x-rotary-model"), "a");
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.ending, Ending::framed);
            EXPECT_EQ(response.body, recorded_stream());
        }
    }

    // All of them, by some clients at once; says what the metrics show of it.
    static void check_all(const Gateway& gateway, const std::vector<Death>& deaths,
                          std::size_t clients) {
        std::atomic<std::size_t> next{0};
        in_parallel(clients, [&](std::size_t) {
            for (std::size_t i = next++; i < deaths.size() && !HasFatalFailure(); i = next++) {
                check(gateway, deaths[i]);
            }
        });
        const auto died = std::count_if(deaths.begin(), deaths.end(),
                                        [](const Death& death) { return !is_complete(death); });
        EXPECT_TRUE(all_settled(gateway));
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), static_cast<double>(died));
        EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    }

    FaultyProvider plain_;
    FaultyProvider encrypted_;
    FaultyProvider healthy_;
};

TEST_F(StreamOffsetsTest, DeathAtEveryByte) {
    const Gateway gateway(options(""));
    std::vector<Death> deaths;
    for (std::size_t offset = 0; offset <= recorded_stream().size(); offset += kStep) {
        for (const ProviderFault fault :
             {ProviderFault::fin, ProviderFault::rst, ProviderFault::tls_truncation}) {
            deaths.push_back({fault, offset});
            // A success now and then, or the entry would be suspended for its failures in a row.
            if (offset % 50 == 0) deaths.push_back({fault, recorded_stream().size()});
        }
    }
    check_all(gateway, deaths, kClients);
    EXPECT_TRUE(plain_.wait_until_none_is_open(5s));
    EXPECT_TRUE(encrypted_.wait_until_none_is_open(5s));
}

TEST_F(StreamOffsetsTest, SilenceAroundTheEdgesOfEvents) {
    const Gateway gateway(options("timeouts: {first_byte: 1s, event_gap: 1s}\n"));
    std::vector<Death> deaths;
    std::size_t begin = 0;
    for (const std::string& event : events_of(recorded_stream())) {
        for (const std::size_t inside : {std::size_t{0}, std::size_t{1}, event.size() / 2,
                                         event.size() - 2, event.size() - 1}) {
            deaths.push_back({ProviderFault::stall, begin + inside});
        }
        begin += event.size();
    }
    deaths.push_back({ProviderFault::stall, begin});
    check_all(gateway, deaths, deaths.size());  // they all wait at the same time
}

// However the provider's pieces lie, the stream is the same.
TEST_F(StreamOffsetsTest, PiecesOfEverySizeMakeTheSameStream) {
    const Gateway gateway(options(""));
    ClientOptions to = gateway.client();
    to.tls = false;
    for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 13U, 64U, 200U, 1000U, 10'000U}) {
        SCOPED_TRACE(size);
        ProviderPlan plan;
        plan.answer = stream_answer(recorded_stream());
        plan.answer->chunk_bytes = size;
        for (FaultyProvider* provider : {&plain_, &encrypted_, &healthy_}) {
            provider->set_planner(nullptr);
            provider->set_plan(plan);
        }
        for (const Request& request : {chat(kStreamed), sandboxed(chat(kStreamed))}) {
            const Response response = fetch(to, request);
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.ending, Ending::framed);
            EXPECT_EQ(response.body, recorded_stream());
        }
    }
}

}  // namespace
}  // namespace rotary::test
