#include <rotary/app/commands.hpp>
#include <rotary/config/schema/schema.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {

void add_schema_command(CLI::App& app, int& exit_code) {
    auto what = std::make_shared<std::string>("rotary");
    auto format = std::make_shared<std::string>("json");
    CLI::App* command = app.add_subcommand(
        "schema", "Prints what may stand in a configuration, for editors and people");
    command->add_option("what", *what, "rotary: of rotary.yaml; resources: of the files it names")
        ->check(CLI::IsMember({"rotary", "resources"}));
    command->add_option("--format", *format, "json: JSON Schema; markdown: a reference of both")
        ->check(CLI::IsMember({"json", "markdown"}));
    command->footer(
        "Editors with yaml-language-server take it by a line at the head of a document:\n"
        "  # yaml-language-server: $schema=schema/rotary.json\n"
        "It knows what one document can tell; 'rotary check' knows the rest.");
    command->callback([what, format, &exit_code] {
        std::string text;
        if (*format == "markdown") {
            text = config::reference();
        } else {
            text = *what == "rotary" ? config::settings_schema() : config::resources_schema();
        }
        std::fwrite(text.data(), 1, text.size(), stdout);
        exit_code = 0;
    });
}

}  // namespace rotary::app
