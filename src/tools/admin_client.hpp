#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::cli {
class Command;
}

namespace rotary::tools {

// Where an admin listener is, and what it asks for.
struct AdminPlace {
    std::string host = "127.0.0.1";
    std::string port = "9901";
    std::string host_header = "127.0.0.1:9901";
    std::string token;  // empty: none is sent
};

// As the command line has it.
struct AdminWords {
    std::string url;
    std::string config;
    std::string token_file;
};

// --admin, -c and --token-file of a command.
void add_admin_options(cli::Command& command, AdminWords& words);

// "http://HOST[:PORT]", with or without a slash at its end; nothing for what is none.
std::optional<AdminPlace> parse_admin_url(std::string_view url);

// What the words lead to, the default being 127.0.0.1:9901; nothing: `error` says why.
std::optional<AdminPlace> find_admin(const AdminWords& words, std::string& error);

struct AdminReply {
    unsigned status = 0;  // 0: there is none, and `body` says why
    std::string body;

    bool ok() const noexcept { return status >= 200 && status < 300; }
};

// One request on a connection of its own; waits five seconds at the most for each step.
AdminReply ask_admin(const AdminPlace& place, std::string_view method, std::string_view target);

// The message of an error that the listener answered; its text where it is no such object.
std::string message_of(const AdminReply& reply);

// For a path, all but letters, digits and -._~ percent-encoded.
std::string path_segment(std::string_view text);

}  // namespace rotary::tools
