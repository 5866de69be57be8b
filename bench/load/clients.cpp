#include "load/clients.hpp"

#include <fstream>
#include <stdexcept>

namespace rotary::bench {
namespace {

constexpr std::size_t kDialledAtATime = 32;  // less than any listener's backlog
constexpr std::size_t kReadBytes = 262144;
constexpr auto kPatience = std::chrono::seconds(60);  // without anything being ready

std::string question(std::size_t bytes, bool stream) {
    std::string begin = stream ? R"({"stream":true,)" : "{";
    begin += R"("model":"any","messages":[{"role":"user","content":")";
    const std::string end = R"("}]})";
    std::string body = begin;
    while (body.size() + end.size() < bytes) {
        body += "How much is it? ";
    }
    body.resize(std::max(bytes, begin.size() + end.size()) - end.size());
    return body + end;
}

std::vector<std::string> lines_of(const std::string& file) {
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    if (lines.empty()) {
        throw std::runtime_error("no line in " + file);
    }
    return lines;
}

Clock::duration in_seconds(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Clients::Clients(const Order& order)
    : order_(order), clients_(order.connections), buffer_(kReadBytes) {
    if (!order_.authority.empty()) {
        context_ = client_context(order_.authority);
        if (order_.fresh == Fresh::resumed) {
            SSL_CTX_set_session_cache_mode(context_.get(),
                                           SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
            SSL_CTX_set_app_data(context_.get(), this);
            SSL_CTX_sess_set_new_cb(context_.get(), &keep_session);
        }
    }
    if (!order_.tokens.empty()) {
        tokens_ = lines_of(order_.tokens);
    }
    request_ = request_with(tokens_.empty() ? std::string() : tokens_.front());
}

int Clients::keep_session(SSL* tls, SSL_SESSION* session) {
    auto* self = static_cast<Clients*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
    self->session_.reset(session);
    return 1;
}

std::string Clients::request_with(const std::string& token) const {
    const std::string body = question(order_.body, order_.stream);
    std::string request = "POST " + order_.path + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!token.empty()) {
        request.append("Authorization: Bearer ").append(token).append("\r\n");
    }
    for (const std::string& header : order_.headers) {
        request.append(header).append("\r\n");
    }
    if (order_.fresh != Fresh::no) {
        request += "Connection: close\r\n";
    }
    request += "Content-Type: application/json\r\nContent-Length: ";
    return request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

void Clients::open() {
    if (order_.fresh != Fresh::no) {
        for (Client& client : clients_) {
            idle_.push_back(&client);
        }
        return;
    }
    std::size_t dialled = 0;
    while (idle_.size() < clients_.size()) {
        for (; dialled < clients_.size() && dialled < idle_.size() + kDialledAtATime; ++dialled) {
            dial(clients_[dialled]);
        }
        turn(Clock::now() + kPatience);
    }
}

Count Clients::run() {
    running_ = true;
    begun_ = Clock::now();
    ask_those_due();
    while (may_ask() || under_way_ > 0) {
        turn(may_ask() && !idle_.empty() ? due() : Clock::now() + kPatience);
        ask_those_due();
    }
    running_ = false;
    count_.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    return count_;
}

void Clients::turn(Clock::time_point until) {
    const auto ready = poller_.wait(until);
    if (ready.empty() && until >= begun_ + kPatience && Clock::now() >= until) {
        throw std::runtime_error("the proxy has not said anything for a minute");
    }
    for (const epoll_event& event : ready) {
        auto& client = *static_cast<Client*>(event.data.ptr);
        if (client.state == State::idle && (event.events & (EPOLLRDHUP | EPOLLHUP)) != 0) {
            client.socket = Socket();
            client.state = State::closed;
            ++count_.reopened;
        }
        advance(client);
    }
}

bool Clients::may_ask() const {
    if (order_.requests > 0) {
        return asked_ < order_.requests;
    }
    const double seconds =
        std::chrono::duration<double>((order_.rate > 0 ? due() : Clock::now()) - begun_).count();
    return seconds < order_.seconds;
}

Clock::time_point Clients::due() const {
    return order_.rate > 0 ? begun_ + in_seconds(static_cast<double>(asked_) / order_.rate)
                           : Clock::time_point();
}

void Clients::ask_those_due() {
    while (!idle_.empty() && may_ask()) {
        const Clock::time_point now = Clock::now();
        const Clock::time_point when = order_.rate > 0 ? due() : now;
        if (when > now) {
            return;
        }
        Client& client = *idle_.front();
        idle_.pop_front();
        ask(client, when);
    }
}

void Clients::ask(Client& client, Clock::time_point due) {
    ++asked_;
    ++under_way_;
    client.asks = true;
    client.begun = due;
    client.sent = 0;
    client.answer = Message();
    client.request = request_;
    if (tokens_.size() > 1) {
        client.own_request = request_with(tokens_[next_token_++ % tokens_.size()]);
        client.request = client.own_request;
    }
    if (client.state == State::closed) {
        dial(client);
    } else {
        client.state = State::sending;
    }
    advance(client);
}

void Clients::dial(Client& client) {
    client.socket = Socket::dial(order_.port, context_.get());
    client.state = State::connecting;
    if (session_) {
        SSL_set_session(client.socket.tls(), session_.get());
    }
    poller_.add(client.socket.descriptor(), &client);
}

void Clients::advance(Client& client) {
    bool goes_on = true;
    while (goes_on) {
        switch (client.state) {
            case State::connecting:
                goes_on = connect(client);
                break;
            case State::sending:
                goes_on = send(client);
                break;
            case State::reading:
                goes_on = read(client);
                break;
            case State::idle:
            case State::closed:
                goes_on = false;
                break;
        }
    }
}

bool Clients::connect(Client& client) {
    const Io how = client.socket.connect();
    if (how == Io::closed) {
        lose(client);
        return false;
    }
    if (how == Io::would_block) {
        return false;
    }
    if (client.socket.tls() != nullptr && SSL_session_reused(client.socket.tls()) == 1) {
        ++count_.resumed;
    }
    if (client.asks) {
        client.state = State::sending;
        return true;
    }
    rest(client);
    return false;
}

void Clients::rest(Client& client) {
    client.state = client.socket.is_open() ? State::idle : State::closed;
    idle_.push_back(&client);
}

bool Clients::send(Client& client) {
    const Moved moved = client.socket.write(client.request.substr(client.sent));
    client.sent += moved.bytes;
    if (moved.how == Io::closed) {
        lose(client);
    } else if (client.sent == client.request.size()) {
        client.state = State::reading;
    }
    return moved.how == Io::done;
}

bool Clients::read(Client& client) {
    const Moved moved = client.socket.read(buffer_);
    if (moved.how == Io::would_block) {
        return false;
    }
    if (moved.how == Io::closed) {
        client.answer.close();
    } else {
        client.answer.take({buffer_.data(), moved.bytes});
    }
    if (client.answer.done()) {
        finish(client);
        return false;
    }
    if (client.answer.broken()) {
        lose(client);
        return false;
    }
    return true;
}

void Clients::finish(Client& client) {
    const Message& answer = client.answer;
    const bool whole = (order_.length == 0 || answer.body_bytes() == order_.length) &&
                       (order_.events == 0 || answer.events() == order_.events);
    count_.body_bytes += answer.body_bytes();
    count_.events += answer.events();
    if (answer.status() != 200) {
        ++count_.status;
    } else if (!whole) {
        ++count_.content;
    } else {
        ++count_.requests;
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - client.begun);
        count_.latencies.push_back(static_cast<std::uint32_t>(took.count()));
    }
    if (order_.fresh != Fresh::no || !answer.keeps_alive()) {
        client.socket = Socket();
    }
    client.asks = false;
    --under_way_;
    rest(client);
}

void Clients::lose(Client& client) {
    if (!client.asks) {
        throw std::runtime_error("the proxy refuses a connection");
    }
    ++count_.broken;
    if (count_.broken > 1000) {
        throw std::runtime_error("the proxy breaks off a thousand answers");
    }
    client.socket = Socket();
    client.asks = false;
    --under_way_;
    rest(client);
}

}  // namespace rotary::bench
