#include <rotary/app/commands.hpp>
#include <rotary/app/explain.hpp>
#include <rotary/config/load.hpp>
#include <rotary/server/dry_run.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace rotary::app {

namespace {

struct Options {
    std::string config;
    std::string output = "text";
    std::vector<std::string> suspended;
    AskedOptions asked;
};

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int complain(const char* command, const std::string& why, int code) {
    std::fprintf(stderr, "rotary %s: %s\n", command, why.c_str());
    return code;
}

// Null, with the findings on standard error, when the configuration has errors.
std::unique_ptr<server::DryRun> open(const char* command, const std::string& path) {
    const config::Loaded loaded = config::load(path, config::process_environment());
    std::vector<config::Finding> findings = loaded.findings;
    std::string why = "the configuration has errors";
    try {
        if (loaded.ok()) return std::make_unique<server::DryRun>(loaded, findings);
    } catch (const std::exception& error) {
        why = error.what();
    }
    std::fputs(config::to_text(findings).c_str(), stderr);
    complain(command, path + ": " + why, 1);
    return nullptr;
}

int routes(const Options& options) {
    const auto run = open("routes", options.config);
    if (!run) return 1;
    print(options.output == "json" ? routes_json(run->snapshot()) : routes_text(run->snapshot()));
    return 0;
}

int explain(const Options& options) {
    proxy::Asked asked;
    try {
        asked = asked_of(options.asked);
    } catch (const std::exception& error) {
        return complain("explain", error.what(), 2);
    }
    const auto run = open("explain", options.config);
    if (!run) return 1;
    for (const std::string& id : options.suspended) {
        if (!run->suspend(id)) return complain("explain", "--suspended: no entry is " + id, 2);
    }
    const proxy::Explanation told = run->explain(asked);
    print(options.output == "json" ? to_json(told) : to_text(told));
    return 0;
}

void add_common(CLI::App& command, Options& options) {
    command.add_option("-c,--config", options.config, "rotary.yaml")->required()->type_name("FILE");
    command.add_option("-o,--output", options.output, "text, or json for machines")
        ->check(CLI::IsMember({"text", "json"}));
}

}  // namespace

void add_routes_command(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand(
        "routes", "Lists what is served where: hosts, paths, and who answers there");
    add_common(*command, *options);
    command->footer(
        "In the order in which rules are looked at: the first that fits serves a request.\n"
        "PATH/* is a path with all below it, and behind a ~ stands an expression.");
    command->callback([options, &exit_code] { exit_code = routes(*options); });
}

void add_explain_command(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<Options>();
    AskedOptions& asked = options->asked;
    CLI::App* command =
        app.add_subcommand("explain", "Tells what would happen to a request, and asks no provider");
    add_common(*command, *options);
    command->add_option("url", asked.url, "As a client would write it")
        ->required()
        ->type_name("URL");
    command->add_option("-X,--request", asked.method, "The method: GET, or POST with -d")
        ->type_name("METHOD");
    command->add_option("-H,--header", asked.headers, "'name: value'; repeatable")
        ->allow_extra_args(false)
        ->type_name("HEADER");
    CLI::Option* body =
        command->add_option("-d,--data", asked.body, "The body, or @FILE; JSON unless -H says else")
            ->type_name("BODY");
    command->add_option("--client", asked.client_address, "The client's address")
        ->type_name("ADDRESS");
    command
        ->add_option("--suspended", options->suspended,
                     "As if this entry was suspended: API/environment/model@Backend; repeatable")
        ->allow_extra_args(false)
        ->type_name("ID");
    command->footer(
        "Who calls is told by headers, as in a request: -H 'Authorization: Bearer ...'.\n"
        "It knows the configuration and nothing of a gateway that runs: the rotation begins anew,\n"
        "no limit was used, and what is not named by --suspended is in. Keys are shown as ***.\n"
        "Exit code 0: it is told, even if it is a refusal; 1: the configuration has errors.");
    command->callback([options, body, &exit_code] {
        options->asked.has_body = body->count() > 0;
        exit_code = explain(*options);
    });
}

}  // namespace rotary::app
