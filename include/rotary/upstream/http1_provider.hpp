#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/upstream/provider.hpp>
#include <rotary/upstream/upstream_pool.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/scratch.hpp>

#include <cstddef>

namespace rotary::upstream {

// What tries use of their worker, which owns all of it.
struct Services {
    net::Reactor& reactor;
    BufferPool& buffers;
    wire::Scratch& scratch;
    net::Dialer& dialer;
    UpstreamPool& pool;
};

// A provider that speaks HTTP/1.1 (RFC 9112): a connection serves one request after the other, in
// between it waits in the pool. Lives as long as a request, for all of its tries.
class Http1Provider final : public Provider {
public:
    explicit Http1Provider(Services& services) noexcept : services_(services) {}
    Http1Provider(const Http1Provider&) = delete;
    Http1Provider& operator=(const Http1Provider&) = delete;

    Result<bool> begin(std::size_t bucket, const Terms& terms) override;
    Task<Result<void>> wait_for_place() override;
    bool is_connected() const noexcept override { return static_cast<bool>(connection_); }
    Task<Result<void>> connect(const net::Endpoint& endpoint) override;
    bool is_reused() const noexcept override { return reused_; }
    bool asked() const noexcept override { return asked_; }

    wire::HeadWriter begin_request(std::string_view method) override;
    void end_target(wire::HeadWriter& head, std::string_view authority) override;
    bool start(wire::HeadWriter& head, std::optional<std::size_t> length) override;
    bool send(wire::Pieces& pieces) override;
    Task<Result<void>> finish_send(wire::Pieces& pieces) override;

    Task<Result<void>> read_head() override;
    void reread_head() override;
    Result<std::string_view> peek() override;
    bool peeked_all() const noexcept override { return peek_reader_.done() || ended_; }
    std::string_view payload_at_hand(std::string& space) const override;
    bool is_full() noexcept override;
    Result<void> take(wire::Pieces& pieces) override;
    bool took_all() const noexcept override {
        return body_.done() || (ended_ && taken_ == in_.size());
    }
    bool drop_taken() noexcept override;
    Result<bool> receive(std::size_t most) override;
    void watch(net::WaitFor& wait) noexcept override { wait.read = &connection_->descriptor(); }
    void rest() noexcept override { in_.reset(); }
    Task<Result<void>> read(SteadyTime deadline) override;

    void hang_up() noexcept override;
    void release() noexcept override;
    void abandon() noexcept override;

private:
    const config::Timeouts& timeouts() const noexcept { return terms_.config->timeouts; }
    const config::Limits& limits() const noexcept { return terms_.config->limits; }
    net::WaitFor wait_until(SteadyTime deadline) const noexcept;
    Result<void> begin_use();
    void forget_answer() noexcept;
    enum class Sent : std::uint8_t { all, some, answered };
    Sent send_on(wire::Pieces& pieces);
    wire::HeadLimits head_limits() const noexcept;
    Result<bool> take_head();
    bool merge(wire::Pieces& pieces, std::string_view payload) noexcept;
    bool make_room();
    net::IoResult read_on(std::size_t most);  // into the space that in_ has
    Fault broken(const char* detail) const;
    // Why a wait brought nothing: its client or the process went, or it was `late`. Nothing: it
    // did.
    static std::optional<Fault> brought_nothing(net::Wake wake, const char* late) noexcept;
    // Follows `reader` through what stands behind the head and adds the payload to `payload`, if
    // there is one. Returns where it ended: at the end of what came, or before a malformed byte.
    std::size_t walk(wire::BodyReader& reader, std::string* payload) const;

    Services& services_;
    Terms terms_;
    std::size_t bucket_ = 0;  // of the pool, where the connection may go back to
    UpstreamConnection connection_;
    bool reused_ = false;
    bool asked_ = false;
    std::string_view head_;      // of a request that was started and not yet sent, in the scratch
    bool request_sent_ = false;  // all of it: else the connection can't be used again
    SteadyTime sent_at_{};       // when the request began to go

    // The answer's head and the first bytes of its body stand in in_.
    Buffer in_;
    std::size_t head_bytes_ = 0;  // 0: not all of it has come, or it was dropped
    wire::HeadEnd head_end_;      // how far its end was looked for
    std::size_t interim_ = 0;     // 1xx heads that came before it
    bool keep_alive_ = false;
    bool is_long_ = false;  // the last read filled the buffer
    bool ended_ = false;    // a body without framing: the connection ended properly
    wire::BodyReader body_;
    std::size_t taken_ = 0;         // bytes that take() has handed out
    wire::BodyReader peek_reader_;  // how far peek() has come
    std::size_t peeked_ = 0;        // bytes behind the head
};

}  // namespace rotary::upstream
