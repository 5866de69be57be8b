#include "server/service_socket.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace rotary::server {

namespace {

// For a manager whose queue is full. The control thread waits, no request does.
constexpr timeval kPatience{0, 200'000};

}  // namespace

ServiceSocket::ServiceSocket(const config::Environment& environment, Logger& log) : log_(log) {
    const auto name = environment("NOTIFY_SOCKET");
    if (!name || name->empty()) return;
    address_ = notice_address(*name);
    if (!address_) {
        log_.warn("NOTIFY_SOCKET is neither a path nor an abstract name: nothing is told there",
                  {{"NOTIFY_SOCKET", *name}});
        return;
    }
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        log_.warn("no socket to tell the service's manager by",
                  {{"error", std::generic_category().message(errno)}});
        return;
    }
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
}

ServiceSocket::~ServiceSocket() {
    if (fd_ >= 0) ::close(fd_);
}

void ServiceSocket::tell(std::string_view notice) {
    if (fd_ < 0) return;
    const auto* to = reinterpret_cast<const sockaddr*>(&address_->socket);
    ssize_t sent = -1;
    do {
        sent = ::sendto(fd_, notice.data(), notice.size(), MSG_NOSIGNAL, to, address_->length);
    } while (sent < 0 && errno == EINTR);
    const bool failed = sent < 0;
    if (failed && !failed_) {
        log_.warn("the service's manager was not told",
                  {{"notice", notice}, {"error", std::generic_category().message(errno)}});
    }
    failed_ = failed;
}

}  // namespace rotary::server
