#pragma once

#include <support/certificates.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rotary::control {

namespace asio = boost::asio;

// One answer a connection, whatever bytes it is told to send; nothing: it never answers.
class KeyServer {
public:
    using tcp = asio::ip::tcp;
    using error_code = boost::system::error_code;

    KeyServer(asio::io_context& context, const test::PemFiles* tls)
        : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        if (tls != nullptr) {
            tls_.emplace(asio::ssl::context::tls_server);
            tls_->use_certificate_chain_file(tls->certificate);
            tls_->use_private_key_file(tls->key, asio::ssl::context::pem);
        }
        accept();
    }

    std::string url(const std::string& host = "127.0.0.1") const {
        return (tls_ ? "https://" : "http://") + host + ":" +
               std::to_string(acceptor_.local_endpoint().port()) + "/keys?x=1";
    }
    void serve(const std::string& body, const std::string& status = "200 OK") {
        answer = "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    void close() { acceptor_.close(); }

    // Of one path alone.
    void serve_at(const std::string& path, const std::string& body,
                  const std::string& status = "200 OK") {
        const std::optional<std::string> before = answer;
        serve(body, status);
        by_path_[path] = *answer;
        answer = before;
    }
    std::string origin(const std::string& host = "127.0.0.1") const {
        const std::string whole = url(host);
        return whole.substr(0, whole.rfind('/'));
    }

    std::optional<std::string> answer;
    int connections = 0;
    int requests = 0;
    std::string last_request;
    std::vector<std::string> paths;  // of all that were answered

private:
    struct Peer {
        explicit Peer(tcp::socket from) : socket(std::move(from)) {}
        tcp::socket socket;
        std::optional<asio::ssl::stream<tcp::socket&>> tls;
        asio::streambuf input;
    };

    void accept() {
        acceptor_.async_accept([this](error_code error, tcp::socket socket) {
            if (error) return;
            ++connections;
            auto peer = std::make_shared<Peer>(std::move(socket));
            if (tls_) {
                peer->tls.emplace(peer->socket, *tls_);
                peer->tls->async_handshake(asio::ssl::stream_base::server,
                                           [this, peer](error_code failed) {
                                               if (!failed) read(peer, *peer->tls);
                                           });
            } else {
                read(peer, peer->socket);
            }
            accept();
        });
    }
    template <class Stream>
    void read(const std::shared_ptr<Peer>& peer, Stream& stream) {
        asio::async_read_until(
            stream, peer->input, "\r\n\r\n", [this, peer, &stream](error_code error, std::size_t) {
                if (error) return;
                ++requests;
                std::istream in(&peer->input);
                last_request.assign(std::istreambuf_iterator<char>(in), {});
                if (!answer) {  // hold the connection until the client gives up
                    read(peer, stream);
                    return;
                }
                const std::string target = last_request.substr(4, last_request.find(' ', 4) - 4);
                paths.push_back(target);
                const auto own = by_path_.find(target);
                auto bytes =
                    std::make_shared<std::string>(own == by_path_.end() ? *answer : own->second);
                asio::async_write(stream, asio::buffer(*bytes),
                                  [peer, bytes](error_code, std::size_t) {});
            });
    }

    tcp::acceptor acceptor_;
    std::optional<asio::ssl::context> tls_;
    std::map<std::string, std::string> by_path_;
};

}  // namespace rotary::control
