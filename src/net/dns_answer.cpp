#include "dns_answer.hpp"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace rotary::net {

namespace {

using Outcome = DnsAnswer::Outcome;

Addresses addresses_of(const ares_addrinfo& info) {
    using namespace boost::asio::ip;
    Addresses found;
    for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
        if (node->ai_family == AF_INET) {
            const auto* const v4 = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
            found.emplace_back(address_v4(ntohl(v4->sin_addr.s_addr)), std::uint16_t{0});
        } else if (node->ai_family == AF_INET6) {
            const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
            address_v6::bytes_type bytes;
            std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
            found.emplace_back(address_v6(bytes, v6->sin6_scope_id), std::uint16_t{0});
        }
    }
    return found;
}

}  // namespace

DnsAnswer answer_of(int status, const ares_addrinfo* info) {
    DnsAnswer answer;
    switch (status) {
        case ARES_SUCCESS:
            answer.addresses = addresses_of(*info);
            answer.outcome = answer.addresses.empty() ? Outcome::gone : Outcome::found;
            answer.detail = "the name has no address";
            break;
        case ARES_ENOTFOUND:
            answer.outcome = Outcome::gone;
            answer.detail = "no such name";
            break;
        case ARES_ENODATA:
            answer.outcome = Outcome::gone;
            answer.detail = "the name has no address";
            break;
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:  // by its deadline, nothing else cancels
            answer.detail = "name resolution timed out";
            break;
        case ARES_ENOMEM:
            answer.outcome = Outcome::our_want;
            answer.detail = "out of memory";
            break;
        default:
            answer.detail = ares_strerror(status);
    }
    return answer;
}

Resolved resolved_of(DnsAnswer answer, std::size_t most) {
    if (answer.outcome == Outcome::found) {
        answer.addresses.resize(std::min(answer.addresses.size(), most));
        return std::make_shared<const Addresses>(std::move(answer.addresses));
    }
    // What this process lacks is not the provider's fault, and closing idle connections may help.
    if (answer.outcome == Outcome::our_want) {
        return Fault{FaultKind::overloaded, Origin::internal, Retry::next_entry, answer.detail};
    }
    return Fault::upstream(FaultKind::upstream_dns_failed, answer.detail);
}

}  // namespace rotary::net
