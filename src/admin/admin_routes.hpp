#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <rotary/admin/admin.hpp>

namespace rotary::admin {

// A request to the admin listener as far as answering it needs: views into the caller's.
struct AdminRequest {
    std::string_view method;
    std::string_view target;
    std::string_view host;  // empty: an HTTP/1.0 client that sent none
    std::string_view origin;
    std::string_view authorization;
    std::string_view accept{};
    std::string_view body{};
    bool bound_to_loopback = true;
    bool from_loopback = true;
};

struct AdminAnswer {
    unsigned status = 200;
    std::string content_type;
    std::string body;
    std::string_view allow;  // of a 405
    bool challenge = false;  // of a 401
    bool is_page = false;    // for a browser: with a policy of what it may load
    // What is to come in place of the body.
    enum class Then : std::uint8_t { nothing, requests, events } then = Then::nothing;
    std::size_t most = 0;  // of the requests
};

// Routes, checks and calls the hook. May throw what the hook throws.
AdminAnswer answer(const AdminRequest& request, const AdminOptions& options,
                   const AdminHooks& hooks);

AdminAnswer admin_problem(unsigned status, std::string_view code, std::string_view message);

}  // namespace rotary::admin
