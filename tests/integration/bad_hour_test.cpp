// What a provider's bad hour costs: how many requests reach it, how long the others wait, when it
// is asked again.
#include "gateway_fixture.hpp"

#include <support/sanitized.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace rotary::test {
namespace {

using mock::Captured;
using mock::HeaderList;
using mock::MockFault;
using mock::MockProvider;
using namespace std::chrono_literals;

constexpr const char* kPatient = "routing: {failures_to_suspend: 1000000}\n";

std::vector<Captured> asked_for(const MockProvider& mock, const std::string& model) {
    std::vector<Captured> found;
    for (Captured& request : mock.requests()) {
        if (model_of(request) == model) found.push_back(std::move(request));
    }
    return found;
}

// `count` requests on `clients` connections; how often each status came.
std::map<unsigned, std::size_t> storm(const Gateway& gateway, std::size_t clients,
                                      std::size_t count) {
    std::mutex mutex;
    std::map<unsigned, std::size_t> statuses;
    in_parallel(clients, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (std::size_t i = 0; i < count / clients; ++i) {
            const unsigned status = client.exchange(chat()).status;
            std::lock_guard lock(mutex);
            ++statuses[status];
        }
    });
    return statuses;
}

mock::MockOptions without_memory() {
    mock::MockOptions options;
    options.kept_requests = 1;  // they are counted all the same
    return options;
}

TEST(BadHourTest, StatusesThatMoveOnAndThoseThatDoNot) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.process = kPatient;
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    for (const unsigned status :
         {500U, 502U, 503U, 504U, 529U, 403U, 408U, 501U, 505U, 400U, 404U, 422U}) {
        SCOPED_TRACE(status);
        const bool moves_on = status == 529 || status == 403 || status == 408 ||
                              (status >= 500 && status <= 504 && status != 501);
        mock->set_fault("a", MockFault::answer_status(status));
        for (int i = 0; i < 2; ++i) {
            const Response response = client.exchange(chat());
            const bool met_a =
                response.header("x-rotary-attempts") == "2" || response.status != 200;
            if (!met_a) continue;
            EXPECT_EQ(response.status, moves_on ? 200U : status);
            EXPECT_EQ(response.header("x-rotary-model"), moves_on ? "b" : "a");
        }
    }
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    const auto failures = [&](const std::string& reason) {
        return gateway.metric(
            series("rotary_upstream_failures_total", "a", "reason=\"" + reason + "\""));
    };
    EXPECT_EQ(failures("server_error"), 3.0);
    EXPECT_EQ(failures("overloaded"), 2.0);
}

TEST(BadHourTest, FailuresThatASuccessInterruptsAreNotInARow) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    for (int round = 0; round < 3; ++round) {
        mock->set_fault("a", MockFault::answer_status(500), 4);
        for (int i = 0; i < 4; ++i) EXPECT_EQ(client.exchange(chat()).status, 500U);
        EXPECT_EQ(client.exchange(chat()).status, 200U);
    }
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
}

// 5 s, then 10, then 20, here in tenths of a second.
TEST(BadHourTest, FailingEntryStaysOutLongerEachTime) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.process =
        "timeouts: {failure_suspension: 300ms, failure_suspension_max: 700ms}\n"
        "routing: {retry_budget_percent: 0}\n";
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    mock->set_fault("a", MockFault::answer_status(503));
    for (int i = 0; i < 30; ++i) {
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-model"), "b");
        if (entry_field(gateway, "a", "state") != "active") break;
    }
    EXPECT_EQ(asked_for(*mock, "a").size(), 5U);
    EXPECT_EQ(entry_field(gateway, "a", "reason"), "failing");
    for (const auto out : {300ms, 600ms, 700ms}) {
        const auto last = asked_for(*mock, "a").back().received_at;
        ASSERT_TRUE(gateway.wait_for_state("a", "returning", 5s));
        mock->reset();
        ASSERT_TRUE(eventually([&] {
            EXPECT_EQ(client.exchange(chat()).status, 200U);
            return !asked_for(*mock, "a").empty();
        }));
        EXPECT_GE(asked_for(*mock, "a").front().received_at - last, out);
        EXPECT_EQ(asked_for(*mock, "a").size(), 1U) << "one failed probe is enough";
    }
    mock->clear_faults();
    ASSERT_TRUE(
        eventually([&] { return client.exchange(chat()).header("x-rotary-model") == "a"; }));
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
}

