#include <rotary/app/commands.hpp>
#include <rotary/app/mock.hpp>
#include <rotary/app/token.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

// `rotary -t -c FILE`, as nginx and haproxy have it, is `rotary check -c FILE`.
std::vector<std::string> arguments(int argc, char** argv) {
    std::vector<std::string> given(argv + 1, argv + argc);
    if (!given.empty() && given.front() == "-t") given.front() = "check";
    return {given.rbegin(), given.rend()};  // CLI11 takes them last first
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rotary::app;
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error code, not a death

    CLI::App app{
        "Rotary: a reverse proxy for LLM APIs. It checks who calls, picks a model and a "
        "provider by exact weighted round-robin, and moves on when a quota is used up."};
    app.name("rotary");
    app.require_subcommand(1);
    app.footer(
        "Start with:\n"
        "  rotary demo                        the whole story on this machine, no key needed\n"
        "  rotary check -c config/rotary.yaml is my configuration right?\n"
        "  rotary serve -c config/rotary.yaml run the gateway\n"
        "'rotary COMMAND --help' tells more about one command.");
    int exit_code = 0;
    add_serve_command(app, exit_code);
    add_check_command(app, exit_code);
    add_token_command(app, exit_code);
    add_mock_command(app, exit_code);
    add_demo_command(app, exit_code);
    add_version_command(app, exit_code);
    try {
        app.parse(arguments(argc, argv));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rotary: %s\n", error.what());
        return 3;
    }
    return exit_code;
}
