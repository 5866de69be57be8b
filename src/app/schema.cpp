#include <rotary/app/commands.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/schema/schema.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {

void add_schema_command(cli::Command& root) {
    auto what = std::make_shared<std::string>("rotary");
    auto format = std::make_shared<std::string>("json");
    cli::Command command =
        root.command("schema", "Prints what may stand in a configuration, for editors and people");
    command.option("what", *what, "rotary: of rotary.yaml; resources: of the files it names")
        .one_of({"rotary", "resources"});
    command.option("--format", *format, "json: JSON Schema; markdown: a reference of both")
        .one_of({"json", "markdown"});
    command.notes(
        "Editors with yaml-language-server take it by a line at the head of a document:\n"
        "  # yaml-language-server: $schema=schema/rotary.json\n"
        "It knows what one document can tell; 'rotary check' knows the rest.");
    command.runs([what, format] {
        std::string text;
        if (*format == "markdown") {
            text = config::reference();
        } else {
            text = *what == "rotary" ? config::settings_schema() : config::resources_schema();
        }
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    });
}

}  // namespace rotary::app
