#include <rotary/app/commands.hpp>
#include <rotary/app/version.hpp>

#include <openssl/crypto.h>
#include <CLI/CLI.hpp>
#include <boost/version.hpp>

#include <cstdio>
#include <string>

namespace rotary::app {

std::string version_text() {
    std::string text = "rotary " ROTARY_VERSION " (" ROTARY_REVISION ")\n";
    text += "compiler: " ROTARY_COMPILER "\n";
    text += "boost: " + std::to_string(BOOST_VERSION / 100000) + "." +
            std::to_string(BOOST_VERSION / 100 % 1000) + "\n";
    text += std::string("openssl: ") + OpenSSL_version(OPENSSL_VERSION_STRING) + "\n";
    text += "yaml-cpp: " ROTARY_YAML_CPP "\n";
    return text;
}

void add_version_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("version", "Prints the version, and what it was built with");
    command->callback([&exit_code] {
        const std::string text = version_text();
        std::fwrite(text.data(), 1, text.size(), stdout);
        exit_code = 0;
    });
}

}  // namespace rotary::app
