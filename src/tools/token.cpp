#include <rotary/auth/key_set.hpp>
#include <rotary/base/openssl.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/tools/token.hpp>
#include <rotary/wire/base64url.hpp>
#include <rotary/wire/json_document.hpp>
#include <rotary/wire/json_writer.hpp>

#include <openssl/rsa.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

namespace rotary::tools {

namespace {

using auth::AlgorithmTraits;
using auth::JwtAlgorithm;
using auth::PkeyPtr;
using auth::SignatureScheme;

constexpr std::size_t kKeyFileBytes = 64 * 1024;  // far more than any key takes
constexpr std::int64_t kLongestTtl = std::int64_t{100} * 365 * 24 * 3600;

// The members of an object in order, the values as JSON.
using Members = std::vector<std::pair<std::string, std::string>>;

MintedToken failed(std::string error) { return {{}, std::move(error), false}; }
MintedToken misused(std::string error) { return {{}, std::move(error), true}; }

std::string json_string(std::string_view text) {
    std::string json;
    wire::JsonWriter(json).string(text);
    return json;
}

void set_member(Members& members, std::string_view name, std::string json) {
    const auto old = std::find_if(members.begin(), members.end(),
                                  [&](const auto& member) { return member.first == name; });
    if (old != members.end()) {
        old->second = std::move(json);
    } else {
        members.emplace_back(name, std::move(json));
    }
}

std::string object_of(const Members& members) {
    std::string json = "{";
    for (const auto& [name, value] : members) {
        if (json.size() > 1) json += ',';
        json += json_string(name) + ':' + value;
    }
    return json + '}';
}

std::string audience_json(const std::vector<std::string>& audiences) {
    if (audiences.size() == 1) return json_string(audiences.front());
    std::string json;
    wire::JsonWriter writer(json);
    writer.begin_array();
    for (const std::string& audience : audiences) writer.string(audience);
    writer.end_array();
    return json;
}

std::int64_t unix_seconds(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// Empty when all went well, else what is wrong with an option.
std::string claims_of(const TokenOptions& options, WallTime now, Members& members) {
    const auto ttl = parse_ttl(options.ttl);
    if (!ttl) return "--ttl: can't read '" + options.ttl + "'; examples: 90s, 5m, 1h, 7d, -1h";
    set_member(members, "iss", json_string(options.issuer));
    if (!options.subject.empty()) set_member(members, "sub", json_string(options.subject));
    if (!options.audiences.empty()) set_member(members, "aud", audience_json(options.audiences));
    if (!options.scope.empty()) set_member(members, "scope", json_string(options.scope));
    set_member(members, "iat", std::to_string(unix_seconds(now)));
    set_member(members, "exp", std::to_string(unix_seconds(now) + ttl->count()));
    for (const std::string& claim : options.claims) {
        const std::size_t equals = claim.find('=');
        if (equals == std::string::npos || equals == 0) {
            return "--claim: '" + claim + "' is not NAME=VALUE";
        }
        const std::string value = claim.substr(equals + 1);
        const bool is_json = wire::JsonDocument::parse(value).has_value();
        set_member(members, claim.substr(0, equals), is_json ? value : json_string(value));
    }
    return {};
}

PkeyPtr read_private_key(std::string_view pem) {
    const openssl::BioPtr bio = openssl::open_text(pem);
    if (bio == nullptr) return nullptr;
    PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, openssl::no_passphrase, nullptr));
    ERR_clear_error();
    return key;
}

// OpenSSL's DER as r and s side by side in their full length (RFC 7518 section 3.4).
std::string flat_ecdsa(std::string_view der, std::size_t coordinate_bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const openssl::EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    if (pair == nullptr) return {};
    std::string flat(2 * coordinate_bytes, '\0');
    auto* out = reinterpret_cast<unsigned char*>(flat.data());
    const int size = static_cast<int>(coordinate_bytes);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + size, size) != size) {
        return {};
    }
    return flat;
}

// The signature's bytes, empty when OpenSSL refuses.
std::string sign(EVP_PKEY* key, const AlgorithmTraits& how, std::string_view text) {
    const openssl::MdContextPtr digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;  // the digest owns it
    if (digest == nullptr || EVP_DigestSignInit_ex(digest.get(), &context, how.digest, nullptr,
                                                   nullptr, key, nullptr) != 1) {
        return {};
    }
    if (how.scheme == SignatureScheme::rsa_pss &&
        (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
        return {};
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    if (EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) != 1) return {};
    std::string signature(size, '\0');
    if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       bytes, text.size()) != 1) {
        return {};
    }
    signature.resize(size);
    if (how.scheme == SignatureScheme::ecdsa) return flat_ecdsa(signature, how.coordinate_bytes);
    return signature;
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::string text(kKeyFileBytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return std::nullopt;  // a folder opens well enough
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

}  // namespace

