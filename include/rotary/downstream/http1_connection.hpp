#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/downstream/client.hpp>
#include <rotary/downstream/handshakes.hpp>
#include <rotary/downstream/request.hpp>
#include <rotary/net/peer_address.hpp>
#include <rotary/net/session_set.hpp>
#include <rotary/net/stream.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/proxy_protocol.hpp>
#include <rotary/wire/scratch.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace rotary::downstream {

// What clients' connections use of their worker, which owns all of it.
struct Services {
    net::Reactor& reactor;
    BufferPool& buffers;
    net::SessionSet& sessions;
    wire::Scratch& scratch;
    const config::Config* config = nullptr;  // in force; replaced when another one is published
};

// What is left of a connection behind an answer.
enum class After : std::uint8_t {
    next,   // another request may follow
    over,   // nothing
    unread  // bytes of the request that still come: drop_rest() reads them
};

// A client that speaks HTTP/1.1 or 1.0 (RFC 9112), with or without TLS: its requests one after the
// other, each answered before the next is read. Owned by the session, on its worker's thread.
class Http1Connection final : public Client {
public:
    // Takes `fd` over; `tls` is null for plaintext and outlives the connection.
    Http1Connection(Services& services, int fd, const net::TlsContext* tls);
    Http1Connection(const Http1Connection&) = delete;
    Http1Connection& operator=(const Http1Connection&) = delete;

    // Nothing: it may ask. A client that spoke plain HTTP may too, and is told so: what it asks is
    // refused by begin().
    Task<std::optional<HandshakeFailure>> handshake();

    // Waits for a request, of which nothing but its bytes is there then. False: the connection is
    // over.
    Task<bool> wait();
    // Behind wait(): writes it into `request`; `waited` gets the time that is waited for this
    // client from then on. Both must last until end(). The configuration that is in force when its
    // head has come holds for all of it: its owner keeps that alive as long. A fault: what came is
    // no request; it gets an answer, and the connection ends.
    Result<void> begin(Request& request, std::chrono::nanoseconds& waited);

    // After the answer, which ended with `fault`: makes the connection ready for another request.
    After end(const Fault& fault) noexcept;
    // After `unread`. True: another request may follow.
    Task<bool> drop_rest();
    // A proper end, unless the last answer broke off.
    void shutdown() noexcept;

    // The connection's other end, or what a trusted proxy said of it.
    std::string_view client_address() noexcept;

    void watch(net::WaitFor& wait) noexcept override { wait.client = &stream_.descriptor(); }
    Result<void> reread_head() override;
    bool take_body_at_hand() noexcept override;
    Task<Result<void>> read_body() override;
    wire::HeadWriter begin_answer(std::uint16_t status, std::string_view reason) override;
    bool start(wire::HeadWriter& head, AnswerBody body) override;
    Result<bool> write(wire::Pieces& pieces, bool is_last) override;
    Task<Result<void>> finish_write(wire::Pieces& pieces) override;
    std::uint64_t bytes_sent() const noexcept override { return bytes_sent_; }
    void close_after() noexcept override { keep_alive_ = false; }

private:
    const config::Config& config() const noexcept {
        return config_ != nullptr ? *config_ : *services_.config;
    }
    const config::Timeouts& timeouts() const noexcept { return config().timeouts; }
    const config::Limits& limits() const noexcept { return config().limits; }
    net::WaitFor wait_until(SteadyTime deadline) noexcept;

    enum class Head : std::uint8_t { whole, part, refused, lost };
    Head look_for_head(wire::HeadEnd& end);
    bool may_wait() const noexcept;
    void begin_refusal(Request& request, std::chrono::nanoseconds& waited) noexcept;
    void start_over(Request& request, std::chrono::nanoseconds& waited) noexcept;
    Result<void> parse_head();
    HandshakeFailure proxy_failure(HandshakeEnd end, const char* detail) noexcept;
    void come_from(const IpAddress& origin) noexcept;
    bool is_from_trusted_proxy() noexcept;
    wire::ProxyHeader::State take_proxy_header(net::IoStatus& status) noexcept;
    Task<std::optional<HandshakeFailure>> hear_proxy(SteadyTime deadline);
    void take_told_address(Request& request) noexcept;
    Task<void> linger();

    Task<Result<std::size_t>> read_more(std::span<char> space, SteadyTime deadline);
    SteadyTime body_deadline() const noexcept;
    SteadyTime gap_deadline(SteadyTime total) const noexcept;
    Result<void> make_room(std::size_t needed, std::size_t whole);
    Result<void> reserve(std::size_t more);
    Result<std::size_t> unwrap(wire::BodyReader& reader, std::string_view raw);
    Task<Result<void>> read_sized(SteadyTime total);
    Task<Result<void>> read_chunked(SteadyTime total);
    bool can_discard_body() const noexcept;
    Task<bool> discard_body();

    void frame(wire::Pieces& pieces, bool is_last);
    Result<bool> write_on(wire::Pieces& pieces);

    // How the bytes of an answer's body go.
    enum class Wrapping : std::uint8_t {
        as_is,    // by its length, or none at all
        chunked,  // each write is one chunk
        bare      // HTTP/1.0 client: the end of the connection is the end
    };

    Services& services_;
    net::Stream stream_;
    net::SessionSet::Node node_;
    std::optional<IpAddress> origin_;  // the other end, or what a trusted proxy said of it
    IpAddressText address_space_{};
    std::string_view address_;            // the same as text
    IpAddressText told_address_space_{};  // of a request's, by its header
    SteadyTime oldest_;                   // the next answer after that closes the connection

    // The request's head and, when it fits, its body stand at the front of in_, which is not moved
    // until the exchange is over.
    Buffer in_;
    std::size_t head_bytes_ = 0;
    std::size_t body_bytes_in_ = 0;  // of the body, framing included, at the front of in_
    bool body_complete_ = false;     // nothing of this request is still to be read
    wire::Framing framing_ = wire::Framing::none;
    std::uint8_t minor_version_ = 1;
    bool keep_alive_ = true;
    bool expect_continue_ = false;
    Fault refusal_;  // why what has come is no request
    Request* request_ = nullptr;
    std::chrono::nanoseconds* waited_ = nullptr;
    const config::Config* config_ = nullptr;  // of the exchange that is going on

    std::string_view head_;  // of an answer that was started and not yet written, in the scratch
    Wrapping wrapping_ = Wrapping::as_is;
    std::array<char, 20> chunk_size_;
    std::uint64_t bytes_sent_ = 0;
    bool is_cut_ = false;  // the last answer broke off: no proper end of the connection either
};

}  // namespace rotary::downstream
