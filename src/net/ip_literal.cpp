#include "ip_literal.hpp"

namespace rotary::net {

std::optional<boost::asio::ip::tcp::endpoint> ip_literal(std::string_view host,
                                                         std::uint16_t port) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error) return std::nullopt;
    return boost::asio::ip::tcp::endpoint(address, port);
}

}  // namespace rotary::net
