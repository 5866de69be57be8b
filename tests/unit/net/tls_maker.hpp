#pragma once

#include <rotary/net/tls.hpp>

#include <memory>
#include <string>

typedef struct ssl_st SSL;

// Certificates and handshakes of the net room's tests, without a socket.
namespace rotary::net::test {

struct Identity {
    std::string certificate;  // PEM, signed with its own key
    std::string key;          // PEM
};
// Made anew on every call, on P-256, for this name.
Identity make_identity(const std::string& name);

std::shared_ptr<const TlsContext> server_of(const Identity& identity,
                                            const std::string& ticket_keys = "");
std::shared_ptr<const TlsContext> client_of(const Identity& trusted);

struct FreeSsl {
    void operator()(SSL* ssl) const;
};
using SslPointer = std::unique_ptr<SSL, FreeSsl>;

// Two ends that talk through memory.
struct SslPair {
    SslPointer server;
    SslPointer client;
};
SslPair make_pair(SSL_CTX* server, SSL_CTX* client);
// Until both ends are done or one has failed; true when both are done.
bool shake_hands(const SslPair& pair);

}  // namespace rotary::net::test
