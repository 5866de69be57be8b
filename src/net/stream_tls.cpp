// The TLS half of Stream: OpenSSL's calls, and the BIO between it and the socket.

#include <rotary/net/stream.hpp>
#include <rotary/net/tls.hpp>

#include "net/record_portions.hpp"
#include "net/tls_peer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace rotary::net {

namespace {

constexpr std::size_t kRecordOverhead = 512;
constexpr std::size_t kBatch = 4 * kMostRecordBytes + 4096;  // what one send may carry

// A thread's space for one SSL call or a few in a row; empty between two waits.
struct Scratch {
    std::array<char, kBatch> records;  // written by OpenSSL, to be sent
    std::size_t used = 0;
    std::array<char, kMostRecordBytes> gathered;  // small pieces put together for one record

    bool takes_a_record() const noexcept {
        return used + kMostRecordBytes + kRecordOverhead <= records.size();
    }
};

// OpenSSL takes an error that lies in the thread's queue for one of the call that follows.
// Looking costs a quarter of clearing, and there hardly ever is one.
void forget_errors() noexcept {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

Scratch& scratch() {
    thread_local const std::unique_ptr<Scratch> kInstance = std::make_unique<Scratch>();
    return *kInstance;
}

}  // namespace

// Reads go to the socket, but only while it is readable as far as we know: what OpenSSL asks for
// beyond that would be one EAGAIN a request. Writes go to the thread's scratch.
struct TlsBio {
    static Stream& stream(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* data, int size) {
        BIO_clear_retry_flags(bio);
        Descriptor& descriptor = stream(bio).descriptor_;
        while (descriptor.readable()) {
            const ssize_t got = ::recv(descriptor.fd(), data, static_cast<std::size_t>(size), 0);
            if (got > 0) {
                if (got < size) descriptor.clear_readable();
                if (stream(bio).first_byte_ < 0) {
                    stream(bio).first_byte_ = static_cast<unsigned char>(data[0]);
                }
                return static_cast<int>(got);
            }
            if (got < 0 && errno == EINTR) continue;
            if (got == 0) stream(bio).saw_eof_ = true;
            const bool blocked = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
            if (!blocked || descriptor.hung_up()) {
                stream(bio).lost_ = true;
                return static_cast<int>(got);
            }
            descriptor.clear_readable();
        }
        BIO_set_retry_read(bio);
        return -1;
    }

    static int write(BIO* bio, const char* data, int size) {
        BIO_clear_retry_flags(bio);
        Scratch& space = scratch();
        const std::size_t room = space.records.size() - space.used;
        const std::size_t taken = std::min(room, static_cast<std::size_t>(size));
        if (taken == 0) {
            BIO_set_retry_write(bio);
            return -1;
        }
        std::memcpy(space.records.data() + space.used, data, taken);
        space.used += taken;
        return static_cast<int>(taken);
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return stream(bio).saw_eof_ ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static int create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }

    static BIO_METHOD* method() {
        static BIO_METHOD* const kInstance = [] {
            BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rotary");
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            BIO_meth_set_create(made, create);
            return made;
        }();
        return kInstance;
    }
};

void Stream::take_role(const Role& role) noexcept {
    server_ = role.tls->is_server();
    if (server_) {
        server_context_ = role.tls->native();
        SSL_CTX_up_ref(server_context_);
        return;
    }
    start_tls(role.tls->native());
    if (ssl_ != nullptr && !expect_peer(ssl_, role.server_name)) fail();
    ERR_clear_error();
}

void Stream::start_tls(SSL_CTX* context) noexcept {
    ERR_clear_error();
    ssl_ = SSL_new(context);
    BIO* bio = ssl_ == nullptr ? nullptr : BIO_new(TlsBio::method());
    if (bio == nullptr) return fail();
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_, bio, bio);
    server_ ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
    ERR_clear_error();
}

