#include <rotary/net/stream.hpp>

#include "rest_of.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rotary::net {

namespace {

constexpr std::size_t kPiecesASend = 32;
constexpr std::size_t kLargestPending = 128u << 10;  // a scratch of records and some answers to it

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

Fault write_fault(Wake wake) noexcept {
    switch (wake) {
        case Wake::timed_out:
            return Fault::upstream(FaultKind::upstream_timeout, "write timed out");
        case Wake::peer_gone:
            return Fault::client(FaultKind::client_gone, "client hung up");
        default:
            return Fault::internal(FaultKind::draining, "write cancelled");
    }
}

}  // namespace

Stream::Stream(Reactor& reactor, BufferPool& buffers, int fd, const Role& role)
    : descriptor_(reactor, fd), buffers_(buffers) {
    if (role.tls != nullptr) take_role(role);
}

void Stream::fail() noexcept {
    read_end_ = IoStatus::error;
    write_failed_ = true;
}

IoResult Stream::peek(std::span<char> space) noexcept {
    if (!descriptor_.readable()) return {IoStatus::would_block, 0};
    ssize_t got = -1;
    do {
        got = ::recv(descriptor_.fd(), space.data(), space.size(), MSG_PEEK);
    } while (got < 0 && errno == EINTR);
    const std::size_t bytes = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (bytes > peeked_) {
        peeked_ = bytes;
        return {IoStatus::ok, bytes};
    }
    const bool may_wait = got > 0 || (got < 0 && would_block(errno));
    if (!may_wait || descriptor_.hung_up()) return {IoStatus::end, 0};
    descriptor_.clear_readable();
    return {IoStatus::would_block, 0};
}

void Stream::skip(std::size_t bytes) noexcept {
    std::array<char, 512> space;
    while (bytes > 0) {
        const ssize_t got =
            ::recv(descriptor_.fd(), space.data(), std::min(bytes, space.size()), 0);
        if (got <= 0) return;  // none of what was there goes away
        bytes -= static_cast<std::size_t>(got);
    }
    peeked_ = 0;
}

IoResult Stream::read_some(char* data, std::size_t size) noexcept {
    if (read_end_ != IoStatus::ok) return {read_end_, 0};
    if (size == 0) return {IoStatus::ok, 0};
    Reactor& reactor = descriptor_.reactor();
    if (!descriptor_.readable() || reactor.turn_is_over()) return {IoStatus::would_block, 0};
    size = std::min(size, reactor.turn().limits().bytes);
    const IoResult result = ssl_ == nullptr ? read_plain(data, size) : read_tls(data, size);
    reactor.turn().spend(result.bytes);
    return result;
}

IoResult Stream::read_plain(char* data, std::size_t size) noexcept {
    for (;;) {
        const ssize_t got = ::recv(descriptor_.fd(), data, size, 0);
        if (got > 0) {
            const auto bytes = static_cast<std::size_t>(got);
            if (bytes < size) descriptor_.clear_readable();
            return {IoStatus::ok, bytes};
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && would_block(errno) && !descriptor_.hung_up()) {
            descriptor_.clear_readable();
            return {IoStatus::would_block, 0};
        }
        read_end_ = got == 0 ? IoStatus::end : IoStatus::error;
        return {read_end_, 0};
    }
}

IoResult Stream::write_some(std::span<const std::string_view> pieces) noexcept {
    if (write_failed_) return {IoStatus::error, 0};
    Reactor& reactor = descriptor_.reactor();
    if (reactor.turn_is_over()) return {IoStatus::would_block, 0};
    const IoResult result = ssl_ == nullptr ? write_plain(pieces) : write_tls(pieces);
    reactor.turn().spend(result.bytes);
    return result;
}

IoResult Stream::write_plain(std::span<const std::string_view> pieces) noexcept {
    std::array<iovec, kPiecesASend> vectors;
    std::size_t count = 0;
    std::size_t total = 0;
    for (const std::string_view piece : pieces) {
        if (count == vectors.size()) break;
        if (piece.empty()) continue;
        vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
        total += piece.size();
    }
    if (count == 0) return {IoStatus::ok, 0};
    if (!descriptor_.writable()) return {IoStatus::would_block, 0};

    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && would_block(errno)) {
        descriptor_.clear_writable();
        return {IoStatus::would_block, 0};
    }
    if (sent < 0) {
        write_failed_ = true;
        return {IoStatus::error, 0};
    }
    const auto bytes = static_cast<std::size_t>(sent);
    if (bytes < total) descriptor_.clear_writable();
    return {IoStatus::ok, bytes};
}

long Stream::send_now(const char* data, std::size_t size) noexcept {
    std::size_t done = 0;
    while (done < size && descriptor_.writable()) {
        const ssize_t sent = ::send(descriptor_.fd(), data + done, size - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && !would_block(errno)) {
            write_failed_ = lost_ = true;
            return -1;
        }
        if (sent > 0) done += static_cast<std::size_t>(sent);
        if (done < size) descriptor_.clear_writable();
    }
    return static_cast<long>(done);
}

IoStatus Stream::flush() noexcept {
    if (write_failed_) return IoStatus::error;
    if (pending_.empty()) return IoStatus::ok;
    const long sent = send_now(pending_.begin(), pending_.size());
    if (sent < 0) return IoStatus::error;
    pending_.consume(static_cast<std::size_t>(sent));
    if (!pending_.empty()) return IoStatus::would_block;
    pending_.reset();
    return IoStatus::ok;
}

bool Stream::keep_pending(std::string_view bytes) noexcept {
    const std::size_t wanted = pending_.size() + bytes.size();
    if (wanted > kLargestPending) return false;
    if (pending_.space_size() < bytes.size() && pending_.capacity() >= wanted) pending_.compact();
    if (pending_.space_size() < bytes.size()) {
        Buffer larger = buffers_.body(wanted);
        if (!pending_.empty()) {
            std::memcpy(larger.space(), pending_.begin(), pending_.size());
        }
        larger.produced(pending_.size());
        pending_ = std::move(larger);
    }
    std::memcpy(pending_.space(), bytes.data(), bytes.size());
    pending_.produced(bytes.size());
    return true;
}

// Writes what follows the first `done` bytes, as far as the views of one send reach.
IoResult Stream::write_rest(std::span<const std::string_view> pieces, std::size_t done) noexcept {
    std::array<std::string_view, kPiecesASend> rest;
    return write_some({rest.data(), rest_of(pieces, done, rest)});
}

Task<Result<void>> Stream::write_all(std::span<const std::string_view> pieces, WaitFor limits) {
    std::size_t total = 0;
    for (const std::string_view piece : pieces) total += piece.size();
    limits.read = nullptr;
    limits.event = nullptr;
    limits.write = &descriptor_;
    std::size_t done = 0;
    for (;;) {
        IoStatus status = IoStatus::ok;
        if (done < total) {
            const IoResult written = write_rest(pieces, done);
            done += written.bytes;
            status = written.status;
        } else {
            status = flush();
            if (status == IoStatus::ok) co_return Result<void>();
        }
        if (status == IoStatus::ok) continue;
        if (status != IoStatus::would_block) {
            const Fault fault = Fault::upstream(FaultKind::upstream_connect_failed, "write failed");
            co_return fault;
        }
        const Wake wake = co_await descriptor_.reactor().wait(limits);
        if (wake != Wake::ready) {
            const Fault fault = write_fault(wake);
            co_return fault;
        }
    }
}

void Stream::abort() noexcept {
    const linger reset{1, 0};
    ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    aborted_ = true;
    fail();
}

}  // namespace rotary::net
