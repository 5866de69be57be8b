#include "server/listener_tls.hpp"

#include <rotary/server/server.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/certificates.hpp>
#include <support/temp_dir.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::server {
namespace {

using test::certificates;
using testing::HasSubstr;

// The configuration's files by names that say which certificate is in them.
config::NamedFiles files() {
    config::NamedFiles files;
    const auto add = [&files](const std::string& name, const test::PemFiles& pem) {
        files.emplace(name + ".crt", config::Secret(test::read_file(pem.certificate)));
        files.emplace(name + ".key", config::Secret(test::read_file(pem.key)));
    };
    add("server", certificates().server);
    add("other", certificates().unknown_ca);
    return files;
}

config::Listener listener(std::uint16_t port, const std::string& certificate) {
    config::Listener made;
    made.address = "127.0.0.1";
    made.port = port;
    made.mark.path = "listeners[0]";
    if (!certificate.empty()) {
        made.tls.emplace();
        made.tls->certificate = certificate + ".crt";
        made.tls->key = certificate + ".key";
    }
    return made;
}

std::string subject_and_issuer(SSL_CTX* context) {
    X509* const certificate = SSL_CTX_get0_certificate(context);
    std::string text;
    for (X509_NAME* name :
         {X509_get_subject_name(certificate), X509_get_issuer_name(certificate)}) {
        char* const line = X509_NAME_oneline(name, nullptr, 0);
        text += line;
        OPENSSL_free(line);
    }
    return text;
}

// Which of the files a context serves; "none" without one.
std::string served(const std::shared_ptr<const net::TlsContext>& context) {
    if (!context) return "none";
    for (const char* name : {"server", "other"}) {
        const auto like = listeners_tls({listener(1, name)}, {listener(1, name)}, files(), "");
        if (subject_and_issuer(context->native()) == subject_and_issuer(like[0]->native())) {
            return name;
        }
    }
    return "another";
}

std::string served(const std::vector<config::Listener>& open,
                   const std::vector<config::Listener>& wanted) {
    std::string text;
    for (const auto& context : listeners_tls(open, wanted, files(), "")) {
        text.append(text.empty() ? "" : " ").append(served(context));
    }
    return text;
}

TEST(ListenerTls, IsWhatIsWantedNowOfTheListenersThatAreOpen) {
    struct Row {
        const char* name;
        std::vector<config::Listener> open;
        std::vector<config::Listener> wanted;
        const char* served;
    };
    const auto tls = [](std::uint16_t port, const char* name) { return listener(port, name); };
    const auto plain = [](std::uint16_t port) { return listener(port, ""); };
    const Row rows[] = {
        {"as it was", {tls(1, "server")}, {tls(1, "server")}, "server"},
        {"with other files", {tls(1, "server")}, {tls(1, "other")}, "other"},
        {"plaintext", {plain(1)}, {plain(1)}, "none"},
        {"at another place in the list",
         {tls(1, "server"), tls(2, "server")},
         {tls(2, "other"), tls(1, "server")},
         "server other"},
        {"two alike each keep their place",
         {tls(1, "server"), tls(1, "server")},
         {tls(1, "server"), tls(1, "other")},
         "server other"},
        {"no longer wanted", {tls(1, "server")}, {tls(2, "server")}, "none"},
        {"wanted without TLS, which waits for a restart", {tls(1, "server")}, {plain(1)}, "none"},
        {"one more, which waits too", {plain(1)}, {plain(1), tls(2, "server")}, "none"},
        {"none is open", {}, {tls(1, "server")}, ""},
    };
    for (const Row& row : rows) EXPECT_EQ(served(row.open, row.wanted), row.served) << row.name;
}

TEST(ListenerTls, AnotherAddressIsAnotherListener) {
    config::Listener moved = listener(1, "server");
    moved.address = "127.0.0.2";
    EXPECT_EQ(served({listener(1, "server")}, {moved}), "none");
}

TEST(ListenerTls, WhatCannotBeUsedIsNamedWithItsFiles) {
    config::Listener mixed = listener(1, "server");
    mixed.tls->key = "other.key";
    try {
        listeners_tls({mixed}, {mixed}, files(), "");
        FAIL() << "a key of another certificate was taken";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("listeners[0].tls (server.crt, other.key): "));
    }
    const config::Listener missing = listener(1, "missing");
    EXPECT_THROW(listeners_tls({missing}, {missing}, files(), ""), std::runtime_error);
}

TEST(ListenerTls, CheckFindsEveryListenerThatCannotServe) {
    config::Loaded loaded;
    loaded.named_files = files();
    loaded.config.listeners = {listener(1, "server"), listener(2, ""), listener(3, "missing"),
                               listener(4, "other")};
    loaded.config.listeners[3].tls->key = "server.key";
    std::vector<config::Finding> findings;
    check_listeners(loaded, findings);
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_THAT(config::to_text(findings), HasSubstr("(missing.crt, missing.key)"));
    EXPECT_THAT(config::to_text(findings), HasSubstr("(other.crt, server.key)"));
    EXPECT_TRUE(config::has_errors(findings));
}

}  // namespace
}  // namespace rotary::server
