// The last requests of a worker, as operators are shown them.
#include <rotary/proxy/request_ring.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {

namespace {

using namespace std::chrono_literals;

class RequestRingTest : public testing::Test {
protected:
    RequestRingTest() { request_.rotate({"m0@a"}); }

    // A request to "/chat/1.0/NAME" that took 20 ms.
    void answered(RequestRing& ring, const std::string& name, std::uint16_t status = 200) {
        request_.admit_and_scan("POST /chat/1.0/" + name, "", R"({"model":"asked"})");
        request_.choose();
        Exchange& exchange = request_.exchange;
        exchange.outcome.status = status;
        ring.record(exchange, exchange.request.started + 20ms);
    }
    static std::vector<RequestRecord> latest(const RequestRing& ring, std::size_t most = 100) {
        std::vector<RequestRecord> out;
        ring.copy_latest(most, out);
        return out;
    }
    // The last letters of the paths, newest first.
    static std::string paths(const RequestRing& ring, std::size_t most = 100) {
        std::string all;
        for (const RequestRecord& record : latest(ring, most)) {
            all += record.words(record.path).back();
        }
        return all;
    }
    OneRequest request_;
};

TEST_F(RequestRingTest, KeepsTheLastOnes) {
    struct Row {
        std::size_t places;
        const char* asked;
        std::size_t most;
        const char* kept;
    };
    for (const Row& row :
         {Row{3, "", 9, ""}, Row{3, "a", 9, "a"}, Row{3, "abc", 9, "cba"}, Row{3, "abcd", 9, "dcb"},
          Row{3, "abcdefg", 9, "gfe"}, Row{3, "abcd", 2, "dc"}, Row{3, "abcd", 0, ""},
          Row{1, "ab", 9, "b"}, Row{0, "ab", 9, ""}}) {
        RequestRing ring(row.places);
        for (const char name : std::string(row.asked)) answered(ring, std::string(1, name));
        EXPECT_EQ(paths(ring, row.most), row.kept) << row.places << " of " << row.asked;
    }
}

TEST_F(RequestRingTest, AnotherSizeForgetsThem) {
    RequestRing ring(3);
    answered(ring, "a");
    ring.resize(3);
    EXPECT_EQ(paths(ring), "a") << "the same size is no change";
    ring.resize(2);
    EXPECT_EQ(paths(ring), "");
    for (const char* name : {"b", "c", "d"}) answered(ring, name);
    EXPECT_EQ(paths(ring), "dc");
    ring.resize(0);
    answered(ring, "e");
    EXPECT_EQ(paths(ring), "");
}

TEST_F(RequestRingTest, CountsWhatItHasNoPlaceFor) {
    RequestRing ring(0);
    answered(ring, "a", 200);
    answered(ring, "b", 503);
    LiveSums sums;
    ring.live().add_to(sums);
    EXPECT_EQ(sums.by_class[2], 1U);
    EXPECT_EQ(sums.by_class[5], 1U);
}

TEST_F(RequestRingTest, ARecordTellsWhatWasAskedAndWhatCame) {
    RequestRing ring(2);
    request_.admit_and_scan("POST /chat/1.0/x?key=secret", "authorization: Bearer secret\n",
                            R"({"model":"asked","messages":"secret"})");
    request_.choose();
    Exchange& exchange = request_.exchange;
    const SteadyTime start = exchange.request.started;
    exchange.trail.open(exchange.tries.choice, start + 1ms).head = start + 5ms;
    exchange.trail.judge(200, FaultKind::none, {}, start + 5ms);
    exchange.trail.end({}, start + 19ms);
    exchange.tries.attempts = 1;
    exchange.outcome.status = 200;
    exchange.outcome.first_byte = start + 6ms;
    exchange.outcome.usage.input = 7;
    exchange.outcome.usage.output = 9;
    exchange.outcome.cost = 11;
    exchange.match.consumer = "team-a";
    ring.record(exchange, start + 20ms);
    const RequestRecord record = latest(ring).at(0);
    EXPECT_EQ(record.words(record.method), "POST");
    EXPECT_EQ(record.words(record.path), "/chat/1.0/x");
    EXPECT_EQ(record.words(record.client_model), "asked");
    EXPECT_EQ(record.words(record.model), "m0");
    EXPECT_EQ(record.words(record.backend), "a");
    EXPECT_EQ(record.words(record.environment), "production");
    EXPECT_EQ(record.words(record.consumer), "team-a");
    EXPECT_EQ(record.duration, 20ms);
    EXPECT_EQ(record.first_byte, 6ms);
    EXPECT_EQ(record.attempts, 1U);
    EXPECT_EQ(record.input_tokens, 7U);
    EXPECT_EQ(record.output_tokens, 9U);
    EXPECT_EQ(record.cost, 11);
    ASSERT_EQ(record.tries_kept, 1U);
    EXPECT_EQ(record.tries[0].started, 1ms);
    EXPECT_EQ(record.tries[0].head, 4ms);
    EXPECT_EQ(record.tries[0].took, 18ms);
    EXPECT_EQ(record.words(record.tries[0].model), "m0");
    EXPECT_EQ(std::string(record.text.data(), record.text_size).find("secret"), std::string::npos);
}

// A place is used again and again: nothing of the request before may be seen in it.
TEST_F(RequestRingTest, NothingIsLeftOfTheRequestBefore) {
    RequestRing ring(1);
    answered(ring, "a-long-name", 429);
    request_.ask("GET /nowhere");
    request_.exchange.outcome.status = 404;
    ring.record(request_.exchange, request_.exchange.request.started + 1ms);
    const RequestRecord record = latest(ring).at(0);
    EXPECT_EQ(record.words(record.path), "/nowhere");
    EXPECT_EQ(record.words(record.client_model), "");
    EXPECT_EQ(record.words(record.model), "");
    EXPECT_EQ(record.words(record.backend), "");
    EXPECT_EQ(record.tries_kept, 0U);
    EXPECT_EQ(record.input_tokens, 0U);
    EXPECT_FALSE(record.cost);
    EXPECT_EQ(record.first_byte, 0ns);
}

TEST(RequestRecord, ClipsWhatIsTooLong) {
    RequestRecord record;
    const std::string name(2 * RequestRecord::kText, 'n');
    EXPECT_EQ(record.words(record.keep(name, 64)).size(), 64U);
    EXPECT_EQ(record.words(record.keep("short", 64)), "short");
    while (record.keep(name, 128).size == 128) {
    }
    EXPECT_EQ(record.text_size, RequestRecord::kText) << "the last one had what was left";
    EXPECT_EQ(record.words(record.keep("more", 64)), "");
    EXPECT_EQ(record.words(record.keep("", 64)), "");
}

}  // namespace

}  // namespace rotary::proxy
