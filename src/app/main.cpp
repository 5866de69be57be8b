#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include <rotary/demo/command.hpp>
#include <rotary/mock/provider.hpp>
#include <rotary/tools/token.hpp>

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

// What to say of a first word that is no command; empty when it is one, or an option.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& given) {
    if (given.empty() || given.back().starts_with('-')) return "";
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_name() == given.back()) return "";
        names.push_back(command->get_name());
    }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string near = rotary::config::did_you_mean(given.back(), names);
    return "there is no command \"" + given.back() + "\"" +
           (near.empty() ? "; the commands are " + all : near);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rotary::app;
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error code, not a death
    std::signal(SIGUSR1, SIG_IGN);  // until the server takes it: log rotation must end nothing
    std::signal(SIGUSR2, SIG_IGN);

    CLI::App app{
        "Rotary: a reverse proxy for LLM APIs. It checks who calls, picks a model and a "
        "provider by exact weighted round-robin, and moves on when a quota is used up."};
    app.name("rotary");
    app.require_subcommand(1);
    app.set_version_flag("--version", [] {
        std::string text = version_text();
        text.pop_back();  // CLI11 ends the line
        return text;
    });
    app.footer(
        "Start with:\n"
        "  rotary demo                        the whole story on this machine, no key needed\n"
        "  rotary check -c config/rotary.yaml is my configuration right?\n"
        "  rotary serve -c config/rotary.yaml run the gateway\n"
        "'rotary COMMAND --help' tells more about one command.");
    int exit_code = 0;
    add_serve_command(app, exit_code);
    add_check_command(app, exit_code);
    rotary::tools::add_token_command(app, exit_code);
    rotary::mock::add_mock_command(app, exit_code);
    rotary::demo::add_demo_command(app, exit_code);
    add_version_command(app, exit_code);
    std::vector<std::string> given = arguments(argc, argv);
    if (const std::string why = unknown_command(app, given); !why.empty()) {
        std::fprintf(stderr, "rotary: %s\nRun 'rotary --help' for what each does.\n", why.c_str());
        return 2;
    }
    try {
        app.parse(given);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rotary: %s\n", error.what());
        return 3;
    }
    return exit_code;
}
