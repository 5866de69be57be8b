#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "load/socket.hpp"

namespace rotary::bench {

struct Hop {
    std::uint16_t port = 0;
    std::uint16_t provider = 0;
    std::string certificate;  // with its key
    std::string key;
};

// What a machine takes for the bytes alone: TLS ended by OpenSSL on the client's side, a plain
// connection to the provider for each of theirs, and not a byte looked at. Of small messages that
// is the least that a proxy can take; larger ones it passes on as they come, record by record,
// where a proxy may gather them and take less.
class Relay {
public:
    explicit Relay(const Hop& hop);

    // Until the process ends.
    [[noreturn]] void serve();

private:
    struct Pair;
    // One of a pair's two ends: the poller knows it.
    struct End {
        Pair* pair = nullptr;
        Socket socket;
        std::string unsent;  // what the kernel has not taken
    };
    struct Pair {
        End client;
        End provider;
        bool gone = false;
        std::list<Pair>::iterator place;
    };

    void accept();
    void advance(End& end);
    static void send(End& end, std::string_view bytes);

    Hop hop_;
    TlsContext context_;
    int listener_;  // as old as the process
    Poller poller_;
    std::list<Pair> pairs_;
    std::vector<Pair*> gone_;
    std::vector<char> buffer_;
};

}  // namespace rotary::bench
