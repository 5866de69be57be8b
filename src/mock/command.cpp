#include <mock/typed_options.hpp>

#include <rotary/cli/command.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

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
Answers POST …/chat/completions, …/responses, …/completions and …/embeddings, and GET …/models under
any prefix, as OpenAI does; streams when the request says "stream": true. GET /__mock/requests tells
what came, GET /__mock/usage what answers that went out whole used, POST /__mock/reset forgets both.

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

void add_mock_command(cli::Command& root) {
    auto typed = std::make_shared<TypedOptions>();
    cli::Command mock = root.command("mock", "A stand-in LLM provider that speaks OpenAI's API");
    mock.notes(kFooter);
    add_options(mock, *typed);
    mock.runs([typed] { return run_mock(*typed); });
}

}  // namespace rotary::mock
