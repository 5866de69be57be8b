// Where a request came from by the word of proxies.
#include <rotary/wire/forwarded_for.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

const std::vector<IpRange> kTrusted{*parse_ip_range("10.0.0.0/8"), *parse_ip_range("fd00::/8")};

std::string client_of(const std::vector<std::string>& lines, bool is_rfc) {
    ForwardedPath path(kTrusted);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (!(is_rfc ? path.read_forwarded(*line) : path.read_x_forwarded_for(*line))) break;
    }
    IpAddressText space;
    return path.client() ? std::string(write_ip_address(*path.client(), space)) : "none";
}

struct Row {
    const char* name;
    std::vector<std::string> lines;
    const char* client;
};

TEST(ForwardedFor, TheFirstThatIsNotTrustedFromTheEndIsTheClient) {
    const Row rows[] = {
        {"nothing", {}, "none"},
        {"empty", {""}, "none"},
        {"one", {"192.0.2.1"}, "192.0.2.1"},
        {"behind one proxy more", {"192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
        {"a client that tells lies", {"198.51.100.9, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
        {"a client that names a proxy", {"10.0.0.9, 192.0.2.1"}, "192.0.2.1"},
        {"all of the house", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
        {"over lines", {"192.0.2.1", "10.0.0.3", "10.0.0.2"}, "192.0.2.1"},
        {"lies over lines", {"198.51.100.9", "192.0.2.1", "10.0.0.2"}, "192.0.2.1"},
        {"no blanks", {"192.0.2.1,10.0.0.2"}, "192.0.2.1"},
        {"empty elements", {"192.0.2.1, , ,10.0.0.2,"}, "192.0.2.1"},
        {"with a port", {"192.0.2.1:4711"}, "192.0.2.1"},
        {"IPv6", {"2001:db8::1, fd00::2"}, "2001:db8::1"},
        {"IPv6 in brackets, with a port", {"[2001:db8::1]:4711"}, "2001:db8::1"},
        {"what is no address ends it", {"192.0.2.1, unknown, 10.0.0.2"}, "10.0.0.2"},
        {"no address at all", {"unknown"}, "none"},
        {"brackets that do not end", {"[2001:db8::1"}, "none"},
        {"IPv4 in brackets", {"[192.0.2.1]"}, "none"},
        {"something behind brackets", {"[2001:db8::1]x"}, "none"},
        {"a zone", {"fe80::1%eth0"}, "none"},
    };
    for (const Row& row : rows) EXPECT_EQ(client_of(row.lines, false), row.client) << row.name;
}

TEST(ForwardedFor, Rfc7239SaysTheSame) {
    const Row rows[] = {
        {"one", {"for=192.0.2.1"}, "192.0.2.1"},
        {"with all else", {"by=10.0.0.1;For=192.0.2.1;proto=https;host=a"}, "192.0.2.1"},
        {"quoted, IPv6 with a port", {R"(for="[2001:db8::1]:4711")"}, "2001:db8::1"},
        {"behind one proxy more", {"for=192.0.2.1, for=10.0.0.2"}, "192.0.2.1"},
        {"a comma within quotes",
         {R"(for=192.0.2.1, for=10.0.0.2;host="a,for=1.1.1.1")"},
         "192.0.2.1"},
        {"an escaped quote",
         {R"(for=192.0.2.1, for=10.0.0.2;host="a\",for=1.1.1.1")"},
         "192.0.2.1"},
        {"unknown", {"for=192.0.2.1, for=unknown"}, "none"},
        {"a hidden name", {"for=192.0.2.1, for=_proxy, for=10.0.0.2"}, "10.0.0.2"},
        {"without for", {"for=192.0.2.1, proto=https"}, "none"},
        {"over lines", {"for=192.0.2.1", "for=10.0.0.2"}, "192.0.2.1"},
    };
    for (const Row& row : rows) EXPECT_EQ(client_of(row.lines, true), row.client) << row.name;
}

TEST(ForwardedFor, ALongWayEnds) {
    std::string line = "192.0.2.1";
    for (int i = 0; i < ForwardedPath::kMostSteps - 1; ++i) line += ", 10.0.0.2";
    EXPECT_EQ(client_of({line}, false), "192.0.2.1");
    EXPECT_EQ(client_of({line + ", 10.0.0.3"}, false), "10.0.0.2") << "one step too many";
}

}  // namespace
}  // namespace rotary::wire