Stream::~Stream() {
    SSL_CTX_free(server_context_);
    if (ssl_ != nullptr) {
        // Otherwise OpenSSL takes the session for a broken one and forgets it.
        SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(ssl_);
    }
    // Closing with unread bytes sends a reset, which may overtake what the peer has yet to read.
    if (!aborted_ && descriptor_.readable()) {
        Scratch& space = scratch();
        static_cast<void>(
            ::recv(descriptor_.fd(), space.records.data(), space.records.size(), MSG_DONTWAIT));
    }
}

bool Stream::spoke_plain_http() const noexcept {
    const int letter = first_byte_ | 0x20;
    return ssl_ != nullptr && server_ && letter >= 'a' && letter <= 'z';
}

void Stream::drop_tls() noexcept {
    if (ssl_ == nullptr) return;
    SSL_free(std::exchange(ssl_, nullptr));
    pending_.reset();
    if (lost_) return;
    read_end_ = IoStatus::ok;
    write_failed_ = false;
}

IoStatus Stream::tls_status(int result) noexcept {
    const int error = SSL_get_error(ssl_, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return IoStatus::would_block;
    if (error == SSL_ERROR_ZERO_RETURN) return IoStatus::end;
    return saw_eof_ ? IoStatus::truncated : IoStatus::error;
}

// A socket that takes only a part leaves the rest pending; the records' order must hold.
IoStatus Stream::send_records() noexcept {
    Scratch& space = scratch();
    const std::size_t used = std::exchange(space.used, 0);
    if (used == 0) return IoStatus::ok;
    if (write_failed_) return IoStatus::error;
    std::size_t done = 0;
    if (pending_.empty()) {
        const long sent = send_now(space.records.data(), used);
        if (sent < 0) return IoStatus::error;
        done = static_cast<std::size_t>(sent);
    }
    if (done == used || keep_pending({space.records.data() + done, used - done}))
        return IoStatus::ok;
    write_failed_ = true;
    return IoStatus::error;
}

Stream::Step Stream::handshake_step() noexcept {
    if (server_context_ != nullptr) {
        if (!descriptor_.readable() && !descriptor_.hung_up()) return Step::wait;
        start_tls(server_context_);
        SSL_CTX_free(std::exchange(server_context_, nullptr));
    }
    if (read_end_ != IoStatus::ok || flush() == IoStatus::error) return Step::failed;
    for (;;) {
        ERR_clear_error();
        scratch().used = 0;
        const int result = SSL_do_handshake(ssl_);
        if (result == 1) {
            // What came behind the handshake in one read lies in OpenSSL: no event will tell of it.
            if (SSL_has_pending(ssl_) == 1) descriptor_.set_readable();
            return send_records() == IoStatus::ok ? Step::done : Step::failed;
        }
        const bool full = SSL_want_write(ssl_) == 1;
        tls_error_ = ERR_reason_error_string(ERR_peek_error());
        const IoStatus status = tls_status(result);
        if (status != IoStatus::would_block) {
            // The alert tells the peer what it did wrong, if it is still there and would know it.
            if (!lost_ && !spoke_plain_http()) static_cast<void>(send_records());
            read_end_ = status == IoStatus::end ? IoStatus::truncated : status;
            write_failed_ = true;
            return Step::failed;
        }
        if (send_records() != IoStatus::ok) return Step::failed;
        if (!full) return Step::wait;
    }
}

Fault Stream::handshake_fault() const noexcept {
    if (server_) {
        if (lost_) return Fault::client(FaultKind::client_gone, "hung up in the TLS handshake");
        return Fault::client(FaultKind::bad_request,
                             tls_error_ == nullptr ? "TLS handshake failed" : tls_error_);
    }
    if (lost_) {
        return Fault::upstream(FaultKind::upstream_tls_failed, "hung up in the TLS handshake");
    }
    const long verified = ssl_ == nullptr ? X509_V_OK : SSL_get_verify_result(ssl_);
    // OpenSSL's texts are literals, as a Fault's must be.
    const char* detail =
        verified == X509_V_OK ? "TLS handshake failed" : X509_verify_cert_error_string(verified);
    return Fault::upstream(FaultKind::upstream_tls_failed, detail);
}

Task<Result<void>> Stream::handshake(WaitFor limits) {
    if (!is_tls() && read_end_ == IoStatus::ok) co_return Result<void>();
    limits.event = nullptr;
    limits.read = &descriptor_;
    for (;;) {
        const Step step = handshake_step();
        if (step == Step::done) co_return Result<void>();
        if (step == Step::failed) {
            const Fault fault = handshake_fault();
            co_return fault;
        }
        limits.write = has_pending() ? &descriptor_ : nullptr;
        const Wake wake = co_await descriptor_.reactor().wait(limits);
        if (wake == Wake::ready) continue;
        Fault fault = Fault::internal(FaultKind::draining, "TLS handshake cancelled");
        if (wake == Wake::peer_gone) {
            fault = Fault::client(FaultKind::client_gone, "client hung up");
        } else if (wake == Wake::timed_out && server_) {
            fault = Fault::client(FaultKind::request_timeout, "TLS handshake timed out");
        } else if (wake == Wake::timed_out) {
            fault = Fault::upstream(FaultKind::upstream_timeout, "TLS handshake timed out");
        }
        co_return fault;
    }
}

IoResult Stream::read_tls(char* data, std::size_t size) noexcept {
    std::size_t total = 0;
    scratch().used = 0;
    forget_errors();
    while (total < size) {
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_, data + total, size - total, &got);
        if (result == 1) {
            total += got;
            // Both dry: asking again would only make OpenSSL set itself up for nothing.
            if (!descriptor_.readable() && SSL_has_pending(ssl_) == 0) break;
            continue;
        }
        const IoStatus status = tls_status(result);
        if (status != IoStatus::would_block) read_end_ = status;
        break;
    }
    if (lost_) {
        scratch().used = 0;  // an alert without a peer
    } else {
        static_cast<void>(send_records());
    }
    if (read_end_ == IoStatus::truncated || read_end_ == IoStatus::error) write_failed_ = true;
    // What is left in OpenSSL raises no event any more, nor does an end that was already read.
    if (read_end_ != IoStatus::ok || (total == size && SSL_has_pending(ssl_) == 1)) {
        descriptor_.set_readable();
    }
    if (total > 0) return {IoStatus::ok, total};
    return {read_end_ == IoStatus::ok ? IoStatus::would_block : read_end_, 0};
}

