#include <rotary/auth/api_key.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/tools/dev_certificates.hpp>
#include <rotary/tools/init.hpp>
#include <rotary/tools/private_folder.hpp>

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace rotary::tools {

namespace {

namespace fs = std::filesystem;

// Makes the folders, for their owner alone. False when something is there that would be
// overwritten.
bool make_folders(const fs::path& folder, std::ostream& err) {
    for (const char* name : {"rotary.yaml", "certs"}) {
        if (fs::exists(fs::symlink_status(folder / name))) {
            err << "rotary init: " << (folder / name).string()
                << " is there already, and nothing is overwritten; --dir names another folder\n";
            return false;
        }
    }
    if (fs::create_directories(folder)) fs::permissions(folder, fs::perms::owner_all);
    fs::create_directory(folder / "certs");
    fs::permissions(folder / "certs", fs::perms::owner_all);
    return true;
}

void write_folder(const fs::path& folder, const std::string& configuration) {
    const DevCertificates made = make_dev_certificates((folder / "certs").string());
    fs::remove(made.issuer_key);  // an issuer for development is not wanted
    fs::remove(made.issuer_jwks);
    write_private_file((folder / "rotary.yaml").string(), configuration);
}

// The variable that the key comes from, when it is not set here.
std::string unset_variable(const InitOptions& options) {
    constexpr std::string_view kEnv = "env:";
    if (!options.key_from.starts_with(kEnv)) return "";
    const std::string name = options.key_from.substr(kEnv.size());
    const auto value = config::process_environment()(name);
    return value && !value->empty() ? "" : name;
}

// What is wrong with what the folder would say, read where it will stand.
std::string objection_to(const InitOptions& options, const std::string& configuration) {
    const std::string unset = unset_variable(options);
    const auto environment = [&](std::string_view name) -> std::optional<std::string> {
        if (name == unset) return "x";
        return config::process_environment()(name);
    };
    const std::string file = (fs::path(options.dir) / "rotary.yaml").string();
    const config::Loaded loaded = config::load_text({file, configuration}, {}, environment);
    std::string text;
    for (const config::Finding& finding : loaded.findings) {
        const bool is_ours = finding.path.starts_with("providers") ||
                             finding.path.starts_with("apis");  // certificates are not there yet
        if (finding.severity == config::Severity::error && is_ours) {
            text += "  " + finding.path + ": " + finding.message + '\n';
        }
    }
    return text;
}

void tell(const InitOptions& options, const std::string& key, std::ostream& out) {
    const std::string folder = fs::path(options.dir).lexically_normal().string();
    out << folder << " holds rotary.yaml and certificates for localhost. Next:\n\n";
    if (const std::string name = unset_variable(options); !name.empty()) {
        out << "  export " << name << "=...   # the provider's key\n";
    }
    out << "  rotary serve -c " << shell_word((fs::path(folder) / "rotary.yaml").string()) << "\n\n"
        << "and in another terminal ";
    if (options.no_key) {
        out << "(with a token of the issuer):\n\n  export TOKEN=...\n  ";
    } else {
        out << "(the key stands here and nowhere else):\n\n  ";
    }
    const std::string line = init_curl_line(options, folder, key);
    out << line << '\n';
}

// The answer on a terminal; an empty line takes what is there.
void ask(const char* question, std::string& value) {
    std::cout << question << " [" << value << "]: " << std::flush;
    std::string line;
    if (std::getline(std::cin, line) && !line.empty()) value = line;
}

void ask_for_all(InitOptions& options) {
    ask("Folder", options.dir);
    ask("Address of the provider (OpenAI's API)", options.provider_url);
    ask("Where its key comes from (env:NAME, file:PATH, none)", options.key_from);
    std::string models;
    for (const std::string& model : options.models) models += (models.empty() ? "" : " ") + model;
    ask("Models and their weights", models);
    options.models.clear();
    std::istringstream words(models);
    for (std::string word; words >> word;) options.models.push_back(word);
}

}  // namespace

int init(const InitOptions& options, std::ostream& out, std::ostream& err) {
    const std::string key = auth::make_api_key();
    std::string error;
    InitOptions placed = options;
    constexpr std::string_view kFile = "file:";
    if (placed.key_from.starts_with(kFile) && placed.key_from.size() > kFile.size()) {
        placed.key_from =
            std::string(kFile) + fs::absolute(placed.key_from.substr(kFile.size())).string();
    }
    const std::string configuration =
        init_configuration(placed, auth::hash_text(auth::digest_of(key)), error);
    if (error.empty()) {
        const std::string objection = objection_to(placed, configuration);
        if (!objection.empty()) error = "these options make no configuration:\n" + objection;
    }
    if (!error.empty()) {
        err << "rotary init: " << error << '\n';
        return 2;
    }
    try {
        const fs::path folder(options.dir);
        if (!make_folders(folder, err)) return 1;
        write_folder(folder, configuration);
    } catch (const std::exception& failure) {
        err << "rotary init: " << failure.what() << '\n';
        return 3;
    }
    tell(options, key, out);
    return 0;
}

void add_init_command(cli::Command& root) {
    auto options = std::make_shared<InitOptions>();
    cli::Command command = root.command(
        "init", "Writes a working folder to begin with: rotary.yaml, certificates, an API key");
    command.option("--dir", options->dir, "The folder; made when it is not there").shows_default();
    command.option("--provider-url", options->provider_url, "A provider of OpenAI's API")
        .shows_default();
    command
        .option("--openai-key-from", options->key_from,
                "Where its key comes from: env:NAME, file:PATH or none")
        .shows_default();
    command.option("--model", options->models, "NAME=WEIGHT; may be there several times")
        .shows_default()
        .repeatable();
    command
        .option("--embedding-model", options->embedding_models,
                "NAME=WEIGHT of a model for embeddings")
        .repeatable();
    command.option("--consumer", options->consumer, "Whose the API key is").shows_default();
    command.option("--issuer", options->issuer, "URL of an issuer whose tokens pass as well");
    command.flag("--no-key", options->no_key, "No API key: the issuer's tokens alone pass");
    command.option("--port", options->port, "Where clients call, on this machine")
        .between(1, 65535)
        .shows_default();
    command.option("--admin-port", options->admin_port, "Where operators do")
        .between(1, 65535)
        .shows_default();
    command.notes(
        "Asks on a terminal when it is called without options. Overwrites nothing.\n"
        "Exit code 0: written; 1: something is there already; 2: bad usage; 3: can't be written.");
    command.runs([command, options] {
        const bool asks =
            command.is_bare() && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
        if (asks) ask_for_all(*options);
        return init(*options, std::cout, std::cerr);
    });
}

}  // namespace rotary::tools
