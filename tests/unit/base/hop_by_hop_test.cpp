#include <rotary/base/hop_by_hop.hpp>

#include <gtest/gtest.h>

namespace rotary::text {
namespace {

TEST(HopByHop, HeadersOfOneConnectionNeverGoOn) {
    for (const char* name :
         {"Connection", "keep-alive", "Proxy-Connection", "proxy-authenticate",
          "Proxy-Authorization", "TE", "trailer", "Transfer-Encoding", "UPGRADE"}) {
        EXPECT_TRUE(is_hop_by_hop(name)) << name;
    }
}

TEST(HopByHop, AllOthersMay) {
    for (const char* name : {"", "host", "content-length", "tea", "trailers", "connectio",
                             "connections", "proxy-status", "authorization", "via", "upgrad_"}) {
        EXPECT_FALSE(is_hop_by_hop(name)) << name;
    }
}

}  // namespace
}  // namespace rotary::text
