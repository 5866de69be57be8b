#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace rotary::mock {

using RequestHead = boost::beast::http::request_header<boost::beast::http::fields>;

// Whether the framing and the hosts of a head are as RFC 9112 (3.2, 6.1, 6.3) has them. Beast lets
// more pass: a stand-in that swallowed it would hide a proxy's mistakes.
bool well_framed(const RequestHead& head);

}  // namespace rotary::mock