std::optional<std::chrono::seconds> parse_ttl(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    std::int64_t seconds = 0;
    if (unit.empty() || unit == "s") seconds = 1;
    if (unit == "m") seconds = 60;
    if (unit == "h") seconds = 3600;
    if (unit == "d") seconds = 24 * 3600;
    if (seconds == 0) return std::nullopt;
    if (count > kLongestTtl / seconds || count < -kLongestTtl / seconds) return std::nullopt;
    return std::chrono::seconds(count * seconds);
}

MintedToken mint(const TokenOptions& options, std::string_view key_pem, WallTime now) {
    if (options.issuer.empty()) return misused("--issuer: is empty");
    Members payload;
    if (std::string error = claims_of(options, now, payload); !error.empty()) {
        return misused(std::move(error));
    }
    const PkeyPtr key = read_private_key(key_pem);
    if (key == nullptr) {
        return failed("no private key in PEM in it (an encrypted key is not supported)");
    }
    if (std::string error = auth::objection_to(key.get(), {}); !error.empty()) {
        return failed(std::move(error));
    }
    const auth::AlgorithmSet fitting = auth::algorithms_of(key.get());
    const auto algorithm =
        options.algorithm.empty() ? fitting.first() : auth::parse_algorithm(options.algorithm);
    if (!algorithm) return misused("--alg: '" + options.algorithm + "' is not served");
    if (!fitting.has(*algorithm)) {
        return misused("--alg: " + options.algorithm + " does not fit the key, " +
                       std::string(auth::traits(*fitting.first()).name) + " would");
    }

    const AlgorithmTraits& how = auth::traits(*algorithm);
    Members header{{"alg", json_string(how.name)}, {"typ", json_string("JWT")}};
    if (!options.kid.empty()) set_member(header, "kid", json_string(options.kid));
    std::string token = wire::base64url_encode(object_of(header)) + '.' +
                        wire::base64url_encode(object_of(payload));
    const std::string signature = sign(key.get(), how, token);
    ERR_clear_error();
    if (signature.empty()) return failed("the key can't sign");
    return {token + '.' + wire::base64url_encode(signature), {}, false};
}

int run_token(const TokenOptions& options, std::ostream& out, std::ostream& err) {
    const auto pem = read_file(options.key_file);
    if (!pem) {
        err << "rotary token: " << options.key_file << ": can't be read\n";
        return 1;
    }
    const MintedToken minted = mint(options, *pem, read_clock().wall);
    if (minted.token.empty()) {
        err << "rotary token: ";
        if (!minted.bad_usage) err << options.key_file << ": ";
        err << minted.error << '\n';
        return minted.bad_usage ? 2 : 1;
    }
    out << minted.token << '\n';
    return 0;
}

void add_token_command(cli::Command& root) {
    auto options = std::make_shared<TokenOptions>();
    cli::Command command = root.command(
        "token",
        "Mint a JWT for development and print it alone, ready for\n"
        "  curl -H \"Authorization: Bearer $(rotary token --key KEY --issuer URL)\" ...");
    command
        .option("--key", options->key_file,
                "The issuer's private key: a PEM file with an RSA (2048 bits or more), EC\n"
                "(P-256, P-384, P-521) or Ed25519 key, not encrypted")
        .required()
        .takes("FILE");
    command
        .option("--issuer", options->issuer,
                "The claim iss, exactly as the TokenIssuer resource has it")
        .required()
        .takes("URL");
    command
        .option("--alg", options->algorithm,
                "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA;\n"
                "by default the one that suits the key (RSA: RS256)")
        .takes("NAME");
    command.option("--kid", options->kid, "The key's name in the issuer's JWKS").takes("KID");
    command.option("--subject", options->subject, "The claim sub").takes("NAME");
    command.option("--audience", options->audiences, "The claim aud; may be given repeatedly")
        .takes("NAME")
        .repeatable();
    command.option("--scope", options->scope, "The claim scope: one or more, separated by spaces")
        .takes("\"A B\"");
    command
        .option("--ttl", options->ttl,
                "How long it is valid: 90s, 5m, 1h, 7d; -1h makes one that has expired")
        .shows_default()
        .takes("DURATION");
    command
        .option("--claim", options->claims,
                "Any other claim, may be given repeatedly. A VALUE that is JSON (5, true,\n"
                "[\"a\"], {}) is taken as such, anything else is a string")
        .takes("NAME=VALUE")
        .repeatable();
    command.runs([options] { return run_token(*options, std::cout, std::cerr); });
}

}  // namespace rotary::tools
