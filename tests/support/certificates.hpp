#pragma once

#include <string>
#include <vector>

namespace rotary::test {

struct PemFiles {
    std::string certificate;  // path
    std::string key;          // path
};

// Certificates of one test process, made when first asked for (a few ms) and gone with it. All are
// P-256.
struct Certificates {
    std::string folder;
    std::string ca;  // PEM file of the authority that signed those below

    // For localhost, *.example.test, default.gw.wso2.com, default.sandbox.gw.wso2.com,
    // api.openai.test, 127.0.0.1 and ::1.
    PemFiles server;
    PemFiles wrong_host;   // for elsewhere.invalid only
    PemFiles expired;      // since yesterday
    PemFiles not_yet;      // from tomorrow on
    PemFiles client_only;  // the right names, but extended key usage says clientAuth
    PemFiles self_signed;  // the right names, signed by itself
    PemFiles unknown_ca;   // the right names, signed by `other_ca`
    PemFiles client;       // for mutual TLS, CN=test-client
    std::string other_ca;
};

const Certificates& certificates();

// Keys of token issuers, each with a self-signed certificate. Made when first asked for, which
// takes a tenth of a second for the RSA key.
struct Issuers {
    PemFiles rsa;  // 2048 bits
    PemFiles ec;   // P-256
    PemFiles ec384;
    PemFiles ed25519;
    PemFiles stranger;  // P-256, in no key set

    // {"keys": […]} of the first four, whose `kid` are "rsa", "ec", "ec384" and "ed25519"; the
    // text, and the path of a file that holds it.
    std::string jwks;
    std::string jwks_file;
};

const Issuers& issuers();

struct JwkSource {
    std::string kid;
    std::string key;        // PEM file of the private key
    std::string algorithm;  // "RS256"; empty: left out
};

// The public halves as a JSON Web Key Set (RFC 7517).
std::string make_jwks(const std::vector<JwkSource>& sources);

}  // namespace rotary::test
