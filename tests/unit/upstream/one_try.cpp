#include "unit/upstream/one_try.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace rotary::upstream {

namespace {

BufferPool::Limits reading(std::size_t bytes) {
    BufferPool::Limits limits;
    limits.read_bytes = bytes;
    return limits;
}

}  // namespace

OneTry::OneTry(const rotation::BackendLimits& limits, std::size_t read_bytes)
    : buffers(reading(read_bytes)), bucket(pool.hold("a", state, limits)) {
    scratch.head.resize(65536);
    terms.config = &config;
}

OneTry::~OneTry() {
    provider.abandon();
    pool.clear();
    test::settle(reactor);  // what watches over idle connections ends
}

void OneTry::pool_connection() {
    UpstreamConnection connection = pool.take(bucket, reactor.now());
    ASSERT_TRUE(connection.has_place());
    far.emplace();
    connection.open(
        std::make_unique<net::Stream>(reactor, buffers, far->near(), net::Stream::Role{}));
    test::settle(reactor);
    pool.put(bucket, std::move(connection), reactor.now());
    ASSERT_EQ(pool.idle(), 1U);
}

void OneTry::begin() {
    pool_connection();
    const auto begun = provider.begin(bucket, terms);
    ASSERT_TRUE(begun.has_value() && *begun);
    ASSERT_TRUE(provider.is_connected());
}

bool OneTry::send(std::string_view method, std::optional<std::string> payload) {
    wire::HeadWriter head = provider.begin_request(method);
    head.append("/x");
    provider.end_target(head, "a.test");
    std::optional<std::size_t> length;
    if (payload) length = payload->size();
    EXPECT_TRUE(provider.start(head, length));
    body = payload.value_or("");
    pieces.clear();
    pieces.add(body);
    return provider.send(pieces);
}

void OneTry::answer(std::string_view head, std::string_view payload, std::string_view method) {
    terms.is_head = method == "HEAD";
    begin();
    ASSERT_TRUE(send(method));
    say(std::string(head) + "\n");
    far->say(payload);
    ASSERT_EQ(read_head(), FaultKind::none) << head;
}

FaultKind OneTry::read_head() {
    const auto read = run(provider.read_head());
    return read ? FaultKind::none : read.error().kind;
}

}  // namespace rotary::upstream
