#pragma once

#include "gateway_fixture.hpp"

#include <support/faulty_provider.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the tests of providers that go wrong share.
namespace rotary::test {

inline constexpr const char* kStreamed = R"({"model":"x","stream":true})";

// All series of this name together; `with`: those that hold this text.
inline double sum_of(const Gateway& gateway, std::string_view name, std::string_view with = "") {
    return sum_of(gateway.admin("/metrics"), name, with);
}

// rotary_upstream_failures_total of entry "a" on backend-0.
inline double failures(const Gateway& gateway, const std::string& env, const std::string& reason) {
    return gateway.metric("rotary_upstream_failures_total{policy=\"rotation\",env=\"" + env +
                          "\",model=\"a\",backend=\"backend-0\",reason=\"" + reason + "\"}");
}

// What an answer means for its entry and the metrics is settled once the client has it.
inline bool all_settled(const Gateway& gateway) {
    return eventually([&] { return gateway.metric("rotary_requests_in_flight") == 0; });
}

inline Request sandboxed(Request request) {
    request.headers.front().second = "default.sandbox.gw.wso2.com";
    return request;
}

// The event that says that a stream is not complete.
inline bool is_interruption(const std::string& event) {
    constexpr std::string_view kStart = "data: {\"error\":";
    return event.starts_with(kStart) && event.ends_with("}\n\n") &&
           json_at(event.substr(6), "error.code") == "upstream_stream_interrupted" &&
           json_at(event.substr(6), "error.type") == "upstream_error";
}

// A stream that its provider left: all the whole events that came, word for word, then one event
// that says so, no end of the stream in the events and none of the body.
inline void expect_interrupted(const Response& response, const std::vector<std::string>& came) {
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.ending, Ending::cut);
    EXPECT_EQ(response.read_end, ReadEnd::fin);  // without close_notify, and no reset
    std::vector<std::string> events = events_of(response.body);
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(is_interruption(events.back())) << events.back();
    events.pop_back();
    EXPECT_EQ(events, came);
}

// How many of these bytes' events are whole.
inline std::vector<std::string> whole_events(const std::string& stream, std::size_t bytes) {
    std::vector<std::string> events = events_of(std::string_view(stream).substr(0, bytes));
    if (!events.empty() && !events.back().ends_with("\n\n")) events.pop_back();
    return events;
}

}  // namespace rotary::test
