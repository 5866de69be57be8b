#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <queue>
#include <string>
#include <vector>

#include "load/message.hpp"
#include "load/socket.hpp"

namespace rotary::bench {

struct Offer {
    std::uint16_t port = 0;
    std::string certificate;  // with its key: TLS
    std::string key;
    int status = 200;
    std::size_t length = 700;  // of an answer's body, when it is no stream
    std::size_t events = 0;    // of a streamed answer
    double gap = 0;            // seconds between two of them; 0: all at once
};

// A provider whose answers are made beforehand: it costs next to nothing beside a proxy.
class Provider {
public:
    explicit Provider(const Offer& offer);

    // Answers until `control` can be read, then returns how many POSTs were answered.
    std::size_t serve(int control);

private:
    struct Peer {
        explicit Peer(Socket of) : socket(std::move(of)) {}
        Socket socket;
        Message request;
        std::string unsent;           // what the kernel has not taken
        std::size_t events_left = 0;  // of a paced answer
        bool gone = false;
        std::list<Peer>::iterator place;
    };
    struct Due {
        Clock::time_point when;
        Peer* peer;
        bool operator<(const Due& other) const { return when > other.when; }
    };

    void accept();
    void advance(Peer& peer);
    void send(Peer& peer, std::string_view bytes);
    void answer(Peer& peer);
    void send_events();
    void bury();

    const Offer offer_;
    TlsContext context_;
    int listener_;
    Poller poller_;
    std::list<Peer> peers_;
    std::vector<Peer*> gone_;
    std::priority_queue<Due> due_;
    std::string answer_;  // the whole one, or the head of a paced one
    std::string event_;
    std::string end_;
    std::size_t answered_ = 0;
    std::vector<char> buffer_;
};

}  // namespace rotary::bench
