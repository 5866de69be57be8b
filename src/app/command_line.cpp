#include <app/command_line.hpp>

#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>
#include <rotary/cli/program.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include <rotary/demo/command.hpp>
#include <rotary/mock/provider.hpp>
#include <rotary/tools/init.hpp>
#include <rotary/tools/key.hpp>
#include <rotary/tools/operate.hpp>
#include <rotary/tools/token.hpp>
#include <rotary/tools/usage.hpp>

#include <cstdio>

namespace rotary::app {

namespace {

// What to say of a first word that is no command; empty when it is one, or an option.
std::string unknown_command(const cli::Command& root, const std::vector<std::string>& words) {
    if (words.empty() || words.front().starts_with('-')) return "";
    std::vector<std::string> names;
    const cli::CommandNode tree = root.tree();
    for (const cli::CommandNode& command : tree.commands) {
        if (command.name == words.front()) return "";
        names.push_back(command.name);
    }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string near = config::did_you_mean(words.front(), names);
    return "there is no command \"" + words.front() + "\"" +
           (near.empty() ? "; the commands are " + all : near);
}

void add_commands(cli::Command& root) {
    tools::add_init_command(root);
    add_serve_command(root);
    add_check_command(root);
    add_routes_command(root);
    add_explain_command(root);
    add_config_command(root);
    tools::add_token_command(root);
    tools::add_key_command(root);
    tools::add_usage_command(root);
    tools::add_operate_commands(root);
    mock::add_mock_command(root);
    demo::add_demo_command(root);
    add_schema_command(root);
    add_completion_command(root);
    add_version_command(root);
}

}  // namespace

int run_command_line(std::vector<std::string> words) {
    // As nginx and haproxy have it, `rotary -t -c FILE` is `rotary check -c FILE`.
    if (!words.empty() && words.front() == "-t") words.front() = "check";

    cli::Program program(
        "rotary",
        "Rotary: a reverse proxy for LLM APIs. It checks who calls, picks a model and a "
        "provider by exact weighted round-robin, and moves on when a quota is used up.");
    program.version([] {
        std::string text = version_text();
        text.pop_back();  // CLI11 ends the line
        return text;
    });
    cli::Command root = program.root();
    root.needs_command();
    root.notes(
        "Start with:\n"
        "  rotary demo                        the whole story on this machine, no key needed\n"
        "  rotary check -c config/rotary.yaml is my configuration right?\n"
        "  rotary serve -c config/rotary.yaml run the gateway\n"
        "'rotary COMMAND --help' tells more about one command.");
    add_commands(root);
    if (const std::string why = unknown_command(root, words); !why.empty()) {
        std::fprintf(stderr, "rotary: %s\nRun 'rotary --help' for what each does.\n", why.c_str());
        return 2;
    }
    return program.run(std::move(words));
}

}  // namespace rotary::app