// A third or a half of the answers are errors from the first request on, and no client sees one:
// what it takes to find the failing entry out is always allowed, and who was under way when it was
// found out goes on for nothing.
TEST(BadHourTest, AColdStartBesideAFailingEntryCostsNobodyAnything) {
    struct Row {
        const char* name;
        std::size_t clients;
        MockFault fault;
    };
    const Row rows[] = {
        {"one client", 1, MockFault::answer_status(500)},
        {"many at once", 25, MockFault::answer_status(503)},
        {"connections that break", 25, MockFault::reset()},
    };
    for (const Row& row : rows) {
        for (const bool of_three : {false, true}) {
            SCOPED_TRACE(row.name);
            const auto mock = start_mock(without_memory());
            mock->set_fault("a", row.fault);
            GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
            if (of_three) options.production.push_back({"c"});
            options.process = "routing: {retry_budget_percent: 0}\n";
            const Gateway gateway(options);
            const auto statuses = storm(gateway, row.clients, 100);
            EXPECT_EQ(statuses.at(200), 100U);
            EXPECT_EQ(entry_field(gateway, "a", "reason"), "failing");
            EXPECT_EQ(gateway.metric("rotary_retry_budget_exhausted_total"), 0.0);
        }
    }
}

// Everything fails by turns and nothing is suspended: only the budget stands between the clients'
// own retries and three times as many requests.
TEST(BadHourTest, FailingProvidersAreAskedWithinTheBudget) {
    mock::MockOptions failing = without_memory();
    failing.fail_rates = {{500, 0.5}};
    const auto mock = start_mock(failing);
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
    options.process = "routing: {failures_to_suspend: 30}\n";  // by chance: once in 2^30
    const Gateway gateway(options);
    constexpr std::size_t kRequests = 2000;
    const auto begun = Clock::now();
    const auto statuses = storm(gateway, 8, kRequests);
    const auto windows = static_cast<double>((Clock::now() - begun) / 10s + 2);
    EXPECT_EQ(statuses.at(500) + statuses.at(200), kRequests) << "the provider's own answers";
    const auto asked = static_cast<double>(mock->request_count());
    EXPECT_LE(asked, 1.2 * kRequests + 3 * 30 * windows);
    EXPECT_GE(asked, 1.15 * kRequests) << "the budget is there to be used";
    EXPECT_GT(gateway.metric("rotary_retry_budget_exhausted_total"), 0.0);
    EXPECT_EQ(gateway.metric("rotary_failovers_total"), asked - kRequests);
}

// The same without suspensions being switched off: five failures each, and then nobody is asked.
TEST(BadHourTest, FailingProvidersAreLeftAlone) {
    const auto mock = start_mock(without_memory());
    mock->set_fault("*", MockFault::answer_status(500));
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
    options.process = "timeouts: {failure_suspension: 5m}\n";
    const Gateway gateway(options);
    const auto statuses = storm(gateway, 4, 400);
    EXPECT_LE(mock->request_count(), 30U);
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(json_at(response.body, "error.code"), "all_models_unavailable");
    EXPECT_GE(std::stoi(std::string(response.header("retry-after"))), 100);
}

