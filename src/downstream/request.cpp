#include <rotary/base/text.hpp>
#include <rotary/downstream/request.hpp>

namespace rotary::downstream {

void Request::adopt(const wire::RequestHead& head) noexcept {
    method = head.method;
    path = head.path;
    query = head.query;
    host = head.host;
    port = head.port;
    has_body = head.framing != wire::Framing::none;
    if (head.framing == wire::Framing::content_length) body_length = head.content_length;
    is_head = head.method == "HEAD";
    for (const wire::Header& header : head.headers) {
        switch (index(header.field)) {
            case index(wire::field("origin")):
                origin = header.value;
                break;
            case index(wire::field("user-agent")):
                user_agent = header.value;
                break;
            case index(wire::field("content-type")):
                has_content_types = has_content_type;
                has_content_type = true;
                content_type = header.value;
                break;
            case index(wire::field("x-request-id")):
                client_request_id = header.value;
                break;
            case index(wire::field("traceparent")):
                traceparent = header.value;
                ++traceparents;
                break;
            case index(wire::field("content-encoding")):
                is_encoded = is_encoded || !text::iequals(header.value, "identity");
                break;
            case index(wire::field("x-stainless-retry-count")):
                retry_count = header.value;
                break;
            case index(wire::field("access-control-request-method")):
                preflight_method = header.value;
                break;
            case index(wire::field("access-control-request-headers")):
                preflight_headers = header.value;
                break;
            default:
                break;
        }
    }
}

}  // namespace rotary::downstream
