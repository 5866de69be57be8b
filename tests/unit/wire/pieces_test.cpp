// What one write of a message is made of.
#include <rotary/wire/pieces.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rotary::wire {
namespace {

std::string joined(const Pieces& pieces) {
    std::string all;
    for (const std::string_view piece : pieces.all()) all += piece;
    return all;
}

TEST(Pieces, StandInTheOrderOfTheWire) {
    Pieces pieces;
    pieces.add_end("\r\n");
    EXPECT_EQ(joined(pieces), "\r\n");
    pieces.clear();
    pieces.add("payload ");
    pieces.add("and more");
    pieces.set_kept("kept ");
    pieces.set_frame("frame ");
    pieces.set_head("head ");
    pieces.add_end(" end");
    pieces.add_end(" of all");
    EXPECT_EQ(joined(pieces), "head frame kept payload and more end of all");
    EXPECT_EQ(pieces.head(), "head ");
}

TEST(Pieces, ArePayloadAsFarAsTheyAreNeitherHeadNorFrame) {
    Pieces pieces;
    EXPECT_EQ(pieces.payload_bytes(), 0U);
    pieces.set_head("head");
    pieces.set_frame("5\r\n");
    EXPECT_EQ(pieces.payload_bytes(), 0U);
    pieces.set_kept("ab");
    EXPECT_EQ(pieces.payload_bytes(), 2U);
    pieces.add("cde");
    pieces.add("");
    pieces.add("f");
    EXPECT_EQ(pieces.payload_bytes(), 6U);
    EXPECT_EQ(pieces.payload().size(), 3U) << "what was kept is not among those that were added";
    EXPECT_EQ(pieces.payload().front(), "cde");
    pieces.payload().front() = "c";
    EXPECT_EQ(joined(pieces), "head5\r\nabcf");
}

TEST(Pieces, LoseWhatIsCutOutOfThem) {
    const std::string payload = "abcdefghij";
    for (std::size_t begin = 0; begin <= payload.size(); ++begin) {
        for (std::size_t end = begin; end <= payload.size(); ++end) {
            Pieces pieces;
            pieces.set_head("head");
            pieces.set_kept(std::string_view(payload).substr(0, 2));
            pieces.add(std::string_view(payload).substr(2, 1));
            pieces.add("");
            pieces.add(std::string_view(payload).substr(3));
            for (std::size_t i = 0; i < payload.size(); ++i) {
                ASSERT_EQ(pieces.byte_at(i), payload[i]);
            }
            ASSERT_EQ(pieces.byte_at(payload.size()), '\0');
            pieces.cut_out(begin, end);
            pieces.add_end("!");
            std::string rest = "head" + payload.substr(0, begin);
            rest.append(payload.substr(end)).append("!");
            ASSERT_EQ(joined(pieces), rest) << begin << " " << end;
        }
    }
}

TEST(Pieces, HaveRoomForTheRestOfOneThatWasCut) {
    Pieces pieces;
    while (!pieces.is_full()) pieces.add("abc");
    pieces.cut_out(1, 2);
    pieces.add_end("!");
    pieces.add_end("?");
    std::string expected = "ac";
    for (std::size_t i = 1; i < Pieces::kPayload; ++i) expected += "abc";
    EXPECT_EQ(joined(pieces), expected + "!?");
}

TEST(Pieces, AreFullBeforeTheirEnds) {
    Pieces pieces;
    std::string all;
    for (std::size_t i = 0; i < Pieces::kPayload; ++i) {
        EXPECT_FALSE(pieces.is_full()) << i;
        pieces.add("ab");
        all += "ab";
    }
    EXPECT_TRUE(pieces.is_full());
    pieces.add_end("\r\n");
    pieces.add_end("0\r\n\r\n");
    EXPECT_EQ(joined(pieces), all + "\r\n0\r\n\r\n");
}

TEST(Pieces, AreEmptyWhenNothingOfThemIsLeft) {
    struct Row {
        const char* name;
        void (*fill)(Pieces& pieces);
        bool is_empty;
    };
    const Row rows[] = {
        {"as they are made", [](Pieces&) {}, true},
        {"a head", [](Pieces& pieces) { pieces.set_head("a"); }, false},
        {"a frame", [](Pieces& pieces) { pieces.set_frame("a"); }, false},
        {"what was kept", [](Pieces& pieces) { pieces.set_kept("a"); }, false},
        {"a payload", [](Pieces& pieces) { pieces.add("a"); }, false},
        {"the last of them", [](Pieces& pieces) { pieces.add(""), pieces.add("a"); }, false},
        {"an end", [](Pieces& pieces) { pieces.add_end("a"); }, false},
        {"pieces of nothing", [](Pieces& pieces) { pieces.add(""), pieces.add_end(""); }, true},
        {"after they were cleared",
         [](Pieces& pieces) {
             pieces.set_head("a");
             pieces.set_frame("a");
             pieces.set_kept("a");
             pieces.add("a");
             pieces.clear();
         },
         true},
    };
    for (const Row& row : rows) {
        Pieces pieces;
        row.fill(pieces);
        EXPECT_EQ(pieces.empty(), row.is_empty) << row.name;
    }
}

// A socket takes as many bytes as it likes.
TEST(Pieces, LoseWhatWasSentAtTheFront) {
    const std::string all = "head5\r\nkeptpayload\r\n";
    for (std::size_t sent = 0; sent <= all.size(); ++sent) {
        Pieces pieces;
        pieces.set_head("head");
        pieces.set_frame("5\r\n");
        pieces.set_kept("kept");
        pieces.add("pay");
        pieces.add("");
        pieces.add("load");
        pieces.add_end("\r\n");
        pieces.drop_front(sent);
        EXPECT_EQ(joined(pieces), all.substr(sent));
        EXPECT_EQ(pieces.empty(), sent == all.size()) << sent;
        pieces.drop_front(all.size() - sent);
        EXPECT_TRUE(pieces.empty()) << sent << ", and the rest";
    }
}

TEST(Pieces, KeepWhatIsLeftOfTheirHead) {
    BufferPool buffers{BufferPool::Limits{}};
    std::string scratch = "0123456789";
    Buffer kept;
    Pieces pieces;
    pieces.set_head(scratch);
    pieces.add(" payload");
    pieces.drop_front(4);
    pieces.keep_head(kept, buffers);
    EXPECT_EQ(kept.size(), 6U);
    std::fill(scratch.begin(), scratch.end(), '#');
    EXPECT_EQ(joined(pieces), "456789 payload");
    pieces.drop_front(2);
    pieces.keep_head(kept, buffers);  // another wait: it has memory of its own
    EXPECT_EQ(kept.size(), 6U);
    EXPECT_EQ(joined(pieces), "6789 payload");
}

TEST(Pieces, WithoutAHeadKeepNothing) {
    BufferPool buffers{BufferPool::Limits{}};
    Buffer kept;
    Pieces pieces;
    pieces.set_head("head");
    pieces.add("payload");
    pieces.drop_front(4);
    pieces.keep_head(kept, buffers);
    EXPECT_FALSE(kept);
    EXPECT_EQ(joined(pieces), "payload");
}

}  // namespace
}  // namespace rotary::wire
