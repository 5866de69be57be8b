#include <mock/typed_options.hpp>

#include <rotary/base/text.hpp>

#include <boost/asio/ip/address.hpp>

#include <CLI/CLI.hpp>

namespace rotary::mock {

namespace {

// ADDR:PORT, [ADDR]:PORT for IPv6.
void read_listen(const std::string& text, MockOptions& options) {
    const std::size_t colon = text.rfind(':');
    const auto port = colon == std::string::npos
                          ? std::nullopt
                          : text::parse_unsigned(std::string_view(text).substr(colon + 1));
    std::string address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    boost::system::error_code error;
    boost::asio::ip::make_address(address, error);
    if (error || !port || *port > 65535) {
        throw CLI::ValidationError("--listen",
                                   "'" + text + "' is no ADDR:PORT, e.g. 127.0.0.1:8081");
    }
    options.address = address;
    options.port = static_cast<std::uint16_t>(*port);
}

template <class T>
T must(const std::optional<T>& value, const char* option, const std::string& text,
       const char* example) {
    if (value) return *value;
    throw CLI::ValidationError(option, "can't read '" + text + "'; an example: " + example);
}

}  // namespace

MockOptions read_options(const TypedOptions& typed) {
    MockOptions options = typed.options;
    read_listen(typed.listen, options);
    options.latency = must(parse_mock_duration(typed.latency), "--latency", typed.latency, "50ms");
    options.chunk_interval = must(parse_mock_duration(typed.chunk_interval), "--chunk-interval",
                                  typed.chunk_interval, "20ms");
    for (const std::string& quota : typed.quotas) {
        options.quotas.push_back(must(parse_mock_quota(quota), "--quota", quota, "gpt-4o=3/10s"));
    }
    double failing = 0;
    for (const std::string& rate : typed.fail_rates) {
        options.fail_rates.push_back(
            must(parse_mock_fail_rate(rate), "--fail-rate", rate, "503=0.1"));
        failing += options.fail_rates.back().fraction;
    }
    if (failing > 1.0000001) {
        throw CLI::ValidationError("--fail-rate", "the fractions add up to more than 1");
    }
    if (!typed.tls.empty()) options.tls = MockTls{typed.tls.at(0), typed.tls.at(1)};
    return options;
}

}  // namespace rotary::mock
