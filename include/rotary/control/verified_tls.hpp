#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <optional>
#include <string>

#include <rotary/net/tls.hpp>

namespace rotary::control {

// TLS over a socket, for clients on the control thread.
using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

// A client's end that takes no certificate but one for `host`, a name or an IP literal. Nothing
// without a context or when it could not be made. The socket outlives it.
std::optional<TlsStream> verified_tls(boost::asio::ip::tcp::socket& socket,
                                      const net::TlsContext* context, const std::string& host);

// Why its handshake failed, with what speaks against the certificate.
std::string handshake_failure(TlsStream& stream, const boost::system::error_code& error);

}  // namespace rotary::control
