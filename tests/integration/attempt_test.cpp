// One try at a provider: what is sent, sent again, waited for, and whose fault the end of it is.
#include "fault_fixture.hpp"
#include "raw_provider.hpp"
#include "scripted_provider.hpp"

#include <thread>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Link = ScriptedProvider::Link;

constexpr const char* kAnswer = "{\"choices\":[]}";

std::string small_answer() { return head_of(200, 14) + kAnswer; }

// Executions of one request

// Answers the first request of a connection as long as it is well; then takes each request, and
// closes some time after that without a byte.
struct Dying {
    std::atomic<bool> is_well{true};
    std::chrono::milliseconds delay{0};

    void operator()(Link& link) const {
        while (!link.read_request().empty()) {
            if (!is_well) {
                link.pause(delay);
                return;
            }
            if (!link.write(small_answer())) return;
        }
    }
};

// A connection that served before and dies at once was closed while the request was on its way. A
// request is sent once more for that, not once for each entry; and not at all when the provider has
// had time to work on it.
TEST(ReplayTest, ARequestIsSentOnceMoreAndOnlyWhenAReusedConnectionDiedAtOnce) {
    struct Row {
        const char* name;
        const char* stale;
        std::chrono::milliseconds delay;
        std::size_t executions;
    };
    const Row rows[] = {
        {"at once", "30s", 0ms, 3}, {"late", "50ms", 400ms, 2}, {"never", "0s", 0ms, 2}};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        Dying first;
        Dying second;
        first.delay = second.delay = row.delay;
        const ScriptedProvider one([&](Link& link) { first(link); });
        const ScriptedProvider two([&](Link& link) { second(link); });
        GatewayOptions options;
        options.workers = 1;
        options.backends = {one.backend(), two.backend()};
        options.production = {{"a", 0}, {"b", 1}};
        options.process =
            "timeouts: {upstream_idle: 60s, stale_connection: " + std::string(row.stale) + "}\n";
        const Gateway gateway(options);
        TestClient client = gateway.connect();
        for (int i = 0; i < 2; ++i) ASSERT_EQ(client.exchange(chat()).status, 200U);
        ASSERT_EQ(one.requests() + two.requests(), 2U);
        first.is_well = second.is_well = false;
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, 502U) << response.body;
        EXPECT_EQ(response.header("x-rotary-attempts"), "2");
        EXPECT_EQ(one.requests() + two.requests(), 2 + row.executions);
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total", "protocol"), 2.0);
    }
}

// Interim answers

constexpr std::size_t kUpload = std::size_t{9} << 20;
constexpr const char* kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr const char* kHints = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";

Request upload() { return chat("{\"padding\":\"" + std::string(kUpload, 'x') + "\"}"); }

std::size_t length_of(const std::string& head) {
    return std::stoul(head.substr(head.find("ontent-length: ") + 15));
}

GatewayOptions alone(const ScriptedProvider& provider, const std::string& process = "") {
    GatewayOptions options;
    options.workers = 1;
    options.backends = {provider.backend()};
    options.production = {{"a", 0}};
    options.process = process;
    return options;
}

TEST(InterimTest, AnUploadGoesOnBehindThem) {
    const ScriptedProvider provider(
        [](Link& link) {
            const std::size_t length = length_of(link.read_head());
            const std::string both = std::string(kContinue) + kHints;
            link.write(both.substr(0, 9));
            std::size_t read = link.read_body(length / 3).size();
            link.write(both.substr(9));
            read += link.read_body(length / 3).size();
            link.write(kHints);
            read += link.read_body(length - read).size();
            if (read == length) link.write(small_answer());
            link.wait_until_gone();
        },
        4096);
    const Gateway gateway(alone(provider, "timeouts: {first_byte: 5s}\n"));
    const Response response = ask(gateway, upload());
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.body, kAnswer);
}

TEST(InterimTest, AFinalAnswerBehindThemStillEndsTheUpload) {
    const ScriptedProvider provider(
        [](Link& link) {
            link.read_head();
            link.write(kHints + head_of(413, 14) + kAnswer);
            link.wait_until_gone();
        },
        4096);
    const Gateway gateway(alone(provider));
    const Response response = ask(gateway, upload());
    EXPECT_EQ(response.status, 413U);
    EXPECT_EQ(response.body, kAnswer);
}

