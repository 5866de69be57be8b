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
        switch (header.name.size()) {
            case 6:
                if (text::iequals(header.name, "origin")) origin = header.value;
                break;
            case 10:
                if (text::iequals(header.name, "user-agent")) user_agent = header.value;
                break;
            case 12:
                if (text::iequals(header.name, "content-type")) {
                    has_content_types = has_content_type;
                    has_content_type = true;
                    content_type = header.value;
                } else if (text::iequals(header.name, "x-request-id")) {
                    client_request_id = header.value;
                }
                break;
            case 16:
                if (text::iequals(header.name, "content-encoding")) {
                    is_encoded = is_encoded || !text::iequals(header.value, "identity");
                }
                break;
            case 23:
                if (text::iequals(header.name, "x-stainless-retry-count")) {
                    retry_count = header.value;
                }
                break;
            case 29:
                if (text::iequals(header.name, "access-control-request-method")) {
                    preflight_method = header.value;
                }
                break;
            case 30:
                if (text::iequals(header.name, "access-control-request-headers")) {
                    preflight_headers = header.value;
                }
                break;
            default:
                break;
        }
    }
}

}  // namespace rotary::downstream
