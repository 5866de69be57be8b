#pragma once

#include <support/certificates.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace rotary::test {

// What a query says of a name, not escaped any more.
inline std::string query_value(const std::string& query, const std::string& name) {
    const std::size_t at = ("&" + query).find("&" + name + "=");
    if (at == std::string::npos) return "";
    const std::size_t from = at + name.size() + 1;
    const std::string raw = query.substr(from, query.find('&', from) - from);
    std::string value;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '%') {
            value += static_cast<char>(std::stoi(raw.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            value += raw[i];
        }
    }
    return value;
}

// A request, as far as it matters.
struct FakeApiQuestion {
    std::string target, resource, plural, name_space, query, token;
    bool is_watch() const { return query_value(query, "watch") == "1"; }
    std::uint64_t version() const {
        const std::string text = query_value(query, "resourceVersion");
        return text.empty() ? 0 : std::stoull(text);
    }
    // The one name that a field selector leaves.
    std::string only() const {
        const std::string selector = query_value(query, "fieldSelector");
        const std::string name = "metadata.name=";
        return selector.starts_with(name) ? selector.substr(name.size()) : "";
    }
    bool wants(const std::string& in, const std::string& name) const {
        return (name_space.empty() || name_space == in) && (only().empty() || only() == name);
    }
};

// A connection, on the thread that serves it.
class FakeApiPeer {
public:
    explicit FakeApiPeer(int fd)
        : fd_(fd), tls_(boost::asio::ssl::context::tls_server), socket_(io_) {
        const PemFiles& files = certificates().server;
        tls_.use_certificate_chain_file(files.certificate);
        tls_.use_private_key_file(files.key, boost::asio::ssl::context::pem);
    }
    bool begin() {
        boost::system::error_code error;
        socket_.assign(boost::asio::ip::tcp::v4(), fd_, error);
        stream_.emplace(socket_, tls_);
        stream_->handshake(boost::asio::ssl::stream_base::server, error);
        return !error;
    }
    // The next request, with its body.
    bool read_request(std::string& request) {
        while (read_.find("\r\n\r\n") == std::string::npos) {
            if (!read_more()) return false;
        }
        std::size_t size = read_.find("\r\n\r\n") + 4;
        const std::string length = "Content-Length: ";
        const std::size_t at = read_.find(length);
        if (at < size) size += std::stoul(read_.substr(at + length.size()));
        while (read_.size() < size) {
            if (!read_more()) return false;
        }
        request = read_.substr(0, size);
        read_.erase(0, size);
        return true;
    }
    bool send(const std::string& bytes) {
        boost::system::error_code error;
        boost::asio::write(*stream_, boost::asio::buffer(bytes), error);
        return !error;
    }
    bool is_gone() const {
        pollfd door{fd_, POLLIN | POLLRDHUP, 0};
        return ::poll(&door, 1, 0) > 0 && (door.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    }

private:
    bool read_more() {
        std::array<char, 4096> piece{};
        boost::system::error_code error;
        const std::size_t got = stream_->read_some(boost::asio::buffer(piece), error);
        read_.append(piece.data(), got);
        return !error;
    }

    int fd_;
    std::string read_;
    boost::asio::io_context io_;
    boost::asio::ssl::context tls_;
    boost::asio::ip::tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> stream_;
};

}  // namespace rotary::test
