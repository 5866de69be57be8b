#include <mock/request_framing.hpp>

#include <rotary/base/text.hpp>

namespace rotary::mock {

namespace http = boost::beast::http;

bool well_framed(const RequestHead& head) {
    const auto encodings = head.count(http::field::transfer_encoding);
    if (encodings > 1 || (encodings == 1 && head.version() < 11)) return false;
    if (encodings == 1 && !text::iequals(head[http::field::transfer_encoding], "chunked")) {
        return false;
    }
    const auto lengths = head.count(http::field::content_length);
    if (lengths > 1 || lengths + encodings > 1) return false;
    if (lengths == 1 && !text::parse_unsigned(head[http::field::content_length])) return false;
    const auto hosts = head.count(http::field::host);
    return hosts <= 1 && (hosts == 1 || head.version() < 11);
}

}  // namespace rotary::mock
