#include <mock/typed_options.hpp>

#include <rotary/base/text.hpp>
#include <rotary/cli/command.hpp>

#include <boost/asio/ip/address.hpp>

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
        throw cli::Misuse("--listen", "'" + text + "' is no ADDR:PORT, e.g. 127.0.0.1:8081");
    }
    options.address = address;
    options.port = static_cast<std::uint16_t>(*port);
}

template <class T>
T must(const std::optional<T>& value, const char* option, const std::string& text,
       const char* example) {
    if (value) return *value;
    throw cli::Misuse(option, "can't read '" + text + "'; an example: " + example);
}

}  // namespace

void add_options(cli::Command& command, TypedOptions& typed) {
    command.option("--listen", typed.listen, "Where to listen; port 0 takes a free one")
        .takes("ADDR:PORT")
        .shows_default();
    command
        .option("--model", typed.options.models,
                "A model it serves, repeatable; the others get 400 model_not_found. "
                "Without any, every model is served")
        .takes("NAME")
        .repeatable();
    command.option("--latency", typed.latency, "Wait before an answer, e.g. 50ms")
        .takes("DURATION");
    command.option("--tokens", typed.options.tokens, "Words in an answer; one a chunk in a stream")
        .takes("N")
        .between(0, 1'000'000)
        .shows_default();
    command
        .option("--chunk-interval", typed.chunk_interval,
                "Wait between two chunks of a stream, e.g. 20ms")
        .takes("DURATION");
    command
        .option("--quota", typed.quotas,
                "At most N requests for this model in each window, then 429 with retry-after "
                "and x-ratelimit-*, e.g. gpt-4o=3/10s; repeatable")
        .takes("NAME=N/DURATION")
        .repeatable();
    command
        .option("--fail-rate", typed.fail_rates,
                "This share of the requests fails with this status, evenly spread, "
                "e.g. 503=0.1; repeatable")
        .takes("STATUS=FRACTION")
        .repeatable();
    command
        .option("--require-key", typed.options.require_key,
                "401 without exactly this Authorization header, e.g. 'Bearer sk-test'")
        .takes("VALUE");
    command.option("--tls", typed.tls, "Serve HTTPS with these PEM files")
        .takes("CERT,KEY")
        .existing_files(2);
    command
        .option("--suffix", typed.options.suffix,
                "Answers name the model with this behind it, as OpenAI does with dates")
        .takes("TEXT");
}

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
        throw cli::Misuse("--fail-rate", "the fractions add up to more than 1");
    }
    if (!typed.tls.empty()) options.tls = MockTls{typed.tls.at(0), typed.tls.at(1)};
    return options;
}

}  // namespace rotary::mock
