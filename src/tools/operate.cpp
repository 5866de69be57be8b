#include <rotary/cli/command.hpp>
#include <rotary/tools/operate.hpp>

#include "tools/admin_client.hpp"
#include "tools/top.hpp"
#include "tools/top_screen.hpp"

#include <rotary/wire/json_document.hpp>

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace rotary::tools {

namespace {

// A command that asks one thing of the listener.
struct Asked {
    AdminWords admin;
    std::string id;
    std::string output = "table";
    unsigned seconds = 0;  // 0: as long as the listener thinks
    bool live = false;
    bool once = false;
};

constexpr const char* kCodes =
    "Exit code 0: done; 1: the gateway says no; 2: bad usage; 3: no gateway answers.";

int misused(const char* command, const std::string& why) {
    std::fprintf(stderr, "rotary %s: %s\n", command, why.c_str());
    return 2;
}

int refused(const char* command, const AdminReply& reply) {
    std::fprintf(stderr, "rotary %s: %s\n", command, message_of(reply).c_str());
    return reply.status == 0 ? 3 : 1;
}

int show_status(const AdminPlace& place, const Asked& asked) {
    const AdminReply status = ask_admin(place, "GET", "/api/v1/status");
    if (!status.ok()) return refused("status", status);
    if (asked.output == "json") {
        std::fputs(status.body.c_str(), stdout);
        return 0;
    }
    const AdminReply models = ask_admin(place, "GET", "/api/v1/models");
    if (!models.ok()) return refused("status", models);
    print_page({status.body, models.body, ""});
    return 0;
}

int change_model(const AdminPlace& place, const Asked& asked, const char* what) {
    std::string target = "/api/v1/models/" + path_segment(asked.id) + "/" + what;
    if (asked.seconds != 0) target += "?seconds=" + std::to_string(asked.seconds);
    const AdminReply reply = ask_admin(place, "POST", target);
    if (!reply.ok()) return refused(what, reply);
    const auto answer = wire::JsonDocument::parse(reply.body);
    const auto seconds = answer ? answer->root().find("seconds") : std::nullopt;
    if (seconds) {
        std::printf("%s is suspended for %lld s\n", asked.id.c_str(),
                    static_cast<long long>(seconds->integer().value_or(0)));
    } else {
        std::printf("%s is back in the rotation\n", asked.id.c_str());
    }
    return 0;
}

int reload(const AdminPlace& place, const Asked&) {
    const AdminReply reply = ask_admin(place, "POST", "/api/v1/reload");
    const auto answer = wire::JsonDocument::parse(reply.body);
    const auto findings = answer ? answer->root().find("findings") : std::nullopt;
    if (!findings) return refused("reload", reply);
    const std::string text(findings->string().value_or(""));
    std::fputs(text.c_str(), reply.ok() ? stdout : stderr);
    std::fputs(reply.ok() ? "reloaded\n" : "not reloaded: the old configuration stays in force\n",
               stderr);
    return reply.ok() ? 0 : 1;
}

int drain(const AdminPlace& place, const Asked&) {
    const AdminReply reply = ask_admin(place, "POST", "/api/v1/drain");
    if (!reply.ok()) return refused("drain", reply);
    std::puts("draining: requests under way are finished, then the gateway ends");
    return 0;
}

int healthcheck(const AdminPlace& place, const Asked& asked) {
    const AdminReply reply = ask_admin(place, "GET", asked.live ? "/livez" : "/readyz");
    if (!reply.ok()) return refused("healthcheck", reply);
    std::puts("ok");
    return 0;
}

int top(const AdminPlace& place, const Asked& asked) {
    return asked.once ? print_top(place, asked.output == "json") : run_top(place);
}

using Run = int (*)(const AdminPlace& place, const Asked& asked);

struct Verb {
    const char* name;
    const char* what;
    Run run;
};

std::pair<cli::Command, std::shared_ptr<Asked>> add(cli::Command& root, const Verb& verb) {
    auto asked = std::make_shared<Asked>();
    cli::Command command = root.command(verb.name, verb.what);
    add_admin_options(command, asked->admin);
    command.notes(kCodes);
    command.runs([asked, verb] {
        std::string error;
        const auto place = find_admin(asked->admin, error);
        return place ? verb.run(*place, *asked) : misused(verb.name, error);
    });
    return {command, asked};
}

void add_output(cli::Command& command, Asked& asked) {
    command.option("-o,--output", asked.output, "table, or json for machines")
        .one_of({"table", "json"});
}

}  // namespace

void add_operate_commands(cli::Command& root) {
    auto status = add(root, {"status", "Shows how a running gateway stands", show_status});
    add_output(status.first, *status.second);
    auto watched = add(root, {"top", "Shows it each second, and takes keys", top});
    const cli::Option once =
        watched.first.flag("--once", watched.second->once, "once, for scripts");
    watched.first.option("-o,--output", watched.second->output, "table, or json; with --once")
        .one_of({"table", "json"})
        .needs(once);
    const Run run_suspend = [](const AdminPlace& place, const Asked& asked) {
        return change_model(place, asked, "suspend");
    };
    auto suspend = add(root, {"suspend", "Takes a model out of the rotation", run_suspend});
    suspend.first
        .option("ID", suspend.second->id,
                "API/environment/model@Backend, as 'rotary top --once -o json' has it")
        .required();
    suspend.first.option("--seconds", suspend.second->seconds, "60 if not said").between(1, 3600);
    const Run run_resume = [](const AdminPlace& place, const Asked& asked) {
        return change_model(place, asked, "resume");
    };
    auto resume = add(root, {"resume", "Takes a model back into it", run_resume});
    resume.first.option("ID", resume.second->id, "API/environment/model@Backend").required();
    add(root, {"reload", "Makes a running gateway read its files again", reload});
    add(root, {"drain", "Makes it finish what runs, and end", drain});
    auto health =
        add(root, {"healthcheck", "Whether a running gateway takes requests", healthcheck});
    health.first.flag("--live", health.second->live, "whether its event loops turn, no more");
}

}  // namespace rotary::tools
