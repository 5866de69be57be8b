// Addresses as text and as families: literals, peers, the machine's own.
#include "net/address_family.hpp"
#include "net/ip_literal.hpp"
#include "net/socket_address.hpp"

#include <rotary/net/peer_address.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>

namespace rotary::net {
namespace {

// An address by its text; of another kind when it is neither of IPv4 nor of IPv6.
sockaddr_storage stored(const std::string& text) {
    sockaddr_storage storage{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(443);
        std::memcpy(&storage, &v4, sizeof v4);
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(443);
        std::memcpy(&storage, &v6, sizeof v6);
    } else {
        storage.ss_family = AF_UNIX;
    }
    return storage;
}

TEST(IpLiteral, IsAnAddressInBracketsOrNot) {
    struct Row {
        const char* host;
        const char* address;  // empty: a name
    };
    const Row rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"[127.0.0.1]", "127.0.0.1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"localhost", ""},
        {"example.com", ""},
        {"127.0.0.1.", ""},
        {"127.1", ""},
        {"256.0.0.1", ""},
        {"1.2.3.4.5", ""},
        {"", ""},
        {"[]", ""},
        {"[::1", ""},
        {"::1]", ""},
        {"[[::1]]", ""},
        {"::1::2", ""},
        {" 127.0.0.1", ""},
    };
    for (const Row& row : rows) {
        const auto place = ip_literal(row.host, 8443);
        EXPECT_EQ(place ? place->address().to_string() : "", row.address) << row.host;
        if (place) {
            EXPECT_EQ(place->port(), 8443) << row.host;
        }
    }
}

std::string text_of(const std::optional<IpAddress>& address) {
    IpAddressText space;
    return address ? std::string(write_ip_address(*address, space)) : "";
}

TEST(PeerAddressText, IsTheAddressAlone) {
    const std::pair<const char*, const char*> rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"::1", "::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"::192.0.2.7", "::192.0.2.7"},
        {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
        {"/a/socket", ""},
    };
    for (const auto& [address, text] : rows) {
        EXPECT_EQ(text_of(ip_address_of(stored(address))), text) << address;
    }
}

TEST(PeerAddressText, OfWhatHasNoPeerIsEmpty) {
    EXPECT_EQ(text_of(peer_address(-1)), "");
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    EXPECT_EQ(text_of(peer_address(pair[0])), "");
    ::close(pair[0]);
    ::close(pair[1]);
}

// Interfaces with these addresses; an empty one stands for an interface without any.
class Interfaces {
public:
    Interfaces(std::initializer_list<const char*> addresses) {
        for (const char* text : addresses) {
            ifaddrs& one = all_.emplace_back();
            one.ifa_next = nullptr;
            one.ifa_addr = nullptr;
            if (*text != '\0') {
                addresses_.push_back(stored(text));
                one.ifa_addr = reinterpret_cast<sockaddr*>(&addresses_.back());
            }
        }
        for (std::size_t i = 1; i < all_.size(); ++i) all_[i - 1].ifa_next = &all_[i];
    }
    Interfaces(const Interfaces&) = delete;  // its parts point at each other
    Interfaces& operator=(const Interfaces&) = delete;
    const ifaddrs* first() const { return all_.empty() ? nullptr : &all_.front(); }

private:
    std::deque<ifaddrs> all_;
    std::deque<sockaddr_storage> addresses_;
};

TEST(AddressFamily, IsTheOneThatTheMachineHasBeyondLoopback) {
    struct Row {
        const char* name;
        Interfaces interfaces;
        int family;
    };
    const Row rows[] = {
        {"no interface", {}, AF_UNSPEC},
        {"none with an address", {"", ""}, AF_UNSPEC},
        {"loopback alone", {"127.0.0.1", "::1"}, AF_UNSPEC},
        {"IPv4", {"127.0.0.1", "::1", "192.0.2.1"}, AF_INET},
        {"IPv6", {"127.0.0.1", "::1", "2001:db8::1"}, AF_INET6},
        {"both", {"192.0.2.1", "2001:db8::1"}, AF_UNSPEC},
        {"both, of the same kind twice", {"192.0.2.1", "192.0.2.2"}, AF_INET},
        {"loopback behind it", {"192.0.2.1", "127.0.0.1"}, AF_INET},
        {"another kind", {"/a/socket", "2001:db8::1"}, AF_INET6},
        {"one without an address first", {"", "192.0.2.1"}, AF_INET},
    };
    for (const Row& row : rows)
        EXPECT_EQ(family_of(row.interfaces.first()), row.family) << row.name;
}

}  // namespace
}  // namespace rotary::net
