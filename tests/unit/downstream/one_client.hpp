#pragma once

#include <rotary/downstream/http1_connection.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/far_end.hpp"
#include "support/running.hpp"

namespace rotary::downstream {

// What came of waiting for a request.
enum class Asked { request, refused, nothing };

// A worker of its own with one client, who is the test. What the configuration says is changed
// before the client speaks.
struct OneClient {
    // `read_bytes`: of the buffer that a head, and what fits behind it, is read into.
    explicit OneClient(std::size_t read_bytes = 32768);

    template <class T>
    T run(Task<T> task) {
        return test::run(reactor, std::move(task));
    }
    void say(std::string_view text) const { client.say(test::with_crlf(text)); }
    std::string hear() { return test::without_cr(client.hear()); }

    // The handshake of a connection without TLS, which is none.
    void connect();
    // The next request of a connection, this client's or another's; `refusal` says why it is none.
    Task<Asked> wait(Http1Connection& from);
    Asked next() { return run(wait(connection)); }
    // A client that has connected says this, and it is read as far as its head goes.
    Asked ask(std::string_view text);

    // Puts an answer's head together; it goes with what is written first. False: it does not fit.
    bool start(AnswerBody body, std::string_view header_lines = "", std::uint16_t status = 200,
               std::string_view reason = "OK");
    // One write of an answer, which the client must take at once.
    void write(const std::vector<std::string>& payload, bool is_last, const std::string& kept = "");
    // An answer without a body, heard; the request is over then.
    std::string answer();
    bool finish(FaultKind kind = FaultKind::none);
    // The connection's end of the socket will send RST and drop what it has not sent.
    bool is_aborted() const;

    MemoryBudget memory{std::size_t{1} << 30};
    BufferPool buffers;
    net::Reactor reactor;
    net::SessionSet sessions{reactor};
    wire::Scratch scratch;
    config::Config config;
    Services services{reactor, buffers, sessions, scratch, &config};
    test::FarEnd client;
    Request request;
    Fault refusal;
    std::chrono::nanoseconds waited{0};
    Http1Connection connection{services, client.near(), nullptr};
};

}  // namespace rotary::downstream
