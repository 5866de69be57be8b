#include <rotary/app/commands.hpp>

#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {

namespace {

struct DumpOptions {
    std::string path;
    bool resources = false;
    config::DumpOptions dump;
};

int dump(const DumpOptions& options) {
    const config::Dump made =
        config::dump(options.path, config::process_environment(), options.dump);
    std::fputs(config::to_text(made.loaded.findings).c_str(), stderr);
    if (!made.loaded.ok()) return 1;
    if (options.resources && made.expansion.empty()) {
        std::fprintf(stderr, "rotary: %s has no short form (providers, apis) to write out\n",
                     options.path.c_str());
        return 1;
    }
    std::fputs(options.resources ? made.expansion.c_str() : made.documents.c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 3;
}

}  // namespace

void add_config_command(cli::Command& root) {
    cli::Command config = root.command("config", "Shows a configuration");
    config.needs_command();
    cli::Command command = config.command("dump", "Prints what a configuration says");
    auto options = std::make_shared<DumpOptions>();
    command.option("-c,--config", options->path, "rotary.yaml").required();
    command.flag("--resources", options->resources, "the resources that its short form stands for");
    command.flag("--all", options->dump.all, "with the defaults of all that it leaves out");
    command.flag("--show-secrets", options->dump.shows_secrets,
                 "with the keys that are written in it");
    command.notes(
        "Prints rotary.yaml and all resources that it names as one stream of YAML documents, as\n"
        "they are written; --all fills in the defaults of what rotary.yaml leaves out, but those\n"
        "of `listeners` and `tracing`. --resources prints what `providers` and `apis` stand for,\n"
        "ready to be put into a file of resources in their place, or for `kubectl apply` (there\n"
        "without variables: their values belong into the Secrets). A key that is written out is\n"
        "left out: in its place stands a variable that has to be set, ${SECRET_NAME:?...}.\n"
        "Findings go to standard error. Exit code 0: printed; 1: the configuration has errors.");
    command.runs([options] { return dump(*options); });
}

}  // namespace rotary::app
