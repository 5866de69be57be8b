#include <support/certificates.hpp>
#include <support/encoding.hpp>
#include <support/temp_dir.hpp>
#include <support/tokens.hpp>

#include <stdexcept>

namespace rotary::test {

tools::TokenOptions token_options() {
    tools::TokenOptions options;
    options.key_file = issuers().rsa.key;
    options.issuer = kIssuer;
    options.kid = "rsa";
    options.subject = "tester";
    return options;
}

std::string make_token(const tools::TokenOptions& options) {
    return make_token(options, std::chrono::system_clock::now());
}

std::string make_token(const tools::TokenOptions& options, WallTime now) {
    tools::MintedToken minted = tools::mint(options, read_file(options.key_file), now);
    if (minted.token.empty()) throw std::runtime_error("no token: " + minted.error);
    return minted.token;
}

std::string bearer() { return "Bearer " + make_token(token_options()); }

std::string forge_token(std::string_view header, std::string_view payload,
                        std::string_view signature) {
    return to_base64url(header) + "." + to_base64url(payload) + "." + to_base64url(signature);
}

std::string token_part(std::string_view token, int part) {
    for (; part > 0; --part) {
        const std::size_t dot = token.find('.');
        if (dot == std::string_view::npos) throw std::runtime_error("a token has three parts");
        token.remove_prefix(dot + 1);
    }
    return from_base64url(token.substr(0, token.find('.')));
}

}  // namespace rotary::test
