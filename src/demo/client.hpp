#pragma once

#include <demo/call.hpp>

#include <rotary/base/openssl.hpp>

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

// The demo's own small HTTP client: one call a connection, blocking, and nothing of the gateway's
// own reading or writing of HTTP in it.
namespace rotary::demo {

// Thrown out of a wait when a signal to end came: the demo unwinds and cleans up.
struct Stopped {};

// SIGINT, SIGTERM and SIGHUP as something that a wait can wait for. They are blocked for the thread
// that makes it and for those started later, so make it before any other thread; one at a time.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();  // signals have their usual effect again
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    int fd() const { return fd_; }                        // readable once one came, and never read
    void wait_for(std::chrono::milliseconds time) const;  // throws Stopped
    void wait() const;                                    // returns when one came

private:
    int fd_;
    sigset_t before_;
};

// Calls 127.0.0.1. Throws std::runtime_error when there is no whole answer in time, and Stopped.
class Client {
public:
    Client(const std::string& ca_file, const StopSignal& stop);

    // The certificate must be signed by the authority of `ca_file`, for `call.host`.
    Answer https(std::uint16_t port, const Call& call) const;
    Answer http(std::uint16_t port, const Call& call) const;

private:
    openssl::ContextPtr tls_;
    const StopSignal& stop_;
};

}  // namespace rotary::demo
