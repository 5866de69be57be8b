#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>

#include <rotary/base/log.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/routing/snapshot.hpp>
#include <rotary/server/server.hpp>
#include "app/summary.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::app {

namespace {

// Every connection is a descriptor: take as many as the system lets us.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Without one of them the next file or socket would get its number, and the logs would go there.
void open_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
    }
}

// Large blocks are the system's again when they are given back. Left to itself glibc would take
// them from its heap after the first one, and keep what lies beneath the newest.
void return_large_blocks() {
    constexpr int kLarge = 128 << 10;
    constexpr int kKeptAtTheTop = 1 << 20;
    ::mallopt(M_MMAP_THRESHOLD, kLarge);
    ::mallopt(M_TRIM_THRESHOLD, kKeptAtTheTop);
}

// Nothing where the log goes elsewhere: there it stays lines of JSON.
std::string summary_for_terminal(const config::Loaded& loaded) {
    if (!loaded.ok() || ::isatty(STDERR_FILENO) == 0) return {};
    return start_summary(loaded, wants_colour(true, config::process_environment()));
}

int serve(const std::string& path, const std::vector<std::string>& accepted) {
    return_large_blocks();
    open_standard_descriptors();
    raise_descriptor_limit();
    config::Loaded loaded = config::load(path, config::process_environment(), accepted);
    Logger log(loaded.config.log.level);
    std::vector<config::Finding> findings = loaded.findings;
    const auto print = [&] { log.print(config::to_text(findings)); };
    const auto not_started = [&](const std::string& why) {
        print();
        log.print("rotary: not started: " + why + "\n");
    };
    if (!loaded.ok()) {
        not_started("the configuration has errors");
        return 1;
    }
    try {
        server::Server::Options options;
        options.config_path = path;
        options.environment = config::process_environment();
        options.accept_unserved = accepted;
        options.build = build();
        const std::string summary = summary_for_terminal(loaded);
        server::Server server(options, std::move(loaded), log, findings);
        print();
        if (!summary.empty()) log.print(summary);
        return server.run();
    } catch (const std::exception& error) {
        not_started(error.what());
        return config::has_errors(findings) ? 1 : 3;
    }
}

int check(const std::string& path, bool as_json, const std::vector<std::string>& accepted) {
    const config::Loaded loaded = config::load(path, config::process_environment(), accepted);
    std::vector<config::Finding> findings = loaded.findings;
    if (loaded.ok()) {
        routing::SharedState shared;
        routing::compile(loaded, shared, findings);
        server::check_listeners(loaded, findings);
    }
    config::sort_findings(findings, loaded.files);
    const std::string text = as_json ? config::to_json(findings) : config::to_text(findings);
    std::fwrite(text.data(), 1, text.size(), stdout);
    const bool failed = config::has_errors(findings);
    if (!as_json) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(),
                     failed ? "has errors" : "the configuration is right");
        if (!failed && ::isatty(STDERR_FILENO) != 0) {
            std::fprintf(stderr, "%s\n", short_summary(loaded).c_str());
        }
    }
    return failed ? 1 : 0;
}

// Filled when the command line is read, before the command runs.
std::shared_ptr<std::vector<std::string>> add_accepted(cli::Command& command) {
    auto accepted = std::make_shared<std::vector<std::string>>();
    command
        .option("--accept-unserved", *accepted,
                "a kind or field that may go without being served; repeatable")
        .one_of(config::acceptable_names())
        .repeatable();
    return accepted;
}

}  // namespace

void add_serve_command(cli::Command& root) {
    auto path = std::make_shared<std::string>();
    cli::Command command = root.command("serve", "Runs the gateway");
    command.option("-c,--config", *path, "rotary.yaml").required();
    command.notes(
        "SIGHUP reloads the configuration; a broken one leaves the old one in force.\n"
        "SIGTERM and SIGINT drain: requests under way are finished, up to "
        "timeouts.drain.\nA second one stops at once. The access log goes to standard "
        "output, everything else to standard error.");
    const auto accepted = add_accepted(command);
    command.runs([path, accepted] { return serve(*path, *accepted); });
}

void add_check_command(cli::Command& root) {
    auto path = std::make_shared<std::string>();
    auto output = std::make_shared<std::string>("text");
    cli::Command command =
        root.command("check", "Checks a configuration and everything it names; also 'rotary -t'");
    command.option("-c,--config", *path, "rotary.yaml").required();
    command.option("-o,--output", *output, "text, or json for machines").one_of({"text", "json"});
    command.notes(
        "Prints every finding as file:line:column: error|warning: path: message.\n"
        "Exit code 0: no errors; 1: errors; 2: bad usage.");
    const auto accepted = add_accepted(command);
    command.runs([path, output, accepted] { return check(*path, *output == "json", *accepted); });
}

}  // namespace rotary::app
