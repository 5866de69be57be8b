#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/wire/json_writer.hpp>

#include <openssl/crypto.h>
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

void add_version_command(cli::Command& root) {
    auto as_json = std::make_shared<bool>(false);
    cli::Command command = root.command(
        "version", "Prints the version, and what it was built with; also 'rotary --version'");
    command.flag("--json", *as_json, "For machines");
    command.runs([as_json] {
        const std::string text = *as_json ? version_json() : version_text();
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    });
}

}  // namespace rotary::app
