#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::cli {
class Command;
}

// `rotary init`: a working folder to begin with.
namespace rotary::tools {

// What is asked for. Texts are as typed; an empty one takes its default.
struct InitOptions {
    std::string dir = "rotary";
    std::string provider_url = "https://api.openai.com/v1";
    std::string key_from = "env:OPENAI_API_KEY";  // env:NAME, file:PATH or none
    std::vector<std::string> models{"gpt-4o=5", "gpt-4o-mini=3"};
    std::vector<std::string> embedding_models;  // as models
    std::string consumer = "me";
    std::string issuer;   // whose tokens pass as well
    bool no_key = false;  // they alone do
    std::uint16_t port = 9095;
    std::uint16_t admin_port = 9901;
};

struct InitModel {
    std::string name;
    std::uint32_t weight = 1;
};

// "gpt-4o=5" in two; without a weight it is 1. The name may hold '=' itself when a weight follows.
std::optional<InitModel> parse_init_model(std::string_view text);

// The text of rotary.yaml; why the options make none in `error`. The hash is not looked at where no
// key is wanted.
std::string init_configuration(const InitOptions& options, std::string_view key_hash,
                               std::string& error);

// For a shell: quoted where it has to be.
std::string shell_word(std::string_view text);

// The line that asks the gateway for an answer, from anywhere. Without a key it takes the variable
// TOKEN.
std::string init_curl_line(const InitOptions& options, std::string_view folder,
                           std::string_view key);

// Writes the folder and tells on `out` what to do next; the key is shown this once. Overwrites
// nothing. Gives the exit code: 0, 1 when something is there already, 2 for options that make no
// sense, 3 when it can't be written.
int init(const InitOptions& options, std::ostream& out, std::ostream& err);

// Adds `rotary init`.
void add_init_command(cli::Command& root);

}  // namespace rotary::tools
