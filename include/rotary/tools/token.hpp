#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/base/clock.hpp>

namespace rotary::cli {
class Command;
}

// `rotary token`: a JWT for development and tests, signed with a key of the caller's own.
namespace rotary::tools {

struct TokenOptions {
    std::string key_file;  // PEM
    std::string issuer;
    std::string algorithm;  // empty: the one that suits the key
    std::string kid;        // empty: the token names no key
    std::string subject;
    std::vector<std::string> audiences;  // one is written as a string, several as an array
    std::string scope;                   // separated by spaces
    std::string ttl = "1h";
    std::vector<std::string> claims;  // NAME=VALUE; replaces a claim of the other options
};

// A token, or why there is none.
struct MintedToken {
    std::string token;
    std::string error;
    bool bad_usage = false;  // the options are at fault, not the key
};

// Signs a token for the private key in `key_pem` (RSA of 2048 to 8192 bits, EC on P-256, P-384 or
// P-521, Ed25519; not encrypted). Touches no file and no clock.
MintedToken mint(const TokenOptions& options, std::string_view key_pem, WallTime now);

// "90s", "5m", "1h", "7d" or plain seconds; negative ones make a token that has expired.
std::optional<std::chrono::seconds> parse_ttl(std::string_view text);

// Prints the token alone and a newline on `out`, or a line on `err`. Gives the exit code: 0, 1 when
// the key can't be read or used, 2 for options that make no sense.
int run_token(const TokenOptions& options, std::ostream& out, std::ostream& err);

// Adds `rotary token`.
void add_token_command(cli::Command& root);

}  // namespace rotary::tools
