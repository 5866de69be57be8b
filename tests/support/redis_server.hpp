#pragma once

#include <support/certificates.hpp>
#include <support/process.hpp>
#include <support/temp_dir.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {

struct RedisOptions {
    std::vector<std::string> arguments{};  // on top of what the fixture says
    bool tls = false;                      // no client's certificate is asked for
    PemFiles certificate{};                // of its own; none: certificates().server
    bool sentinel = false;
    std::string settings{};  // the text of its file; a sentinel needs one
};

// A real redis-server on a port of 127.0.0.1, without persistence, and with DEBUG for local
// clients. Killed when this goes. redis-server is among the packages that `./dev test` installs.
class RedisServer {
public:
    // Returns once it answers; throws std::runtime_error when it does not come up.
    explicit RedisServer(RedisOptions options = {});

    std::uint16_t port() const { return port_; }
    // redis://127.0.0.1:PORT, or rediss://localhost:PORT
    std::string url() const;
    // What redis-cli prints for the command: "OK", "3", a line an element.
    std::string command(const std::vector<std::string>& words) const;
    // The replica that it is told to follow has the same keys, and its link is up.
    bool wait_for_link() const;

    void signal(int number) const { process_->signal(number); }
    void kill();   // SIGKILL; returns once it has ended
    void start();  // again, at the same port, with nothing in it

private:
    bool come_up();

    RedisOptions options_;
    TempDir folder_;
    std::uint16_t port_ = 0;
    std::unique_ptr<ChildProcess> process_;
};

}  // namespace rotary::test
