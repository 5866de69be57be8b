// What of a stream goes on, and what waits for the end of its event.
#include "proxy/event_gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rotary::proxy {
namespace {

// The memory that pieces lie in is used again as soon as they are sent, as a read buffer is.
class EventGateTest : public testing::Test {
protected:
    std::string admit(std::vector<std::string> bytes, bool is_last = false) {
        wire::Pieces pieces;
        pieces.clear();
        for (const std::string& piece : bytes) pieces.add(piece);
        gate_.pass(pieces, is_last);
        std::string gone;
        for (const std::string_view piece : pieces.all()) gone += piece;
        gate_.sent();
        for (std::string& piece : bytes) std::fill(piece.begin(), piece.end(), '#');
        return gone;
    }

    BufferPool buffers_{BufferPool::Limits{}};
    wire::SseScanner events_;
    EventGate gate_{events_, buffers_};
};

TEST_F(EventGateTest, WholeEventsGoAtOnceAndPartsWait) {
    EXPECT_EQ(admit({"data: 1\n\n"}), "data: 1\n\n");
    EXPECT_EQ(admit({": comment\n\ndata: 2\n\ndata: "}), ": comment\n\ndata: 2\n\n");
    EXPECT_EQ(admit({"3"}), "");
    EXPECT_TRUE(gate_.at_boundary());
    EXPECT_EQ(admit({"\n", "\ndata: 4", "\n\nda"}), "data: 3\n\ndata: 4\n\n");
    EXPECT_EQ(admit({}), "");
    EXPECT_EQ(admit({"ta: 5\n\n"}), "data: 5\n\n");
    EXPECT_TRUE(gate_.at_boundary());
}

TEST_F(EventGateTest, WhatIsLastGoesAsItIs) {
    EXPECT_EQ(admit({"data: 1\n\ndata"}), "data: 1\n\n");
    EXPECT_EQ(admit({": 2\n"}, true), "data: 2\n");
    EXPECT_FALSE(gate_.at_boundary());
}

TEST_F(EventGateTest, TheEndAloneBringsWhatWasKept) {
    EXPECT_EQ(admit({"data: 1"}), "");
    EXPECT_EQ(admit({}, true), "data: 1");
}

// What would not fit goes on as it comes, and order is kept; behind its end things are as before.
TEST_F(EventGateTest, EventTooLargeToKeepGoesAsItComes) {
    const std::string large(20'000, 'x');
    EXPECT_EQ(admit({"data: " + large}), "");
    EXPECT_EQ(admit({large}), "data: " + large + large);
    EXPECT_FALSE(gate_.at_boundary());
    EXPECT_EQ(admit({"\n\ndata: "}), "\n\n");
    EXPECT_TRUE(gate_.at_boundary());
    EXPECT_EQ(admit({"2\n\n"}), "data: 2\n\n");
}

TEST_F(EventGateTest, NothingIsLostWhereverThePiecesEnd) {
    const std::string stream =
        ": hello\r\n\r\ndata: a\ndata: b\n\nevent: x\rdata: c\r\rdata: [DONE]\n\n";
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (std::size_t second = first; second <= stream.size(); ++second) {
            wire::SseScanner events;
            EventGate gate(events, buffers_);
            std::string gone;
            const auto pass = [&](std::string part, bool is_last) {
                wire::Pieces pieces;
                pieces.clear();
                pieces.add(part);
                gate.pass(pieces, is_last);
                for (const std::string_view piece : pieces.all()) gone += piece;
                gate.sent();
                std::fill(part.begin(), part.end(), '#');
                const bool is_whole = gone.empty() || gone.ends_with("\n\n") ||
                                      gone.ends_with("\r\r") || gone.ends_with("\r\n\r") ||
                                      gone.ends_with("\r\n\r\n");
                EXPECT_TRUE(is_whole) << first << " " << second;
            };
            pass(stream.substr(0, first), false);
            pass(stream.substr(first, second - first), false);
            pass(stream.substr(second), true);
            EXPECT_EQ(gone, stream) << first << " " << second;
        }
    }
}

}  // namespace
}  // namespace rotary::proxy
