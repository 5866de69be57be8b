#include <rotary/control/verified_tls.hpp>

#include <boost/asio/ssl/host_name_verification.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <rotary/control/https_get_url.hpp>

namespace rotary::control {

namespace asio = boost::asio;

std::optional<TlsStream> verified_tls(asio::ip::tcp::socket& socket, const net::TlsContext* context,
                                      const std::string& host) {
    if (context == nullptr) return std::nullopt;
    SSL* const ssl = SSL_new(context->native());
    if (ssl == nullptr) return std::nullopt;
    std::optional<TlsStream> stream(std::in_place, socket, ssl);  // owns it from here on
    boost::system::error_code error;
    stream->set_verify_mode(asio::ssl::verify_peer, error);
    if (!error) stream->set_verify_callback(asio::ssl::host_name_verification(host), error);
    if (!error && !is_ip_literal(host) &&
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(host.c_str())) != 1) {
        error = asio::error::invalid_argument;
    }
    if (error) return std::nullopt;
    return stream;
}

std::string handshake_failure(TlsStream& stream, const boost::system::error_code& error) {
    const long verdict = SSL_get_verify_result(stream.native_handle());
    std::string reason = error.message();
    if (verdict != X509_V_OK) {
        reason.append(" (").append(X509_verify_cert_error_string(verdict)).append(")");
    }
    return reason;
}

}  // namespace rotary::control
