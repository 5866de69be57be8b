#include "load/relay.hpp"

#include <sys/socket.h>

namespace rotary::bench {
namespace {

constexpr std::size_t kReadBytes = 65536;
constexpr std::size_t kRecordBytes = 16384;  // of TLS, at most
constexpr auto kForEver = std::chrono::hours(1);

}  // namespace

Relay::Relay(const Hop& hop)
    : hop_(hop),
      context_(server_context(hop.certificate, hop.key)),
      listener_(listen_on(hop.port)),
      buffer_(kReadBytes) {
    SSL_CTX_set_read_ahead(context_.get(), 1);  // else each record takes two reads
}

void Relay::serve() {
    poller_.add(listener_, &listener_);
    while (true) {
        for (const epoll_event& event : poller_.wait(Clock::now() + kForEver)) {
            if (event.data.ptr == &listener_) {
                accept();
            } else {
                advance(*static_cast<End*>(event.data.ptr));
            }
        }
        for (const Pair* pair : gone_) {
            pairs_.erase(pair->place);
        }
        gone_.clear();
    }
}

void Relay::accept() {
    while (true) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            return;
        }
        Pair& pair = pairs_.emplace_back();
        pair.place = std::prev(pairs_.end());
        pair.client.pair = pair.provider.pair = &pair;
        pair.client.socket = Socket(descriptor, context_.get());
        pair.provider.socket = Socket::dial(hop_.provider, nullptr);
        poller_.add(descriptor, &pair.client);
        poller_.add(pair.provider.socket.descriptor(), &pair.provider);
    }
}

// Reads once for each time that the end became ready, and again only while its buffer was filled:
// what comes later makes it ready once more.
void Relay::advance(End& end) {
    Pair& pair = *end.pair;
    if (pair.gone) {
        return;
    }
    end.socket.send(end.unsent);
    End& other = &end == &pair.client ? pair.provider : pair.client;
    bool more = true;
    while (more) {
        const Moved moved = end.socket.read(buffer_);
        if (moved.how == Io::closed) {
            pair.gone = true;
            gone_.push_back(&pair);
        }
        if (moved.how != Io::done) {
            return;
        }
        send(other, std::string_view(buffer_.data(), moved.bytes));
        SSL* const tls = end.socket.tls();
        more = tls != nullptr ? SSL_has_pending(tls) == 1 || moved.bytes >= kRecordBytes
                              : moved.bytes == buffer_.size();
    }
}

void Relay::send(End& end, std::string_view bytes) {
    if (end.unsent.empty()) {
        const Moved moved = end.socket.write(bytes);
        if (moved.how == Io::done) {
            bytes.remove_prefix(moved.bytes);
        }
    }
    if (!bytes.empty()) {
        end.unsent.append(bytes);
        end.socket.send(end.unsent);
    }
}

}  // namespace rotary::bench
