#pragma once

#include <netinet/in.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rotary::test {

// A name server on a UDP port of 127.0.0.1, on a thread of its own, that says of each name what the
// test wants. Names it was told nothing of do not exist. Any thread.
class DnsServer {
public:
    DnsServer();
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    std::string address() const;  // 127.0.0.1:PORT

    void has(const std::string& name, const std::vector<std::string>& addresses);
    void has_not(const std::string& name);  // NXDOMAIN
    void fails(const std::string& name);    // SERVFAIL
    // No answer, as long as release() is not called, which gives those that are due and ends it.
    void hold(const std::string& name);
    void release(const std::string& name);
    void hold_v6(const std::string& name);  // of AAAA queries alone; for good

    // Queries that came for it, each once however often it was sent again: A and AAAA together, or
    // the one with more of them alone.
    std::size_t queries(const std::string& name) const;
    std::size_t lookups(const std::string& name) const;
    std::size_t packets(const std::string& name) const;  // those that were sent again too
    // Waits until so many packets have come.
    bool wait_for(const std::string& name, std::size_t packets = 1,
                  std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

private:
    struct Packet {
        std::string bytes;
        sockaddr_in from{};
    };
    struct Name {
        std::vector<std::string> addresses;
        int code = 3;  // NXDOMAIN
        bool holds = false;
        bool holds_v6 = false;
        std::vector<Packet> held;
        std::map<int, std::set<std::pair<in_port_t, std::string>>> seen;  // by type; port and ID
        std::size_t packets = 0;
    };
    void run();
    void take(Packet packet);
    void answer(const Name& name, const Packet& packet) const;

    int fd_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    mutable std::condition_variable came_;
    std::map<std::string, Name> names_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rotary::test
