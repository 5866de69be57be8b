#pragma once

#include <support/test_client.hpp>

#include <openssl/ssl.h>

namespace rotary::test {

// The descriptor and the TLS session of a TestClient; owned by it.
struct TestClient::Connection {
    explicit Connection(const ClientOptions& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool write(std::string_view bytes);
    // Appends to `input`; false at the end of the stream, `end` says which.
    bool read();
    void set_read_timeout(std::chrono::milliseconds timeout) const;
    bool readable_within(std::chrono::milliseconds patience);
    void shut(bool notify, bool both);
    void reset();

    int fd = -1;
    SSL* ssl = nullptr;
    std::string input;  // read and not yet taken
    ReadEnd end = ReadEnd::none;
    std::chrono::milliseconds timeout;

private:
    void dial(const ClientOptions& options);
    void handshake(const ClientOptions& options);
    bool only_tickets_came() const;
};

}  // namespace rotary::test
