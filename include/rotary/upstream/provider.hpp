#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/net/dialer.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/pieces.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::upstream {

// The Backend's own limits are in the way: not the provider's fault, so that no entry suffers
// for it.
inline constexpr Fault kNoRoom{FaultKind::overloaded, Origin::internal, Retry::next_entry,
                               "The provider's connections are all in use."};

// Whose try it is, and how long it may take.
struct Terms {
    const config::Config* config = nullptr;   // lives as long as the try
    net::WaitFor wait;                        // ends with the client and at the request's deadline
    std::chrono::milliseconds first_byte{0};  // of the Backend; 0: timeouts.first_byte
    bool is_head = false;                     // an answer to HEAD has no body
    bool may_resend = true;  // a connection that had served before and dies may be replaced
};

// How the body of a provider's answer ends.
enum class BodyEnd : std::uint8_t {
    none,    // there is no body
    sized,   // after `length` bytes
    unsized  // with its last chunk, or with the connection
};

// What is known of an answer once its head has come.
struct AnswerHead {
    std::uint16_t status = 0;
    BodyEnd body = BodyEnd::none;
    std::uint64_t length = 0;
    bool is_event_stream = false;  // by its Content-Type
    SteadyTime came{};
    SteadyTime answer_by{};  // when the provider's time for a first byte, or event, is over
};

// The provider's end of one try: the seam that its protocol stands behind. One worker's.
//
// A request is begun (begin_request), gets its target, its header lines, is started and sent, in
// one turn up to send(): its head lies in the worker's scratch. An answer's body can be looked at
// ahead (peek) as often as it is read on, and is then taken to be passed on.
class Provider {
public:
    // --- a connection

    // Begins a try at the bucket's Backend. True: it has a connection, or a place for one; false:
    // wait_for_place() gets one. Faults: kNoRoom.
    virtual Result<bool> begin(std::size_t bucket, const Terms& terms) = 0;
    // Waits until a connection comes back on this worker or a place becomes free on any. Faults:
    // kNoRoom, at once when too many wait already and else after timeouts.connect; client_gone,
    // draining; upstream_timeout (of origin internal) at the request's own deadline.
    virtual Task<Result<void>> wait_for_place() = 0;
    virtual bool is_connected() const noexcept = 0;
    // Dials, on the place that there is. Faults: the dialler's.
    virtual Task<Result<void>> connect(const net::Endpoint& endpoint) = 0;
    virtual bool is_reused() const noexcept = 0;  // the connection had served before
    virtual bool asked() const noexcept = 0;      // there was a connection to send the request on

    // --- the request

    // The head of a request, for the pieces of its target.
    virtual wire::HeadWriter begin_request(std::string_view method) = 0;
    virtual void end_target(wire::HeadWriter& head, std::string_view authority) = 0;
    // Behind the header lines; `length` of a body. False: the head does not fit.
    virtual bool start(wire::HeadWriter& head, std::optional<std::size_t> length) = 0;
    // True: the request has gone, or a final answer has come before it was through; false:
    // finish_send() waits for it, and the pieces must last as long.
    virtual bool send(wire::Pieces& pieces) = 0;
    // Faults: upstream_timeout, upstream_protocol_error, client_gone, draining.
    virtual Task<Result<void>> finish_send(wire::Pieces& pieces) = 0;

    // --- the answer

    // Reads the head, 1xx heads being dropped; it then stands parsed in the worker's scratch.
    // Faults: upstream_timeout, upstream_protocol_error, client_gone, draining; Retry::reused_only
    // when a fresh connection is worth another try.
    virtual Task<Result<void>> read_head() = 0;
    virtual void reread_head() = 0;  // parses it once more, after a wait
    const AnswerHead& answer() const noexcept { return answer_; }

    // The next run of payload that has come, each once; empty: there is no more at hand. Faults:
    // upstream_protocol_error on malformed framing.
    virtual Result<std::string_view> peek() = 0;
    virtual bool peeked_all() const noexcept = 0;  // up to the end of the body
    // All payload at hand, put together in `space`.
    virtual std::string_view payload_at_hand(std::string& space) const = 0;
    virtual bool is_full() noexcept = 0;  // no more of it comes in before some of it is taken

    // The payload that has come, as far as there is room for its pieces. Faults: as peek(); what
    // stood before the bad byte comes first.
    virtual Result<void> take(wire::Pieces& pieces) = 0;
    virtual bool took_all() const noexcept = 0;
    virtual bool drop_taken() noexcept = 0;  // after it was sent; true: there is more at hand

    // Reads what has come, `most` bytes of it. False: nothing has. Faults: upstream_protocol_error:
    // the answer broke off.
    virtual Result<bool> receive(std::size_t most) = 0;
    virtual void watch(net::WaitFor& wait) noexcept = 0;  // for more of it
    virtual void rest() noexcept = 0;  // needs no buffer until more comes: nothing is at hand
    // receive() as soon as there is something, up to `deadline`. Faults: its own, upstream_timeout,
    // client_gone, draining.
    virtual Task<Result<void>> read(SteadyTime deadline) = 0;

    // --- the end

    // The connection broke: it goes, and its place stays, for connect().
    virtual void hang_up() noexcept = 0;
    // Gives the connection back when its answer has come to its end and left nothing; else it is
    // closed.
    virtual void release() noexcept = 0;
    virtual void abandon() noexcept = 0;  // closes it

protected:
    ~Provider() = default;
    AnswerHead answer_;
};

}  // namespace rotary::upstream