TEST(InterimTest, TooManyAreAFailureInTheMiddleOfAnUploadToo) {
    for (const std::size_t count : {3U, 4U}) {
        SCOPED_TRACE(count);
        const ScriptedProvider provider(
            [&](Link& link) {
                const std::size_t length = length_of(link.read_head());
                for (std::size_t i = 0; i < count; ++i) link.write(kHints);
                if (link.read_body(length).size() == length) link.write(small_answer());
                link.wait_until_gone();
            },
            4096);
        const Gateway gateway(alone(provider, "limits: {interim_responses: 3}\n"));
        const Response response = ask(gateway, upload());
        EXPECT_EQ(response.status, count == 3 ? 200U : 502U) << response.body;
    }
}

// Bodies of errors

// Whatever the status: so much time for the body, and then what has come must do.
TEST(ErrorBodyTest, AStallingOneIsGivenUpAfterItsTime) {
    struct Row {
        unsigned status;
        bool moves_on;
    };
    for (const Row row : {Row{503, true}, Row{500, true}, Row{429, true}, Row{400, false}}) {
        SCOPED_TRACE(row.status);
        FaultyProvider faulty;
        FaultyProvider healthy;
        ProviderPlan plan;
        plan.fault = ProviderFault::stall;
        plan.phase = ProviderPhase::mid_body;
        plan.offset = 20;
        plan.answer = json_answer();
        plan.answer->status = row.status;
        faulty.set_plan(plan);
        GatewayOptions options;
        options.backends = {faulty.backend(), healthy.backend()};
        options.production = {{"a", 0}, {"b", 1}};
        options.sandbox = {{"a", 0}};
        options.process = "timeouts: {error_body: 100ms}\n";
        const Gateway gateway(options);
        TestClient client = gateway.connect();
        client.send(chat());
        const ResponseHead head = client.read_head();
        EXPECT_EQ(head.status, row.moves_on ? 200U : row.status);
        EXPECT_EQ(head.header("x-rotary-model"), row.moves_on ? "b" : "a");
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total", "timeout"), 0.0);
    }
}

// The total time

