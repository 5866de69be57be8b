#include <app/command_line.hpp>

#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include <rotary/demo/command.hpp>
#include <rotary/mock/provider.hpp>
#include <rotary/tools/init.hpp>
#include <rotary/tools/key.hpp>
#include <rotary/tools/operate.hpp>
#include <rotary/tools/token.hpp>
#include <rotary/tools/usage.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace rotary::app {

namespace {

// What to say of a first word that is no command; empty when it is one, or an option.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
    if (words.empty() || words.front().starts_with('-')) return "";
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_name() == words.front()) return "";
        names.push_back(command->get_name());
    }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string near = config::did_you_mean(words.front(), names);
    return "there is no command \"" + words.front() + "\"" +
           (near.empty() ? "; the commands are " + all : near);
}

void add_commands(CLI::App& app, int& exit_code) {
    tools::add_init_command(app, exit_code);
    add_serve_command(app, exit_code);
    add_check_command(app, exit_code);
    add_routes_command(app, exit_code);
    add_explain_command(app, exit_code);
    add_config_command(app, exit_code);
    tools::add_token_command(app, exit_code);
    tools::add_key_command(app, exit_code);
    tools::add_usage_command(app, exit_code);
    tools::add_operate_commands(app, exit_code);
    mock::add_mock_command(app, exit_code);
    demo::add_demo_command(app, exit_code);
    add_schema_command(app, exit_code);
    add_completion_command(app, exit_code);
    add_version_command(app, exit_code);
}

}  // namespace

int run_command_line(std::vector<std::string> words) {
    // As nginx and haproxy have it, `rotary -t -c FILE` is `rotary check -c FILE`.
    if (!words.empty() && words.front() == "-t") words.front() = "check";

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
    add_commands(app, exit_code);
    if (const std::string why = unknown_command(app, words); !why.empty()) {
        std::fprintf(stderr, "rotary: %s\nRun 'rotary --help' for what each does.\n", why.c_str());
        return 2;
    }
    try {
        std::reverse(words.begin(), words.end());  // CLI11 takes them last first
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rotary: %s\n", error.what());
        return 3;
    }
    return exit_code;
}

}  // namespace rotary::app
