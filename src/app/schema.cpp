#include <rotary/app/commands.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/schema/schema.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {
namespace {

constexpr const char* kEveryGroup = "all";

// Those of a group, or of all.
std::string definitions_of(const std::string& group) {
    std::string all;
    std::string groups;
    for (const std::string& one : config::definable_groups()) {
        groups += one + ", ";
        if (group == one || group == kEveryGroup) {
            all += config::resource_definitions(one);
        }
    }
    if (all.empty()) {
        throw cli::Misuse("--group", "must be one of " + groups + kEveryGroup);
    }
    return all;
}

}  // namespace

void add_schema_command(cli::Command& root) {
    auto what = std::make_shared<std::string>("rotary");
    auto format = std::make_shared<std::string>("json");
    auto group = std::make_shared<std::string>(kEveryGroup);
    cli::Command command = root.command(
        "schema", "Prints what may stand in a configuration, for editors, clusters and people");
    command
        .option("what", *what,
                "rotary: of rotary.yaml; resources: of the files it names; crds: the "
                "CustomResourceDefinitions of a cluster")
        .one_of({"rotary", "resources", "crds"});
    const cli::Option as =
        command.option("--format", *format, "json: JSON Schema; markdown: a reference of both")
            .one_of({"json", "markdown"});
    const cli::Option of = command.option("--group", *group, "Of crds: those of one group");
    command.notes(
        "Editors with yaml-language-server take it by a line at the head of a document:\n"
        "  # yaml-language-server: $schema=schema/rotary.json\n"
        "It knows what one document can tell; 'rotary check' knows the rest.\n"
        "A cluster takes its definitions by\n"
        "  rotary schema crds | kubectl apply --server-side -f -");
    command.runs([what, format, group, as, of] {
        if (*what == "crds" && as.was_typed()) throw cli::Misuse("--format", "crds are YAML");
        if (*what != "crds" && of.was_typed()) {
            throw cli::Misuse("--group", "only crds have groups");
        }
        std::string text;
        if (*format == "markdown") {
            text = config::reference();
        } else if (*what == "crds") {
            text = definitions_of(*group);
        } else {
            text = *what == "rotary" ? config::settings_schema() : config::resources_schema();
        }
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    });
}

}  // namespace rotary::app
