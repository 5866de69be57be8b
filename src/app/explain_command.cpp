#include <rotary/app/commands.hpp>
#include <rotary/app/explain.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/server/dry_run.hpp>

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

void add_common(cli::Command& command, Options& options) {
    command.option("-c,--config", options.config, "rotary.yaml").required().takes("FILE");
    command.option("-o,--output", options.output, "text, or json for machines")
        .one_of({"text", "json"});
}

}  // namespace

void add_routes_command(cli::Command& root) {
    auto options = std::make_shared<Options>();
    cli::Command command =
        root.command("routes", "Lists what is served where: hosts, paths, and who answers there");
    add_common(command, *options);
    command.notes(
        "In the order in which rules are looked at: the first that fits serves a request.\n"
        "PATH/* is a path with all below it, and behind a ~ stands an expression.");
    command.runs([options] { return routes(*options); });
}

void add_explain_command(cli::Command& root) {
    auto options = std::make_shared<Options>();
    AskedOptions& asked = options->asked;
    cli::Command command =
        root.command("explain", "Tells what would happen to a request, and asks no provider");
    add_common(command, *options);
    command.option("url", asked.url, "As a client would write it").required().takes("URL");
    command.option("-X,--request", asked.method, "The method: GET, or POST with -d")
        .takes("METHOD");
    command.option("-H,--header", asked.headers, "'name: value'; repeatable")
        .repeatable()
        .takes("HEADER");
    const cli::Option body =
        command.option("-d,--data", asked.body, "The body, or @FILE; JSON unless -H says else")
            .takes("BODY");
    command.option("--client", asked.client_address, "The client's address").takes("ADDRESS");
    command
        .option("--suspended", options->suspended,
                "As if this entry was suspended: API/environment/model@Backend; repeatable")
        .repeatable()
        .takes("ID");
    command.notes(
        "Who calls is told by headers, as in a request: -H 'Authorization: Bearer ...'.\n"
        "It knows the configuration and nothing of a gateway that runs: the rotation begins anew,\n"
        "no limit was used, and what is not named by --suspended is in. Keys are shown as ***.\n"
        "Exit code 0: it is told, even if it is a refusal; 1: the configuration has errors.");
    command.runs([options, body] {
        options->asked.has_body = body.was_typed();
        return explain(*options);
    });
}

}  // namespace rotary::app
