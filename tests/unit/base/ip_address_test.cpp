#include <rotary/base/ip_address.hpp>

#include <gtest/gtest.h>

namespace rotary {
namespace {

TEST(AddressTest, AListOfAddressesAndRangesHoldsWhatItSays) {
    struct Row {
        const char* name;
        const char* address;
        const char* list;
        bool is_one;
    };
    const Row rows[] = {
        {"itself", "10.1.2.3", "10.1.2.3", true},
        {"another", "10.1.2.4", "10.1.2.3", false},
        {"the second, behind a blank", "10.1.2.4", "10.1.2.3, 10.1.2.4", true},
        {"the last of a range", "10.1.255.255", "10.1.0.0/16", true},
        {"one behind a range", "10.2.0.0", "10.1.0.0/16", false},
        {"within an odd length", "10.1.2.7", "10.1.2.0/29", true},
        {"outside an odd length", "10.1.2.8", "10.1.2.0/29", false},
        {"a range of all", "192.0.2.1", "0.0.0.0/0", true},
        {"IPv6 is none of IPv4's", "2001:db8::1", "0.0.0.0/0", false},
        {"IPv4 in IPv6 of all", "192.0.2.1", "::/0", true},
        {"IPv6", "2001:db8::1", "2001:DB8:0::/32", true},
        {"IPv6 outside", "2001:db9::1", "2001:db8::/32", false},
        {"IPv4 as a socket of both tells it", "::ffff:10.1.2.3", "10.1.2.0/24", true},
        {"an empty list", "10.1.2.3", "", false},
        {"no address in it", "10.1.2.3", "office,,", false},
        {"a length beyond the width", "10.1.2.3", "10.1.2.3/33", false},
        {"a length that is no number", "10.1.2.3", "10.1.2.3/", false},
        {"a negative length", "10.1.2.3", "10.1.2.3/-1", false},
    };
    for (const Row& row : rows) {
        const auto address = parse_ip_address(row.address);
        ASSERT_TRUE(address) << row.name;
        EXPECT_EQ(is_one_of(*address, row.list), row.is_one) << row.name;
    }
}

TEST(AddressTest, WhatIsNoAddressIsNone) {
    for (const char* text : {"", "10.1.2", "10.1.2.3.4", "010.1.2.3x", "host", "1:2:3", "::1%eth0",
                             "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"}) {
        EXPECT_FALSE(parse_ip_address(text)) << text;
    }
    EXPECT_TRUE(is_ipv4(*parse_ip_address("1.2.3.4")));
    EXPECT_FALSE(is_ipv4(*parse_ip_address("::ffff:0:0:1")));
}

TEST(IpAddress, IsWrittenAsItIsRead) {
    for (const char* text : {"10.1.2.3", "2001:db8::1", "::1", "::"}) {
        IpAddressText space;
        EXPECT_EQ(write_ip_address(*parse_ip_address(text), space), text);
    }
    IpAddressText space;
    EXPECT_EQ(write_ip_address(*parse_ip_address("::ffff:10.1.2.3"), space), "10.1.2.3");
}

TEST(IpRange, IsNoneWithoutAnAddressAndALengthThatFits) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10/8",
                             "10.0.0.0/8/8", "host/8"}) {
        EXPECT_FALSE(parse_ip_range(text)) << text;
    }
    EXPECT_EQ(parse_ip_range("10.0.0.0/8")->bits, 96 + 8);
    EXPECT_EQ(parse_ip_range("10.0.0.1")->bits, 128);
    EXPECT_EQ(parse_ip_range("::/0")->bits, 0);
}

}  // namespace
}  // namespace rotary
