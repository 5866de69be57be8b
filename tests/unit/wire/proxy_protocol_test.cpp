// What a proxy says of a connection, by HAProxy's proxy-protocol.txt.
#include <rotary/wire/proxy_protocol.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kV4 =
    "\x0a\x01\x02\x03\x0a\x00\x00\x01\x30\x39\x23\x87"s;  // 10.1.2.3 to 10.0.0.1
const std::string kV6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" +
                        std::string(15, '\0') + "\x01" + "\x30\x39\x23\x87";

std::string binary(int command, int family, const std::string& rest) {
    std::string all = kSignature;
    all += static_cast<char>(command);
    all += static_cast<char>(family);
    all += static_cast<char>(rest.size() >> 8);
    all += static_cast<char>(rest.size() & 0xff);
    return all + rest;
}

std::string text_of(const ProxyHeader& header) {
    if (header.state == State::part) return "part";
    if (header.state == State::wrong) return "wrong";
    IpAddressText space;
    return header.source ? std::string(write_ip_address(*header.source, space)) : "none";
}

struct Row {
    const char* name;
    std::string bytes;
    const char* source;
};

const Row kRows[] = {
    {"IPv4 in text", "PROXY TCP4 10.1.2.3 10.0.0.1 12345 9095\r\n", "10.1.2.3"},
    {"IPv6 in text", "PROXY TCP6 2001:db8::1 ::1 12345 9095\r\n", "2001:db8::1"},
    {"unknown in text", "PROXY UNKNOWN\r\n", "none"},
    {"unknown with whatever", "PROXY UNKNOWN ffff::1 x 65535 1\r\n", "none"},
    {"IPv4", binary(0x21, 0x11, kV4), "10.1.2.3"},
    {"IPv6", binary(0x21, 0x21, kV6), "2001:db8::1"},
    {"IPv4 with TLVs", binary(0x21, 0x11, kV4 + "\x04\x00\x02hi"s), "10.1.2.3"},
    {"the proxy itself", binary(0x20, 0x00, ""), "none"},
    {"the proxy itself, with addresses", binary(0x20, 0x11, kV4), "none"},
    {"of no family", binary(0x21, 0x00, ""), "none"},
    {"of a Unix socket", binary(0x21, 0x31, std::string(216, 'x')), "none"},
    {"a datagram's", binary(0x21, 0x12, kV4), "none"},
    {"the longest", binary(0x21, 0x11, kV4 + std::string(4096 - 16 - kV4.size(), 'x')), "10.1.2.3"},
};

TEST(ProxyProtocol, TellsWhereAConnectionCameFrom) {
    for (const Row& row : kRows) {
        const ProxyHeader header = read_proxy_header(row.bytes + "GET /");
        EXPECT_EQ(text_of(header), row.source) << row.name;
        EXPECT_EQ(header.size, row.bytes.size()) << row.name;
    }
}

TEST(ProxyProtocol, WaitsAtEveryByte) {
    for (const Row& row : kRows) {
        for (std::size_t size = 0; size < row.bytes.size(); ++size) {
            EXPECT_EQ(text_of(read_proxy_header(row.bytes.substr(0, size))), "part")
                << row.name << ", " << size;
        }
    }
}

TEST(ProxyProtocol, IsWrongWhereItSaysWhatCantBe) {
    const Row rows[] = {
        {"a request", "GET / HTTP/1.1\r\n", ""},
        {"TLS", "\x16\x03\x01", ""},
        {"lower case", "proxy TCP4 10.1.2.3 10.0.0.1 1 2\r\n", ""},
        {"another family", "PROXY UDP4 10.1.2.3 10.0.0.1 1 2\r\n", ""},
        {"two blanks", "PROXY TCP4  10.1.2.3 10.0.0.1 1 2\r\n", ""},
        {"IPv6 under TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n", ""},
        {"IPv4 under TCP6", "PROXY TCP6 10.1.2.3 ::1 1 2\r\n", ""},
        {"no port", "PROXY TCP4 10.1.2.3 10.0.0.1 1\r\n", ""},
        {"a port too large", "PROXY TCP4 10.1.2.3 10.0.0.1 65536 2\r\n", ""},
        {"a port with a zero before it", "PROXY TCP4 10.1.2.3 10.0.0.1 01 2\r\n", ""},
        {"a word more", "PROXY TCP4 10.1.2.3 10.0.0.1 1 2 3\r\n", ""},
        {"a line too long", "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n", ""},
        {"a line that does not end", "PROXY UNKNOWN " + std::string(100, 'x'), ""},
        {"a signature with a wrong end", "\r\n\r\n\0\r\nQUIX"s, ""},
        {"another version", binary(0x11, 0x11, kV4), ""},
        {"another command", binary(0x22, 0x11, kV4), ""},
        {"another family", binary(0x21, 0x41, kV4), ""},
        {"another transport", binary(0x21, 0x13, kV4), ""},
        {"less than its addresses", binary(0x21, 0x11, kV4.substr(1)), ""},
        {"IPv4's length for IPv6", binary(0x21, 0x21, kV4), ""},
        {"a byte more than the longest", binary(0x21, 0x11, std::string(4096 - 15, 'x')), ""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(text_of(read_proxy_header(row.bytes)), "wrong") << row.name;
    }
    EXPECT_EQ(
        text_of(read_proxy_header(binary(0x21, 0x11, std::string(4096 - 15, 'x')).substr(0, 16))),
        "wrong")
        << "it is not waited for";
}

}  // namespace
}  // namespace rotary::wire
