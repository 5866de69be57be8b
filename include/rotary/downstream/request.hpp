#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/wire/message.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::downstream {

// What a client asked for, whatever protocol it speaks. Written by its Client; the views lead into
// the connection's read buffer or `body_block`, none of which moves until the exchange is over.
struct Request {
    std::string_view method;
    std::string_view path;
    std::string_view query;
    std::string_view host;
    std::string_view port;  // of the host, as it was asked for; empty: none
    std::string_view content_type;
    std::string_view origin;             // of a browser's request
    std::string_view preflight_method;   // what it asks about
    std::string_view preflight_headers;  // idem
    std::string_view user_agent;
    std::string_view client_request_id;
    std::string_view retry_count;
    std::string_view traceparent;
    std::string_view client_address;  // the connection's, or by the word of trusted proxies
    bool is_tls = false;              // the connection is
    bool is_head = false;
    bool is_encoded = false;  // Content-Encoding other than identity
    bool has_content_type = false;
    bool has_content_types = false;            // more than one
    unsigned traceparents = 0;                 // how many there were
    bool has_body = false;                     // it may be empty
    std::optional<std::uint64_t> body_length;  // when it was said beforehand
    std::string_view body;                     // once it was read
    Buffer body_block;                         // when it did not fit behind the head
    std::uint64_t bytes_received = 0;
    SteadyTime started;  // its head had come
    WallTime started_wall;

    // Takes over what is needed of a parsed head: the table is scratch and does not last.
    void adopt(const wire::RequestHead& head) noexcept;
};

}  // namespace rotary::downstream