// It ends in a phase, and whatever phase that is: nobody is blamed.
TEST(TotalTimeTest, BlamesNobodyWhateverPhaseItEndsIn) {
    struct Row {
        const char* name;
        ProviderPhase phase;
        std::size_t offset;
        bool streamed;
        unsigned status;
    };
    const Row rows[] = {
        {"before the head", ProviderPhase::before_head, 0, false, 504},
        {"holding", ProviderPhase::mid_body, 100, false, 504},
        {"relaying", ProviderPhase::mid_body, 60'000, false, 200},
        {"a stream before its head", ProviderPhase::before_head, 0, true, 504},
        {"a stream before its first event", ProviderPhase::after_head, 0, true, 504},
    };
    in_parallel(std::size(rows), [&](std::size_t i) {
        const Row& row = rows[i];
        SCOPED_TRACE(row.name);
        FaultyProvider provider;
        ProviderPlan plan;
        plan.fault = ProviderFault::stall;
        plan.phase = row.phase;
        plan.offset = row.offset;
        if (!row.streamed) plan.answer = json_answer(row.offset > 1000 ? 100'000 : 500);
        provider.set_plan(plan);
        GatewayOptions options;
        options.backends = {provider.backend()};
        options.production = {{"a"}, {"b"}};
        options.process = "timeouts: {total: 400ms}\n";
        const Gateway gateway(options);
        for (int times = 0; times < 6; ++times) {
            const Response response = ask(gateway, chat(row.streamed ? kStreamed : "{}"));
            EXPECT_EQ(response.status, row.status) << response.body;
            EXPECT_TRUE(all_settled(gateway));
        }
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
        EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
        EXPECT_EQ(entry_field(gateway, "b", "state"), "active");
        EXPECT_EQ(provider.request_count(), 6U) << "there is no time for another try";
    });
}

TEST(TotalTimeTest, AStreamHasNoneOnceItHasBegun) {
    const ScriptedProvider provider([](Link& link) {
        link.read_request();
        link.write(kStreamHead);
        for (const std::string& event : events_of(recorded_stream())) {
            link.write(chunk_of(event));
            link.pause(200ms);
        }
        link.write("0\r\n\r\n");
        link.wait_until_gone();
    });
    const Gateway gateway(alone(provider, "timeouts: {total: 1s}\n"));
    const auto begun = Clock::now();
    const Response response = ask(gateway, chat(kStreamed));
    EXPECT_GT(Clock::now() - begun, 1s);
    EXPECT_EQ(response.body, recorded_stream());
    EXPECT_EQ(response.ending, Ending::framed);
}

// Slow clients

TEST(SlowReaderTest, WhoseRequestRunsOutOfTimeBlamesNobody) {
    constexpr std::size_t kSize = std::size_t{64} << 20;
    RawProvider provider({kSize, kSize});
    GatewayOptions options;
    options.backends = {provider.backend()};
    options.production = {{"a"}};
    options.process = "timeouts: {total: 500ms, log_flush: 20ms}\n";
    const Gateway gateway(options);
    ClientOptions to = gateway.client();
    to.receive_buffer = 4096;
    TestClient client(to);
    client.send(chat());
    ASSERT_EQ(client.read_head().status, 200U);
    std::this_thread::sleep_for(600ms);  // the client's own slowness: what it is about
    while (client.read_body_piece()) {
    }
    EXPECT_EQ(client.ending(), Ending::cut);
    EXPECT_TRUE(all_settled(gateway));
    EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
}

// A provider may lose its patience with a client that does not read.
TEST(SlowReaderTest, WhoseProviderGivesUpBlamesNobody) {
    std::atomic<bool> gave_up{false};
    const ScriptedProvider provider(
        [&](Link& link) {
            link.read_request();
            const std::size_t size = std::size_t{64} << 20;
            link.write(head_of(200, size));
            link.write_impatiently(std::string(size, 'x'), 1500ms);
            link.reset();
            gave_up = true;
        },
        16384);
    const Gateway gateway(alone(provider, "timeouts: {log_flush: 20ms}\n"));
    ClientOptions to = gateway.client();
    to.receive_buffer = 4096;
    TestClient client(to);
    client.send(chat());
    ASSERT_EQ(client.read_head().status, 200U);
    ASSERT_TRUE(eventually([&] { return gave_up.load(); }, 20s));
    while (client.read_body_piece()) {
    }
    EXPECT_EQ(client.ending(), Ending::cut);
    EXPECT_TRUE(all_settled(gateway));
    EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
}

// Header lines

TEST(HeaderLinesTest, LimitsMeanWhatTheySay) {
    FaultyProvider provider;
    GatewayOptions options;
    options.backends = {provider.backend()};
    options.production = {{"a"}};
    options.process = "limits: {headers: 256}\n";
    const Gateway gateway(options);
    struct Row {
        std::size_t lines;
        unsigned status;
    };
    for (const Row row : {Row{129, 200}, Row{200, 200}, Row{201, 502}}) {
        SCOPED_TRACE(row.lines);
        ProviderPlan plan;
        plan.answer = json_answer();
        for (std::size_t i = 2; i < row.lines; ++i) {  // beside its type and its length
            plan.answer->headers.emplace_back("x-line-" + std::to_string(i), "value");
        }
        provider.set_plan(plan);
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, row.status) << response.body;
        if (row.status != 200) continue;
        EXPECT_EQ(response.header("x-line-2"), "value");
        EXPECT_EQ(response.header("x-line-" + std::to_string(row.lines - 1)), "value");
    }
    provider.set_plan({});
    for (const Row row : {Row{129, 200}, Row{256, 200}, Row{257, 431}}) {
        SCOPED_TRACE(row.lines);
        Request request = chat();
        while (request.headers.size() + 1 < row.lines) {  // beside its length
            request.headers.emplace_back("x-line-" + std::to_string(request.headers.size()), "v");
        }
        EXPECT_EQ(ask(gateway, request).status, row.status);
    }
}

}  // namespace
}  // namespace rotary::test
