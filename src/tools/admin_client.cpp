#include "tools/admin_client.hpp"

#include <rotary/base/text.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/config/settings/admin_token.hpp>
#include <rotary/wire/json_document.hpp>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>

namespace rotary::tools {

namespace {

constexpr std::size_t kMostReplyBytes = std::size_t{64} << 20;
constexpr timeval kPatience{5, 0};

// Closed when it goes.
class Socket {
public:
    explicit Socket(int fd) noexcept : fd_(fd) {}
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

AdminReply no_reply(const AdminPlace& place, int error) {
    const bool was_silent = error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS;
    return {0, "no answer from the admin listener at " + place.host_header + ": " +
                   (was_silent ? "time is over" : std::generic_category().message(error))};
}

// The descriptor, or the error as a negative number.
Socket connect_to(const AdminPlace& place, int& error) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    error = ENOENT;
    if (::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found) != 0) {
        return Socket(-1);
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        Socket socket(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
        if (socket.fd() < 0) continue;
        ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
        ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
        if (::connect(socket.fd(), at->ai_addr, at->ai_addrlen) == 0) return socket;
        error = errno;
    }
    return Socket(-1);
}

bool send_all(const Socket& socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool read_to_end(const Socket& socket, std::string& text) {
    std::array<char, 16384> piece;
    while (text.size() < kMostReplyBytes) {
        const ssize_t got = ::recv(socket.fd(), piece.data(), piece.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return true;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
    errno = EMSGSIZE;
    return false;
}

AdminReply reply_of(const std::string& text) {
    const std::size_t end = text.find("\r\n\r\n");
    const std::string_view line = std::string_view(text).substr(0, text.find("\r\n"));
    const auto status = line.size() < 12 ? std::nullopt : text::parse_unsigned(line.substr(9, 3));
    if (end == text.npos || !line.starts_with("HTTP/1.") || !status) {
        return {0, "what answered is no admin listener"};
    }
    return {static_cast<unsigned>(*status), text.substr(end + 4)};
}

std::optional<std::string> token_in(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || text.str().empty()) return std::nullopt;
    const std::string whole = text.str();
    const std::string_view token = config::admin_token(whole);
    // It goes into a head as it is.
    for (const char c : token) {
        if (c <= ' ' || c > '~') return std::nullopt;
    }
    return std::string(token);
}

AdminPlace place_of(const config::Admin& admin) {
    std::string host = admin.address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    const bool is_v6 = host.find(':') != host.npos;
    AdminPlace place;
    place.port = std::to_string(admin.port);
    place.host_header = (is_v6 ? "[" + host + "]" : host) + ":" + place.port;
    place.host = std::move(host);
    return place;
}

}  // namespace

void add_admin_options(cli::Command& command, AdminWords& words) {
    const cli::Option url = command.option("--admin", words.url,
                                           "the admin listener, http://127.0.0.1:9901 if not said");
    command.option("-c,--config", words.config, "rotary.yaml, whose admin listener it is")
        .excludes(url);
    command.option("--token-file", words.token_file,
                   "a file with the admin token; with -c its admin.token_file");
}

std::optional<AdminPlace> parse_admin_url(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (!text::istarts_with(url, kScheme)) return std::nullopt;
    url.remove_prefix(kScheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    const bool is_v6 = url.starts_with('[');
    const std::size_t host_end = is_v6 ? url.find(']') : url.find(':');
    if (is_v6 && host_end == url.npos) return std::nullopt;
    const std::string_view host = is_v6 ? url.substr(1, host_end - 1) : url.substr(0, host_end);
    std::string_view port = "80";
    const std::size_t colon = is_v6 ? host_end + 1 : host_end;
    if (colon < url.size()) {
        if (url[colon] != ':') return std::nullopt;
        port = url.substr(colon + 1);
    }
    const auto number = text::parse_unsigned(port);
    const bool is_plain = host.find_first_of("/?#@% \t\r\n") == host.npos;
    if (host.empty() || !is_plain || !number || *number == 0 || *number > 65535) {
        return std::nullopt;
    }
    AdminPlace place;
    place.host = host;
    place.port = port;
    place.host_header = url;
    return place;
}

std::optional<AdminPlace> find_admin(const AdminWords& words, std::string& error) {
    AdminPlace place;
    std::string token_file = words.token_file;
    if (!words.url.empty()) {
        const auto parsed = parse_admin_url(words.url);
        if (!parsed) {
            error = "--admin takes a URL such as http://127.0.0.1:9901";
            return std::nullopt;
        }
        place = *parsed;
    } else if (!words.config.empty()) {
        const config::Loaded loaded = config::load(words.config, config::process_environment());
        place = place_of(loaded.config.admin);
        if (token_file.empty()) token_file = loaded.config.admin.token_file;
    }
    if (token_file.empty()) return place;
    const auto token = token_in(token_file);
    if (!token) {
        error = token_file + " holds no token that can be read";
        return std::nullopt;
    }
    place.token = *token;
    return place;
}

AdminReply ask_admin(const AdminPlace& place, std::string_view method, std::string_view target) {
    int error = 0;
    const Socket socket = connect_to(place, error);
    if (socket.fd() < 0) return no_reply(place, error);
    std::string request(method);
    request.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(place.host_header);
    if (!place.token.empty()) request.append("\r\nAuthorization: Bearer ").append(place.token);
    if (method == "POST") request += "\r\nContent-Length: 0";
    request += "\r\nConnection: close\r\n\r\n";
    if (!send_all(socket, request)) return no_reply(place, errno);
    std::string text;
    if (!read_to_end(socket, text)) return no_reply(place, errno);
    return reply_of(text);
}

std::string message_of(const AdminReply& reply) {
    const auto document = wire::JsonDocument::parse(reply.body);
    const auto error = document ? document->root().find("error") : std::nullopt;
    const auto message = error ? error->find("message") : std::nullopt;
    const auto text = message ? message->string() : std::nullopt;
    if (text) return std::string(*text);
    std::string body = reply.body;
    while (!body.empty() && body.back() == '\n') body.pop_back();
    return body;
}

std::string path_segment(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                              c == '~';
        if (is_plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    return out;
}

}  // namespace rotary::tools
