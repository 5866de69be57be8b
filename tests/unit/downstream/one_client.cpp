#include "unit/downstream/one_client.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

namespace rotary::downstream {

namespace {

BufferPool::Limits reading(std::size_t bytes) {
    BufferPool::Limits limits;
    limits.read_bytes = bytes;
    return limits;
}

}  // namespace

OneClient::OneClient(std::size_t read_bytes) : buffers(reading(read_bytes), &memory) {
    scratch.head.resize(65536);
}

void OneClient::connect() {
    EXPECT_FALSE(run(connection.handshake()).has_value());
    test::settle(reactor);
}

Task<Asked> OneClient::wait(Http1Connection& from) {
    const bool has_come = co_await from.wait();
    if (!has_come) co_return Asked::nothing;
    const auto begun = from.begin(request, waited);
    if (begun) co_return Asked::request;
    refusal = begun.error();
    co_return Asked::refused;
}

Asked OneClient::ask(std::string_view text) {
    connect();
    say(text);
    return next();
}

bool OneClient::start(AnswerBody body, std::string_view header_lines, std::uint16_t status,
                      std::string_view reason) {
    wire::HeadWriter head = connection.begin_answer(status, reason);
    head.append(test::with_crlf(header_lines));
    return connection.start(head, body);
}

void OneClient::write(const std::vector<std::string>& payload, bool is_last,
                      const std::string& kept) {
    wire::Pieces pieces;
    pieces.set_kept(kept);
    for (const std::string& piece : payload) pieces.add(piece);
    const auto written = connection.write(pieces, is_last);
    ASSERT_TRUE(written.has_value());
    EXPECT_TRUE(*written) << "some of it was not taken";
}

std::string OneClient::answer() {
    EXPECT_TRUE(start(AnswerBody::none, "", 204, "None"));
    write({}, true);
    return hear();
}

bool OneClient::finish(FaultKind kind) {
    Fault fault;
    fault.kind = kind;
    const After after = connection.end(fault);
    return after == After::unread ? run(connection.drop_rest()) : after == After::next;
}

bool OneClient::is_aborted() const {
    linger how{};
    socklen_t size = sizeof how;
    EXPECT_EQ(::getsockopt(client.near(), SOL_SOCKET, SO_LINGER, &how, &size), 0);
    return how.l_onoff == 1 && how.l_linger == 0;
}

}  // namespace rotary::downstream
