#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

typedef struct ssl_ctx_st SSL_CTX;

namespace rotary::net {

// An SSL_CTX with every setting made in one place: TLS 1.2 or newer, no renegotiation, no early
// data, no compression, verified peers. Made at start-up or reload on the control thread, then
// only read; OpenSSL locks what it shares inside. Factories throw std::runtime_error with the file
// and OpenSSL's reason.
class TlsContext {
public:
    struct ServerOptions {
        std::string certificate_pem;  // chain, leaf first
        std::string key_pem;
        std::string client_ca_pem;  // mutual TLS: ask for and verify client certificates
        // Of make_ticket_keys(): contexts with the same ones resume each other's sessions, those of
        // other workers and those from before a certificate was changed. Empty: its own alone.
        std::string ticket_keys{};
    };
    struct ClientOptions {
        std::string ca_pem;  // empty: the system's
        // Shown to servers that ask for it; empty: none.
        std::string certificate_pem{};
        std::string key_pem{};
    };
    static std::shared_ptr<const TlsContext> server(const ServerOptions& options);  // ALPN http/1.1
    static std::shared_ptr<const TlsContext> client(const ClientOptions& options);  // verifies

    static std::string make_ticket_keys();

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    // Of a server's: when its certificate ends.
    std::chrono::system_clock::time_point certificate_end() const noexcept;
    SSL_CTX* native() const noexcept { return context_; }
    bool is_server() const noexcept { return server_; }

private:
    TlsContext(SSL_CTX* context, bool server) noexcept : context_(context), server_(server) {}
    SSL_CTX* context_;
    bool server_;
};

}  // namespace rotary::net
