#include "load/provider.hpp"

#include <sys/socket.h>

#include <cstdio>

namespace rotary::bench {
namespace {

constexpr std::size_t kReadBytes = 262144;
constexpr auto kForEver = std::chrono::hours(1);

std::string chat(std::size_t bytes) {
    const std::string begin =
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
    const std::string end =
        R"("},"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":180,"completion_tokens":112,"total_tokens":292}})";
    std::string body = begin;
    while (body.size() + end.size() < bytes) {
        body += "It is as much as it is. ";
    }
    body.resize(std::max(bytes, begin.size() + end.size()) - end.size());
    return body + end;
}

std::string chunk(std::string_view payload) {
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
    return std::string(size.data()).append(payload).append("\r\n");
}

std::string sized(int status, std::string_view body) {
    std::string answer = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
    answer += "Content-Type: application/json\r\nContent-Length: ";
    return answer.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

}  // namespace

Provider::Provider(const Offer& offer)
    : offer_(offer), listener_(listen_on(offer.port)), buffer_(kReadBytes) {
    if (!offer_.certificate.empty()) {
        context_ = server_context(offer_.certificate, offer_.key);
    }
    event_ = chunk(
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":"
        "[{\"index\":0,\"delta\":{\"content\":\"a word of an answer in pieces\"},"
        "\"finish_reason\":null}]}\n\n");
    end_ = chunk("data: [DONE]\n\n") + "0\r\n\r\n";
    answer_ = sized(offer_.status, chat(offer_.length));
    if (offer_.events > 0) {
        answer_ =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            "Transfer-Encoding: chunked\r\n\r\n";
        if (offer_.gap <= 0) {
            for (std::size_t i = 0; i < offer_.events; ++i) {
                answer_ += event_;
            }
            answer_ += end_;
        }
    }
}

std::size_t Provider::serve(int control) {
    poller_.add(listener_, &listener_);
    poller_.add(control, nullptr);
    bool serving = true;
    while (serving) {
        const auto until = due_.empty() ? Clock::now() + kForEver : due_.top().when;
        for (const epoll_event& event : poller_.wait(until)) {
            if (event.data.ptr == nullptr) {
                serving = (event.events & (EPOLLIN | EPOLLHUP)) == 0;
            } else if (event.data.ptr == &listener_) {
                accept();
            } else {
                advance(*static_cast<Peer*>(event.data.ptr));
            }
        }
        send_events();
        bury();
    }
    return answered_;
}

void Provider::accept() {
    while (true) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            return;
        }
        Peer& peer = peers_.emplace_back(Socket(descriptor, context_.get()));
        peer.place = std::prev(peers_.end());
        poller_.add(descriptor, &peer);
    }
}

void Provider::advance(Peer& peer) {
    peer.socket.send(peer.unsent);
    while (!peer.gone) {
        const Moved moved = peer.socket.read(buffer_);
        if (moved.how != Io::done) {
            if (moved.how == Io::closed) {
                peer.gone = true;
                gone_.push_back(&peer);
            }
            return;
        }
        std::string_view bytes(buffer_.data(), moved.bytes);
        while (!bytes.empty() && !peer.request.broken()) {
            bytes.remove_prefix(peer.request.take(bytes));
            if (peer.request.done()) {
                answer(peer);
                peer.request = Message();
            }
        }
    }
}

void Provider::answer(Peer& peer) {
    if (!peer.request.is_post()) {
        send(peer, sized(200, R"({"object":"list","data":[]})"));  // a proxy looks whether it is up
        return;
    }
    ++answered_;
    send(peer, answer_);
    if (offer_.events > 0 && offer_.gap > 0) {
        peer.events_left = offer_.events;
        due_.push({Clock::now(), &peer});
    }
}

void Provider::send(Peer& peer, std::string_view bytes) {
    peer.unsent.append(bytes);
    peer.socket.send(peer.unsent);
}

void Provider::send_events() {
    const auto gap =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(offer_.gap));
    while (!due_.empty() && due_.top().when <= Clock::now()) {
        const Due due = due_.top();
        due_.pop();
        if (due.peer->gone) {
            due.peer->events_left = 0;
            continue;
        }
        send(*due.peer, event_);
        if (--due.peer->events_left == 0) {
            send(*due.peer, end_);
        } else {
            due_.push({due.when + gap, due.peer});
        }
    }
}

// A paced answer keeps its peer until its next event would have been due.
void Provider::bury() {
    std::erase_if(gone_, [this](Peer* peer) {
        if (peer->events_left > 0) {
            return false;
        }
        peers_.erase(peer->place);
        return true;
    });
}

}  // namespace rotary::bench
