#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "load/message.hpp"
#include "load/socket.hpp"

namespace rotary::bench {

// How connections come to be: they stand, or each request has one of its own, with a whole
// handshake or with the session of an earlier one.
enum class Fresh { no, full, resumed };

struct Order {
    std::uint16_t port = 0;
    std::string path = "/chat/1.0/chat/completions";
    std::string authority;             // a file with the CA's certificate; empty: no TLS
    std::string tokens;                // a file, a bearer token a line; empty: none is sent
    std::vector<std::string> headers;  // further ones
    std::size_t body = 919;            // bytes of a request's body
    bool stream = false;               // the body asks for a stream
    std::size_t connections = 64;
    double seconds = 0;  // no request begins after them; 0: `requests` counts
    std::size_t requests = 0;
    double rate = 0;  // requests a second, evenly; 0: as fast as they are answered
    Fresh fresh = Fresh::no;
    std::size_t length = 0;  // of an answer's body; 0: any
    std::size_t events = 0;  // of an answer; 0: any
};

struct Count {
    std::size_t requests = 0;  // answered as they should be
    std::size_t status = 0;    // answered otherwise than by 200
    std::size_t content = 0;   // with another length or another number of events
    std::size_t broken = 0;    // no whole answer
    std::size_t reopened = 0;  // connections that the proxy had closed
    std::size_t resumed = 0;   // handshakes
    std::size_t body_bytes = 0;
    std::size_t events = 0;
    double seconds = 0;                    // from the first request to the last answer
    std::vector<std::uint32_t> latencies;  // microseconds, one a request
};

// Clients of a proxy, all on this thread: `open` makes the connections, `run` has them ask.
// At a rate, a request that finds no connection free waits, and its latency holds the wait.
class Clients {
public:
    explicit Clients(const Order& order);

    void open();
    Count run();

private:
    enum class State { closed, connecting, idle, sending, reading };
    struct Client {
        Socket socket;
        State state = State::closed;
        bool asks = false;        // a request is its own, and not answered yet
        std::string own_request;  // when tokens take turns
        std::string_view request;
        std::size_t sent = 0;
        Message answer;
        Clock::time_point begun;
    };

    void turn(Clock::time_point until);
    void advance(Client& client);
    bool connect(Client& client);
    bool send(Client& client);
    bool read(Client& client);
    void finish(Client& client);
    void lose(Client& client);
    void dial(Client& client);
    void rest(Client& client);
    void ask(Client& client, Clock::time_point due);
    void ask_those_due();
    bool may_ask() const;
    Clock::time_point due() const;
    std::string request_with(const std::string& token) const;
    static int keep_session(SSL* tls, SSL_SESSION* session);

    const Order order_;
    TlsContext context_;
    std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, &SSL_SESSION_free};
    std::vector<std::string> tokens_;
    std::string request_;
    std::size_t next_token_ = 0;
    Poller poller_;
    std::vector<Client> clients_;
    std::deque<Client*> idle_;
    std::vector<char> buffer_;
    bool running_ = false;
    std::size_t asked_ = 0;
    std::size_t under_way_ = 0;
    Clock::time_point begun_;
    Count count_;
};

}  // namespace rotary::bench
