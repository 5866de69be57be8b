#pragma once

#include <support/temp_dir.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::test {

// A service's manager as far as its socket goes: what sd_notify(3) says is sent there, and all that
// came is kept.
class NoticeInbox {
public:
    enum class Kind : std::uint8_t { path, abstract };

    explicit NoticeInbox(Kind kind = Kind::path)
        : name_((kind == Kind::path ? "" : "@") + (dir_ / "notify")),
          fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (name_.size() >= sizeof(address.sun_path))
            throw std::runtime_error("TMPDIR is too long");
        std::memcpy(address.sun_path, name_.data(), name_.size());
        if (kind == Kind::abstract) address.sun_path[0] = '\0';
        const auto length = offsetof(sockaddr_un, sun_path) + name_.size();
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(length)) != 0) {
            throw std::runtime_error("no notify socket");
        }
    }
    ~NoticeInbox() { ::close(fd_); }
    NoticeInbox(const NoticeInbox&) = delete;
    NoticeInbox& operator=(const NoticeInbox&) = delete;

    const std::string& name() const { return name_; }  // for NOTIFY_SOCKET
    const std::vector<std::string>& all() const { return all_; }

    // The next one; empty: none came in time.
    std::string next(std::chrono::milliseconds timeout) {
        pollfd waits{fd_, POLLIN, 0};
        if (::poll(&waits, 1, static_cast<int>(timeout.count())) <= 0) return {};
        std::array<char, 4096> bytes{};
        const ssize_t length = ::recv(fd_, bytes.data(), bytes.size(), 0);
        if (length <= 0) return {};
        all_.emplace_back(bytes.data(), static_cast<std::size_t>(length));
        return all_.back();
    }

    // The next that begins so; those before it are passed over. Empty: none came in time.
    std::string next_with(std::string_view beginning, std::chrono::milliseconds timeout) {
        const auto deadline = std::chrono::steady_clock::now() + timeout;
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return {};
            std::string notice = next(left);
            if (notice.starts_with(beginning)) return notice;
        }
    }

private:
    TempDir dir_;
    std::string name_;
    int fd_;
    std::vector<std::string> all_;
};

}  // namespace rotary::test
