#pragma once

#include "server/service_notice.hpp"

#include <rotary/base/log.hpp>

#include <optional>
#include <string_view>

namespace rotary::server {

// The way to the service's manager: a datagram a notice. Without $NOTIFY_SOCKET there is none, and
// nothing is told. One thread.
class ServiceSocket {
public:
    ServiceSocket(const config::Environment& environment, Logger& log);
    ~ServiceSocket();
    ServiceSocket(const ServiceSocket&) = delete;
    ServiceSocket& operator=(const ServiceSocket&) = delete;

    bool is_open() const noexcept { return fd_ >= 0; }
    // A manager that takes nothing is waited for a moment, then warned of, once until it does.
    void tell(std::string_view notice);

private:
    Logger& log_;
    std::optional<NoticeAddress> address_;
    int fd_ = -1;
    bool failed_ = false;
};

}  // namespace rotary::server
