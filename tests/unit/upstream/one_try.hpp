#pragma once

#include <rotary/upstream/http1_provider.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/far_end.hpp"
#include "support/running.hpp"

namespace rotary::upstream {

// A worker of its own with one Backend, and one try at it; the test is the provider. What the
// configuration and the terms say is changed before the try begins.
struct OneTry {
    explicit OneTry(const rotation::BackendLimits& limits = {}, std::size_t read_bytes = 32768);
    ~OneTry();
    OneTry(const OneTry&) = delete;
    OneTry& operator=(const OneTry&) = delete;

    template <class T>
    T run(Task<T> task) {
        return test::run(reactor, std::move(task));
    }
    // Heads are written with bare line feeds.
    void say(std::string_view text) const { far->say(test::with_crlf(text)); }
    std::string hear() { return test::without_cr(far->hear()); }

    // A connection that has served before waits in the pool; its far end is the test's from then
    // on.
    void pool_connection();
    // The same, and the try has it.
    void begin();
    // A request of that method for /x of a.test, as far as it is taken at once. True: all of it.
    bool send(std::string_view method = "GET", std::optional<std::string> body = std::nullopt);
    // A connection, a request, and this as what comes for an answer, whose head is read.
    void answer(std::string_view head, std::string_view body = "", std::string_view method = "GET");
    FaultKind read_head();  // none: it was read

    BufferPool buffers;
    net::Reactor reactor;
    net::Resolver resolver;
    net::Dialer dialer{reactor, buffers, resolver, {}};
    std::shared_ptr<rotation::BackendState> state = std::make_shared<rotation::BackendState>();
    UpstreamPool pool{reactor, {}};
    std::size_t bucket;
    wire::Scratch scratch;
    config::Config config;
    Services services{reactor, buffers, scratch, dialer, pool};
    Terms terms;
    std::optional<test::FarEnd> far;
    std::string body;  // of the request
    wire::Pieces pieces;
    Http1Provider provider{services};
};

}  // namespace rotary::upstream
