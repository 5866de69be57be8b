// What c-ares says of a lookup, and what those who asked are told.
#include "net/dns_answer.hpp"

#include <gtest/gtest.h>

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace rotary::net {
namespace {

using Outcome = DnsAnswer::Outcome;

// A list of addresses as c-ares gives it.
class Info {
public:
    Info() = default;
    Info(const Info&) = delete;  // its parts point at each other
    Info& operator=(const Info&) = delete;

    Info& v4(const char* text) {
        sockaddr_in& address = v4_.emplace_back();
        address.sin_family = AF_INET;
        address.sin_port = htons(99);
        ::inet_pton(AF_INET, text, &address.sin_addr);
        return add(AF_INET, &address);
    }
    Info& v6(const char* text, std::uint32_t scope = 0) {
        sockaddr_in6& address = v6_.emplace_back();
        address.sin6_family = AF_INET6;
        address.sin6_scope_id = scope;
        ::inet_pton(AF_INET6, text, &address.sin6_addr);
        return add(AF_INET6, &address);
    }
    Info& other() { return add(AF_UNIX, nullptr); }
    const ares_addrinfo* get() const { return &info_; }

private:
    Info& add(int family, void* address) {
        ares_addrinfo_node& node = nodes_.emplace_back();
        node.ai_family = family;
        node.ai_addr = static_cast<sockaddr*>(address);
        (last_ == nullptr ? info_.nodes : last_->ai_next) = &node;
        last_ = &node;
        return *this;
    }

    ares_addrinfo info_{};
    ares_addrinfo_node* last_ = nullptr;
    std::deque<ares_addrinfo_node> nodes_;
    std::deque<sockaddr_in> v4_;
    std::deque<sockaddr_in6> v6_;
};

std::vector<std::string> texts_of(const Addresses& addresses) {
    std::vector<std::string> out;
    for (const auto& one : addresses) {
        EXPECT_EQ(one.port(), 0) << "the port is the endpoint's";
        out.push_back(one.address().to_string());
    }
    return out;
}

TEST(DnsAnswer, HasTheAddressesInTheirOrder) {
    Info info;
    info.v6("2001:db8::1").v4("192.0.2.1").other().v6("2001:db8::2", 3).v4("192.0.2.2");
    const DnsAnswer answer = answer_of(ARES_SUCCESS, info.get());
    EXPECT_EQ(answer.outcome, Outcome::found);
    EXPECT_EQ(texts_of(answer.addresses),
              (std::vector<std::string>{"2001:db8::1", "192.0.2.1", "2001:db8::2%3", "192.0.2.2"}));
}

TEST(DnsAnswer, WithoutAnAddressIsNone) {
    const Info nothing;
    Info of_another_kind;
    of_another_kind.other();
    for (const Info* const info : {&nothing, &std::as_const(of_another_kind)}) {
        const DnsAnswer answer = answer_of(ARES_SUCCESS, info->get());
        EXPECT_EQ(answer.outcome, Outcome::gone);
        EXPECT_STREQ(answer.detail, "the name has no address");
    }
}

TEST(DnsAnswer, TellsANameThatIsGoneFromAServerThatSaysNothing) {
    struct Row {
        int status;
        Outcome outcome;
        const char* detail;
    };
    const Row rows[] = {
        {ARES_ENOTFOUND, Outcome::gone, "no such name"},
        {ARES_ENODATA, Outcome::gone, "the name has no address"},
        {ARES_ETIMEOUT, Outcome::failed, "name resolution timed out"},
        {ARES_ECANCELLED, Outcome::failed, "name resolution timed out"},
        {ARES_ENOMEM, Outcome::our_want, "out of memory"},
        {ARES_ESERVFAIL, Outcome::failed, ares_strerror(ARES_ESERVFAIL)},
        {ARES_EREFUSED, Outcome::failed, ares_strerror(ARES_EREFUSED)},
        {ARES_EBADNAME, Outcome::failed, ares_strerror(ARES_EBADNAME)},
        {ARES_ECONNREFUSED, Outcome::failed, ares_strerror(ARES_ECONNREFUSED)},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.detail);
        const DnsAnswer answer = answer_of(row.status, nullptr);
        EXPECT_EQ(answer.outcome, row.outcome);
        EXPECT_STREQ(answer.detail, row.detail);
        EXPECT_TRUE(answer.addresses.empty());
    }
}

TEST(ResolvedName, KeepsTheFirstAddresses) {
    Info info;
    info.v4("192.0.2.1").v4("192.0.2.2").v4("192.0.2.3");
    const std::pair<std::size_t, std::size_t> rows[] = {{1, 1}, {2, 2}, {3, 3}, {16, 3}};
    for (const auto& [most, kept] : rows) {
        const Resolved resolved = resolved_of(answer_of(ARES_SUCCESS, info.get()), most);
        ASSERT_TRUE(resolved);
        ASSERT_EQ((*resolved)->size(), kept);
        EXPECT_EQ((*resolved)->front().address().to_string(), "192.0.2.1");
    }
}

TEST(ResolvedName, BlamesTheNameOrThisProcess) {
    struct Row {
        const char* name;
        int status;
        FaultKind kind;
        Origin origin;
    };
    const Row rows[] = {
        {"gone", ARES_ENOTFOUND, FaultKind::upstream_dns_failed, Origin::upstream},
        {"failed", ARES_ESERVFAIL, FaultKind::upstream_dns_failed, Origin::upstream},
        {"our want", ARES_ENOMEM, FaultKind::overloaded, Origin::internal},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Resolved resolved = resolved_of(answer_of(row.status, nullptr), 16);
        ASSERT_FALSE(resolved);
        EXPECT_EQ(resolved.error().kind, row.kind);
        EXPECT_EQ(resolved.error().origin, row.origin);
        EXPECT_EQ(resolved.error().retry, Retry::next_entry);
    }
}

}  // namespace
}  // namespace rotary::net