IoResult Stream::write_tls(std::span<const std::string_view> pieces) noexcept {
    const IoStatus flushed = flush();
    if (flushed != IoStatus::ok) return {flushed, 0};
    RecordPortions portions(pieces);
    if (portions.empty()) return {IoStatus::ok, 0};
    if (!descriptor_.writable()) return {IoStatus::would_block, 0};

    Scratch& space = scratch();
    space.used = 0;
    forget_errors();
    std::size_t total = 0;
    while (!portions.empty() && space.takes_a_record()) {
        const std::string_view portion = portions.next(space.gathered);
        std::size_t written = 0;
        const int result = SSL_write_ex(ssl_, portion.data(), portion.size(), &written);
        if (result != 1 || written != portion.size()) {
            // There was room for the record: nothing that waiting would mend.
            ERR_clear_error();
            write_failed_ = true;
            return {IoStatus::error, 0};
        }
        total += written;
    }
    if (send_records() != IoStatus::ok) return {IoStatus::error, 0};
    return {IoStatus::ok, total};
}

void Stream::shutdown() noexcept {
    if (shut_ || write_failed_) return;
    shut_ = true;
    static_cast<void>(flush());
    if (ssl_ != nullptr && SSL_is_init_finished(ssl_) == 1) {
        scratch().used = 0;
        ERR_clear_error();
        static_cast<void>(SSL_shutdown(ssl_));
        ERR_clear_error();
        static_cast<void>(send_records());
    }
    if (!has_pending()) static_cast<void>(::shutdown(descriptor_.fd(), SHUT_WR));
}

}  // namespace rotary::net
