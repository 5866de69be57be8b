#include <rotary/base/text.hpp>
#include <rotary/mock/provider.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>
#include <memory>

namespace rotary::mock {

namespace {

// The options as they were typed; turned into MockOptions once all are there.
struct Typed {
    std::string listen = "127.0.0.1:8081";
    std::string latency = "0";
    std::string chunk_interval = "0";
    std::vector<std::string> quotas;
    std::vector<std::string> fail_rates;
    std::vector<std::string> tls;
    MockOptions options;
};

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

MockOptions read_options(const Typed& typed) {
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

int run_mock(const Typed& typed) {
    const MockOptions options = read_options(typed);
    try {
        // Signals are caught before the first thread is there, so none of them can meet another.
        boost::asio::io_context signals_io;
        boost::asio::signal_set signals(signals_io, SIGINT, SIGTERM);
        MockProvider provider(options);
        provider.start();
        std::cerr << "mock provider listening on " << provider.url() << std::endl;
        signals.async_wait([](const boost::system::error_code&, int) {});
        signals_io.run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "rotary mock: " << error.what() << "\n";
        return 3;
    }
}

constexpr const char* kFooter = R"(
Answers POST …/chat/completions and GET …/models under any prefix, as OpenAI does; streams when the
request says "stream": true. GET /__mock/requests tells what came, POST /__mock/reset forgets it.

A request with the header x-mock-fault meets that fault:
  reset, reset=N     RST at once, or after N bytes of the answer
  stall, stall=N     silence, from the start or after N bytes
  close-after=N      the connection ends after N bytes
  truncate=N         so, without TLS's close_notify
  garbage            bytes that are no HTTP
  slow-head=500ms    the answer begins that much later
  status=N           an error answer with that status

Example:
  rotary mock --listen 127.0.0.1:8081 --model gpt-4o --model gpt-4o-mini --quota gpt-4o=3/10s
)";

}  // namespace

void add_mock_command(CLI::App& app, int& exit_code) {
    auto typed = std::make_shared<Typed>();
    CLI::App* mock =
        app.add_subcommand("mock", "A stand-in LLM provider that speaks the OpenAI chat API");
    mock->footer(kFooter);
    mock->add_option("--listen", typed->listen, "Where to listen; port 0 takes a free one")
        ->type_name("ADDR:PORT")
        ->capture_default_str();
    mock->add_option("--model", typed->options.models,
                     "A model it serves, repeatable; the others get 400 model_not_found. "
                     "Without any, every model is served")
        ->type_name("NAME")
        ->allow_extra_args(false);
    mock->add_option("--latency", typed->latency, "Wait before an answer, e.g. 50ms")
        ->type_name("DURATION");
    mock->add_option("--tokens", typed->options.tokens,
                     "Words in an answer; one a chunk in a stream")
        ->type_name("N")
        ->check(CLI::Range(0U, 1'000'000U))
        ->capture_default_str();
    mock->add_option("--chunk-interval", typed->chunk_interval,
                     "Wait between two chunks of a stream, e.g. 20ms")
        ->type_name("DURATION");
    mock->add_option("--quota", typed->quotas,
                     "At most N requests for this model in each window, then 429 with retry-after "
                     "and x-ratelimit-*, e.g. gpt-4o=3/10s; repeatable")
        ->type_name("NAME=N/DURATION")
        ->allow_extra_args(false);
    mock->add_option("--fail-rate", typed->fail_rates,
                     "This share of the requests fails with this status, evenly spread, "
                     "e.g. 503=0.1; repeatable")
        ->type_name("STATUS=FRACTION")
        ->allow_extra_args(false);
    mock->add_option("--require-key", typed->options.require_key,
                     "401 without exactly this Authorization header, e.g. 'Bearer sk-test'")
        ->type_name("VALUE");
    mock->add_option("--tls", typed->tls, "Serve HTTPS with these PEM files")
        ->type_name("CERT,KEY")
        ->expected(2)
        ->delimiter(',')
        ->check(CLI::ExistingFile);
    mock->add_option("--suffix", typed->options.suffix,
                     "Answers name the model with this behind it, as OpenAI does with dates")
        ->type_name("TEXT");
    mock->callback([typed, &exit_code] { exit_code = run_mock(*typed); });
}

}  // namespace rotary::mock
