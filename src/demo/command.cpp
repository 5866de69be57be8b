#include <rotary/cli/command.hpp>
#include <rotary/demo/command.hpp>

#include <demo/calls.hpp>
#include <demo/print.hpp>
#include <demo/rows.hpp>
#include <demo/stage.hpp>
#include <demo/story.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace rotary::demo {

namespace {

struct DemoOptions {
    StageOptions stage;
    bool once = false;
};

void introduce(const Stage& stage, Printer& print) {
    print.line("Rotary on this machine: a gateway, two stand-in providers, no key, no network.");
    print.line("");
    print.row(column("gateway", 12) + "https://127.0.0.1:" + std::to_string(stage.port()));
    for (const auto& provider : stage.providers()) {
        print.row(column(provider.name, 12) + provider.mock->url());
    }
    print.row(column("admin", 12) + "http://127.0.0.1:" + std::to_string(stage.admin_port()));
    print.row(column("files", 12) + stage.folder() + "  (rotary.yaml, resources.yaml, ca.crt)");
}

void serve_on(const Stage& stage, const std::string& token, const StopSignal& stop,
              Printer& print) {
    print.line("");
    print.line("The gateway goes on serving until Ctrl-C. Your turn, again and again:");
    print.line("");
    print.line(curl_line(stage.port(), stage.certificates().ca, token));
    print.line("");
    stop.wait();
}

int run_demo(const DemoOptions& options) {
    try {
        const StopSignal stop;  // before the first thread is there
        try {
            Printer print;
            const Stage stage(options.stage);
            introduce(stage, print);
            Story story(stage, stop, print);
            const bool happened = story.tell();
            print.line("");
            print.line(happened ? "All " + std::to_string(print.steps()) + " steps happened."
                                : "Not every step happened: see FAILED above.");
            if (!options.once) serve_on(stage, story.token(), stop, print);
            return happened ? 0 : 1;
        } catch (const Stopped&) {
            std::fputs("rotary demo: stopped\n", stderr);
            return options.once ? 1 : 0;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rotary demo: %s\n", error.what());
        return 3;
    }
}

}  // namespace

void add_demo_command(cli::Command& root) {
    auto options = std::make_shared<DemoOptions>();
    cli::Command command =
        root.command("demo", "Shows the whole story on this machine, with no key and no network");
    command.flag("--once", options->once,
                 "Exit after the story: 0 if every step happened, 1 if not");
    command.option("--port", options->stage.port, "Of the gateway; 0 takes a free one")
        .shows_default();
    command.flag("--verbose", options->stage.verbose,
                 "With the gateway's own log, on standard error");
    command.notes(
        "Two stand-in providers, the gateway with TLS on 127.0.0.1, real calls: who\n"
        "may call, the turns of the rotation, the sandbox, a stream, a 429 and the\n"
        "suspension, the return. Then it goes on serving until Ctrl-C. All that it\n"
        "writes is in a private temporary folder that goes with it.");
    command.runs([options] { return run_demo(*options); });
}

}  // namespace rotary::demo
