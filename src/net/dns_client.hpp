#pragma once

#include "dns_answer.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rotary::net {

struct DnsQuestion {
    std::string name;
    std::chrono::milliseconds patience{0};
    std::string servers;  // ADDRESS or ADDRESS:PORT, separated by commas; empty: the system's
};

// c-ares on a thread of its own. Each question has a channel of its own, that is: sockets with
// ports of their own, the system's configuration as it is at that time, and an end that concerns
// no other question.
class DnsClient {
public:
    // Called once a question, on the client's thread.
    using OnAnswer = std::function<void(const std::string& name, DnsAnswer answer)>;

    explicit DnsClient(OnAnswer on_answer);  // throws std::system_error
    ~DnsClient();                            // stops
    DnsClient(const DnsClient&) = delete;
    DnsClient& operator=(const DnsClient&) = delete;

    void ask(DnsQuestion question);  // any thread
    void stop();  // waits for no server; questions that are open are never answered

private:
    struct Lookup;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
