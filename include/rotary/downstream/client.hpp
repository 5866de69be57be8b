#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/pieces.hpp>

#include <cstdint>
#include <string_view>

namespace rotary::downstream {

// How the body of an answer ends.
enum class AnswerBody : std::uint8_t {
    none,    // there is none, whatever length its head tells
    sized,   // after the bytes of the content-length line among its header lines
    unsized  // with its last write: streams, and what the provider told no length of
};

// The client's end of one exchange: the seam that its protocol stands behind. One worker's.
//
// An answer is begun (begin_answer), gets its header lines, is started and then written piece by
// piece, in one turn up to its first write: its head lies in the worker's scratch. One that was
// begun and not yet written may be begun anew.
class Client {
public:
    // Makes a wait end when the client goes.
    virtual void watch(net::WaitFor& wait) noexcept = 0;

    // The request's header lines once more in the worker's scratch, after a wait. Faults: those of
    // its head, which there can be none of the second time.
    virtual Result<void> reread_head() = 0;

    // Whether the whole body has come, or there is none: then it stands in the request, and nothing
    // is waited for.
    virtual bool take_body_at_hand() noexcept = 0;
    // Reads the body to its end. Faults: request_too_large, bad_request, request_timeout,
    // overloaded, client_gone.
    virtual Task<Result<void>> read_body() = 0;

    // The head of an answer, for its header lines; those that the protocol itself needs are not
    // among them.
    virtual wire::HeadWriter begin_answer(std::uint16_t status, std::string_view reason) = 0;
    // False: the head does not fit.
    virtual bool start(wire::HeadWriter& head, AnswerBody body) = 0;
    // Writes a payload, which may be empty. True: all of it has gone; false: finish_write() waits
    // for the client to take the rest, and the pieces must last as long. Faults: client_gone.
    virtual Result<bool> write(wire::Pieces& pieces, bool is_last) = 0;
    virtual Task<Result<void>> finish_write(wire::Pieces& pieces) = 0;
    virtual std::uint64_t bytes_sent() const noexcept = 0;

    // What comes behind this request can't be trusted, or its answer was broken off: no other
    // request follows on the connection.
    virtual void close_after() noexcept = 0;

protected:
    ~Client() = default;
};

}  // namespace rotary::downstream
