#include <rotary/fleet/reply.hpp>
#include <rotary/fleet/script.hpp>

#include <gtest/gtest.h>

namespace rotary::fleet {
namespace {

TEST(FleetScript, IsKnownByTheSha1OfItsText) {
    // FIPS 180-4's "abc", as sha1sum prints it.
    EXPECT_EQ(Script("abc").sha1(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(Script("").sha1(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(FleetReply, AnErrorIsKnownByItsFirstWord) {
    Reply reply;
    reply.kind = Reply::Kind::error;
    reply.text = "NOSCRIPT No matching script. Please use EVAL.";
    EXPECT_TRUE(reply.is_error("NOSCRIPT"));
    EXPECT_FALSE(reply.is_error("NO"));
    reply.text = "LOADING";
    EXPECT_TRUE(reply.is_error("LOADING"));
    reply.kind = Reply::Kind::text;
    EXPECT_FALSE(reply.is_error("LOADING"));
}

}  // namespace
}  // namespace rotary::fleet
