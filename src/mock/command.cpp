#include <mock/typed_options.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>
#include <memory>

namespace rotary::mock {

namespace {

int run_mock(const TypedOptions& typed) {
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
    auto typed = std::make_shared<TypedOptions>();
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
