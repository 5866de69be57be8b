#include <rotary/downstream/http1_connection.hpp>

#include <charconv>

// Answers: their heads, and how their bodies are framed (RFC 9112 section 6).
namespace rotary::downstream {

wire::HeadWriter Http1Connection::begin_answer(std::uint16_t status, std::string_view reason) {
    std::vector<char>& space = services_.scratch.head;
    wire::HeadWriter head(space.data(), space.size());
    head.status_line(status, reason);
    return head;
}

bool Http1Connection::start(wire::HeadWriter& head, AnswerBody body) {
    wrapping_ = Wrapping::as_is;
    if (body == AnswerBody::unsized) {
        wrapping_ = minor_version_ == 0 ? Wrapping::bare : Wrapping::chunked;
    }
    if (wrapping_ == Wrapping::bare || services_.sessions.draining() || !can_discard_body()) {
        keep_alive_ = false;
    }
    if (!keep_alive_) {
        head.append("connection: close\r\n");
    } else if (minor_version_ == 0) {
        head.append("connection: keep-alive\r\n");  // without it HTTP/1.0 waits for the end
    }
    if (wrapping_ == Wrapping::chunked) head.append("transfer-encoding: chunked\r\n");
    head.finish();
    head_ = head.view();
    return head.ok();
}

void Http1Connection::frame(wire::Pieces& pieces, bool is_last) {
    pieces.set_head(std::exchange(head_, {}));
    if (wrapping_ != Wrapping::chunked) return;
    if (const std::size_t payload = pieces.payload_bytes(); payload > 0) {
        char* const end =
            std::to_chars(chunk_size_.data(), chunk_size_.data() + 16, payload, 16).ptr;
        end[0] = '\r';
        end[1] = '\n';
        pieces.set_frame({chunk_size_.data(), static_cast<std::size_t>(end + 2 - &chunk_size_[0])});
        pieces.add_end("\r\n");
    }
    if (is_last) pieces.add_end("0\r\n\r\n");
}

Result<bool> Http1Connection::write(wire::Pieces& pieces, bool is_last) {
    frame(pieces, is_last);
    return write_on(pieces);
}

Result<bool> Http1Connection::write_on(wire::Pieces& pieces) {
    const net::IoResult written = stream_.write_some(pieces.all());
    if (written.status == net::IoStatus::error) return Fault::client(FaultKind::client_gone);
    bytes_sent_ += written.bytes;
    pieces.drop_front(written.bytes);
    return pieces.empty() && !stream_.has_pending();
}

Task<Result<void>> Http1Connection::finish_write(wire::Pieces& pieces) {
    Buffer kept;  // of the head, before the scratch is written over
    for (;;) {
        pieces.keep_head(kept, services_.buffers);
        net::WaitFor what = wait_until(services_.reactor.now() + timeouts().write_stall);
        what.write = &stream_.descriptor();
        what.client = &stream_.descriptor();  // a client that hangs up reads no more
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (wake != net::Wake::ready) co_return Fault::client(FaultKind::client_gone);
        const auto written = write_on(pieces);
        if (!written) co_return written.error();
        if (*written) co_return Result<void>{};
    }
}

}  // namespace rotary::downstream
