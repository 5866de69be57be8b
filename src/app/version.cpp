#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>
#include <rotary/wire/json_writer.hpp>

#include <openssl/crypto.h>
#include <CLI/CLI.hpp>
#include <boost/version.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {

namespace {

std::string boost_version() {
    return std::to_string(BOOST_VERSION / 100000) + "." +
           std::to_string(BOOST_VERSION / 100 % 1000);
}

}  // namespace

server::Server::Build build() { return {ROTARY_VERSION, ROTARY_REVISION, ROTARY_COMPILER}; }

std::string version_text() {
    std::string text = "rotary " ROTARY_VERSION " (" ROTARY_REVISION ")\n";
    text += "compiler: " ROTARY_COMPILER "\n";
    text += "boost: " + boost_version() + "\n";
    text += std::string("openssl: ") + OpenSSL_version(OPENSSL_VERSION_STRING) + "\n";
    text += "yaml-cpp: " ROTARY_YAML_CPP "\n";
    return text;
}

namespace {

// The lines of version_text() as an object.
std::string version_json() {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object()
        .string("version", ROTARY_VERSION)
        .string("revision", ROTARY_REVISION)
        .string("compiler", ROTARY_COMPILER)
        .string("boost", boost_version())
        .string("openssl", OpenSSL_version(OPENSSL_VERSION_STRING))
        .string("yaml-cpp", ROTARY_YAML_CPP)
        .end_object();
    return out + "\n";
}

}  // namespace

void add_version_command(CLI::App& app, int& exit_code) {
    auto as_json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand(
        "version", "Prints the version, and what it was built with; also 'rotary --version'");
    command->add_flag("--json", *as_json, "For machines");
    command->callback([as_json, &exit_code] {
        const std::string text = *as_json ? version_json() : version_text();
        std::fwrite(text.data(), 1, text.size(), stdout);
        exit_code = 0;
    });
}

}  // namespace rotary::app