TEST(BadHourTest, EverythingIsRefusedAndFewAreAsked) {
    struct Row {
        const char* name;
        unsigned suspend_seconds;
        HeaderList headers;
    };
    const Row rows[] = {
        {"suspended by policy", 60, {}},
        {"suspended by the hint", 0, {{"retry-after", "60"}}},
        {"suspended by nothing", 0, {}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock(without_memory());
        mock->respond_with("*", 429, row.headers, R"({"error":{"code":"rate_limit_exceeded"}})");
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
        options.suspend_seconds = row.suspend_seconds;
        const Gateway gateway(options);
        constexpr std::size_t kRequests = 1000;
        const auto begun = Clock::now();
        const auto statuses = storm(gateway, 8, kRequests);
        const auto windows = static_cast<double>((Clock::now() - begun) / 10s + 2);
        EXPECT_EQ(statuses.at(429), kRequests);
        const auto asked = static_cast<double>(mock->request_count());
        EXPECT_LE(asked, 1.2 * kRequests + 15 * windows);  // five for each entry in ten seconds
    }
}

// Those who come while the probe is out are told to come again; nobody joins it.
TEST(BadHourTest, AThousandClientsAndOneProbe) {
    mock::MockOptions slow;
    slow.latency = kSanitized ? 700ms : 500ms;
    slow.kept_requests = 5000;
    const auto mock = start_mock(slow);
    mock->set_fault("a", MockFault::canned(429, {{"retry-after-ms", "1500"}}, "{}"), 1);
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.suspend_seconds = 0;
    options.plaintext = true;
    options.process = "timeouts: {probe_verdict: 60s}\n";
    const Gateway gateway(options);

    ClientOptions to = gateway.client();
    to.tls = false;
    constexpr std::size_t kThreads = 8;
    constexpr std::size_t kEach = 125;
    std::vector<std::vector<TestClient>> clients(kThreads);
    in_parallel(kThreads, [&](std::size_t i) {
        for (std::size_t n = 0; n < kEach; ++n) clients[i].emplace_back(to);
    });
    EXPECT_EQ(fetch(to, chat()).status, 429U);
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", 10s));

    std::atomic<std::size_t> served{0};
    std::atomic<std::size_t> refused{0};
    in_parallel(kThreads, [&](std::size_t i) {
        for (TestClient& client : clients[i]) client.send(chat());
        for (TestClient& client : clients[i])
            ++(client.read_response().status == 200 ? served : refused);
    });
    const std::vector<Captured> asked = asked_for(*mock, "a");
    ASSERT_GE(asked.size(), 2U);
    const auto verdict =
        asked[1].received_at + std::chrono::floor<std::chrono::milliseconds>(slow.latency);
    const auto before_it = std::count_if(asked.begin() + 1, asked.end(), [&](const Captured& one) {
        return one.received_at < verdict;
    });
    EXPECT_EQ(before_it, 1) << "the probe and nobody else";
    EXPECT_EQ(served + refused, kThreads * kEach);
    EXPECT_GE(served, 1U);
    EXPECT_EQ(served, asked.size() - 1);
    EXPECT_EQ(fetch(to, chat()).status, 200U);
}

// What a request takes that nothing disturbs: the 20th part of `count` took less. The machine may
// be busy with other things, and what those cost is not the gateway's.
std::chrono::nanoseconds undisturbed_time(TestClient& client, int count, const char* attempts) {
    std::vector<std::chrono::nanoseconds> times;
    while (static_cast<int>(times.size()) < count) {
        const auto begun = Clock::now();
        const Response response = client.exchange(chat());
        const auto took = Clock::now() - begun;
        if (response.status != 200) throw std::runtime_error("not served");
        if (response.header("x-rotary-attempts") == attempts) times.push_back(took);
    }
    std::nth_element(times.begin(), times.begin() + count / 20, times.end());
    return times[static_cast<std::size_t>(count / 20)];
}

TEST(BadHourTest, ARefusedConnectionCostsLessThanAMillisecond) {
    const auto mock = start_mock();
    const LoopbackPort nobody;  // refuses
    GatewayOptions options = rotating(*mock, {{"a", 1}, {"b", 0}});
    options.backends.push_back(backend_at(nobody));
    options.process = kPatient;
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    undisturbed_time(client, 20, "1");  // warm
    const auto alive = undisturbed_time(client, 200, "1");
    const auto dead = undisturbed_time(client, 200, "2");
    RecordProperty("alive_us", static_cast<int>(alive / 1us));
    RecordProperty("dead_us", static_cast<int>(dead / 1us));
    if (!kSanitized) {
        EXPECT_LT(dead - alive, 1ms);
    }
}

// Never sooner; and one tick of the wheel later at most, but for what else the machine does.
TEST(BadHourTest, ASilentEntryCostsTheConfiguredTimeAndIsNotAskedTwice) {
    const auto mock = start_mock();
    LoopbackPort silent;
    silent.listen(1024);  // and nobody accepts
    GatewayOptions options = rotating(*mock, {{"a", 1}, {"b", 0}});
    options.backends.push_back(backend_at(silent));
    options.process = "timeouts: {first_byte: 250ms}\n" + std::string(kPatient);
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    auto soonest = std::chrono::nanoseconds::max();
    for (int i = 0; i < 6; ++i) {
        const auto begun = Clock::now();
        const Response response = client.exchange(chat());
        const auto took = Clock::now() - begun;
        EXPECT_EQ(response.status, 200U);
        if (response.header("x-rotary-attempts") == "1") continue;
        EXPECT_EQ(response.header("x-rotary-attempts"), "2");
        EXPECT_GE(took, 250ms);
        soonest = std::min(soonest, took);
    }
    RecordProperty("silent_us", static_cast<int>(soonest / 1us));
    if (!kSanitized) {
        EXPECT_LT(soonest, 400ms);
    }
    EXPECT_EQ(gateway.metric(
                  series("rotary_upstream_failures_total", "a", "reason=\"timeout\"", "backend-1")),
              3.0);
}

TEST(BadHourTest, TheTotalTimeEndsTheRequestAndBlamesNobody) {
    const auto mock = start_mock();
    mock->set_fault("*", MockFault::stall());
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.process = "timeouts: {total: 300ms}\nrouting: {failures_to_suspend: 1}\n";
    const Gateway gateway(options);
    const auto begun = Clock::now();
    const Response response = ask(gateway);
    EXPECT_GE(Clock::now() - begun, 300ms);
    EXPECT_EQ(response.status, 504U);
    EXPECT_EQ(json_at(response.body, "error.code"), "upstream_timeout");
    EXPECT_EQ(mock->request_count(), 1U) << "there was no time for another";
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    EXPECT_EQ(entry_field(gateway, "b", "state"), "active");
}

// Comments keep the line awake between two events, and are no events themselves.
TEST(BadHourTest, SilentStreamsArePinged) {
    mock::MockOptions slow;
    slow.tokens = 1;
    slow.chunk_interval = 1200ms;
    const auto mock = start_mock(slow);
    GatewayOptions options = rotating(*mock, {{"a"}});
    const std::string body = R"({"model":"a","stream":true,"messages":[]})";
    const Gateway plain(options);
    std::string expected;
    std::thread unpinged([&] { expected = ask(plain, chat(body)).body; });
    options.process = "routing: {stream_ping_seconds: 1}\n";
    const Gateway gateway(options);
    const Response response = ask(gateway, chat(body));
    unpinged.join();
    EXPECT_EQ(response.ending, Ending::framed);
    std::string without = response.body;
    std::size_t pings = 0;
    constexpr std::string_view kPing = ": ping\n\n";
    for (std::size_t at; (at = without.find(kPing)) != std::string::npos; ++pings) {
        EXPECT_TRUE(at == 0 || without.substr(at - 2, 2) == "\n\n") << "between two events";
        without.erase(at, kPing.size());
    }
    EXPECT_GE(pings, 2U);
    EXPECT_NE(without.find("[DONE]"), std::string::npos);
    EXPECT_EQ(without.size(), expected.size());
    EXPECT_EQ(expected.find(kPing), std::string::npos) << "off unless asked for";
}

// Pings are no excuse: the provider's silence is measured without them.
TEST(BadHourTest, PingsDoNotProlongAProvidersSilence) {
    const auto mock = start_mock();
    mock->set_fault("a", MockFault::stall(700));
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "routing: {stream_ping_seconds: 1}\ntimeouts: {event_gap: 1500ms}\n";
    const Gateway gateway(options);
    const auto begun = Clock::now();
    const Response response = ask(gateway, chat(R"({"model":"a","stream":true,"messages":[]})"));
    EXPECT_GE(Clock::now() - begun, 1500ms);
    EXPECT_NE(response.body.find(": ping\n\n"), std::string::npos);
    EXPECT_NE(response.body.find("upstream_stream_interrupted"), std::string::npos);
    EXPECT_EQ(response.ending, Ending::cut);
}

}  // namespace
}  // namespace rotary::test
