#pragma once

#include <support/test_client.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rotary::test {

// The value of one line of a page of /metrics, 0 when it is not there. `series` with its labels.
double metric_of(std::string_view page, std::string_view series);
// All series of this name on the page together; `with`: those that hold this text.
double sum_of(std::string_view page, std::string_view name, std::string_view with = "");

// A Rotary as clients and operators meet it, whichever process it is in: at two ports of 127.0.0.1.
class Front {
public:
    std::uint16_t port() const { return port_; }
    std::uint16_t admin_port() const { return admin_port_; }

    ClientOptions client() const;  // TLS, verified
    TestClient connect() const { return TestClient(client()); }
    Response admin_request(const Request& request) const;
    // A GET of the admin listener; its body.
    std::string admin(const std::string& target) const;
    double metric(const std::string& series) const;
    // Until the entry has this state.
    bool wait_for_state(const std::string& model, const std::string& state,
                        std::chrono::milliseconds timeout) const;

protected:
    Front() = default;
    void reached_at(std::uint16_t port, std::uint16_t admin_port) {
        port_ = port;
        admin_port_ = admin_port;
    }

private:
    std::uint16_t port_ = 0;
    std::uint16_t admin_port_ = 0;
};

}  // namespace rotary::test
