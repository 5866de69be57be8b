// The load of ./dev bench: the clients of a proxy, the provider behind it, tokens, and a relay that
// stands where a proxy does and only moves bytes.
//
// `clients` says "ready" when its connections stand, begins at a line on standard input, prints
// what it counted as a line of JSON, and keeps its connections until standard input ends.
// `provider` says "ready" when it listens, and what it answered when standard input ends.
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include "load/clients.hpp"
#include "load/provider.hpp"
#include "load/relay.hpp"
#include "load/tokens.hpp"

namespace rotary::bench {
namespace {

// The latency that `share` of the requests did not exceed, in microseconds.
std::uint32_t quantile(const std::vector<std::uint32_t>& sorted, double share) {
    if (sorted.empty()) {
        return 0;
    }
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return sorted[std::min(rank, sorted.size() - 1)];
}

void print(Count count) {
    std::vector<std::uint32_t>& sorted = count.latencies;
    std::sort(sorted.begin(), sorted.end());
    std::cout << "{\"requests\":" << count.requests << ",\"status\":" << count.status
              << ",\"content\":" << count.content << ",\"broken\":" << count.broken
              << ",\"reopened\":" << count.reopened << ",\"resumed\":" << count.resumed
              << ",\"body_bytes\":" << count.body_bytes << ",\"events\":" << count.events
              << ",\"seconds\":" << count.seconds << ",\"p50\":" << quantile(sorted, 0.5)
              << ",\"p99\":" << quantile(sorted, 0.99) << ",\"p999\":" << quantile(sorted, 0.999)
              << "}" << std::endl;
}

void run_clients(const Order& order) {
    Clients clients(order);
    clients.open();
    std::cout << "ready" << std::endl;
    std::string line;
    if (std::getline(std::cin, line)) {
        print(clients.run());
        std::getline(std::cin, line);
    }
}

void run_provider(const Offer& offer) {
    Provider provider(offer);
    std::cout << "ready" << std::endl;
    std::cout << "{\"requests\":" << provider.serve(STDIN_FILENO) << "}" << std::endl;
}

void add_clients(CLI::App& app, Order& order) {
    CLI::App* command = app.add_subcommand("clients", "ask a proxy");
    static const std::map<std::string, Fresh> kFresh = {{"full", Fresh::full},
                                                        {"resumed", Fresh::resumed}};
    command->add_option("--port", order.port)->required();
    command->add_option("--path", order.path);
    command->add_option("--ca", order.authority, "the CA of the proxy's certificate; none: no TLS");
    command->add_option("--tokens", order.tokens, "a file, a bearer token a line");
    command->add_option("--header", order.headers, "'name: value', may come again");
    command->add_option("--body", order.body, "bytes");
    command->add_flag("--stream", order.stream, "ask for a streamed answer");
    command->add_option("--connections", order.connections);
    command->add_option("--seconds", order.seconds);
    command->add_option("--requests", order.requests, "in place of --seconds");
    command->add_option("--rate", order.rate, "requests a second; 0: as fast as can be");
    command->add_option("--fresh", order.fresh, "a connection a request: full or resumed")
        ->transform(CLI::CheckedTransformer(kFresh));
    command->add_option("--length", order.length, "bytes of an answer's body; 0: any");
    command->add_option("--events", order.events, "of an answer; 0: any");
    command->callback([&order] { run_clients(order); });
}

void add_provider(CLI::App& app, Offer& offer) {
    CLI::App* command = app.add_subcommand("provider", "answer a proxy");
    command->add_option("--port", offer.port)->required();
    command->add_option("--certificate", offer.certificate);
    command->add_option("--key", offer.key);
    command->add_option("--status", offer.status);
    command->add_option("--length", offer.length, "bytes of an answer's body");
    command->add_option("--events", offer.events, "of a streamed answer");
    command->add_option("--gap", offer.gap, "seconds between two of them");
    command->callback([&offer] { run_provider(offer); });
}

void add_relay(CLI::App& app, Hop& hop) {
    CLI::App* command = app.add_subcommand("relay", "move bytes, and no more");
    command->add_option("--port", hop.port)->required();
    command->add_option("--provider", hop.provider, "its port")->required();
    command->add_option("--certificate", hop.certificate)->required();
    command->add_option("--key", hop.key)->required();
    command->callback([&hop] { Relay(hop).serve(); });
}

int run(int argc, char** argv) {
    ::prctl(PR_SET_TIMERSLACK, 1);
    CLI::App app("The load of ./dev bench.");
    app.require_subcommand(1);
    Order order;
    Offer offer;
    Hop hop;
    add_clients(app, order);
    add_provider(app, offer);
    add_relay(app, hop);
    std::string key;
    std::string like;
    std::size_t count = 1;
    CLI::App* tokens = app.add_subcommand("tokens", "print tokens that differ");
    tokens->add_option("--key", key)->required();
    tokens->add_option("--like", like, "a token")->required();
    tokens->add_option("--count", count);
    tokens->callback([&] { write_tokens(std::cout, key, like, count); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::cerr << "bench_load: " << error.what() << '\n';
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace rotary::bench

int main(int argc, char** argv) { return rotary::bench::run(argc, argv); }
