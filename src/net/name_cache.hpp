#pragma once

#include <rotary/net/reactor.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace rotary::net {

using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

// What names resolved to, for a while. Shared by a Dialer and the lookups it began, which may end
// after it; all on one thread.
class NameCache {
public:
    NameCache(std::size_t most_entries, std::chrono::milliseconds lifetime)
        : most_entries_(most_entries), lifetime_(lifetime) {}

    const Addresses* fresh(const std::string& name, SteadyTime now) const;
    void store(const std::string& name, Addresses addresses, SteadyTime now);
    // After a failed refresh: the old answer, good for another lifetime. Null if there was none.
    const Addresses* extend(const std::string& name, SteadyTime now);

    std::size_t lookups = 0;  // going on

private:
    struct Entry {
        Addresses addresses;
        SteadyTime fresh_until;
    };
    std::size_t most_entries_;
    std::chrono::milliseconds lifetime_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace rotary::net
