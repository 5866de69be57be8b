#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "config/check/certificate.hpp"
#include "config/check/checker.hpp"

namespace rotary::config {

void check_tls_files(Checker& checker, const TlsFiles& files) {
    const auto certificate = checker.files.find(files.certificate);
    if (certificate == checker.files.end()) {
        return;
    }
    const std::string_view pem = certificate->second.reveal();
    const CertificateChain chain = read_certificates(pem);
    if (!chain.error.empty()) {
        checker.error(files.certificate_mark, files.certificate + ": " + chain.error);
        return;
    }
    const LifeFinding life = life_of(chain.certificates.front(), std::chrono::system_clock::now());
    if (!life.error.empty()) {
        checker.error(files.certificate_mark,
                      files.certificate + ": the certificate " + life.error);
    }
    if (!life.warning.empty()) {
        checker.warning(files.certificate_mark,
                        files.certificate + ": the certificate " + life.warning);
    }
    const auto key = checker.files.find(files.key);
    if (key == checker.files.end()) {
        return;
    }
    const std::string why = key_error(key->second.reveal(), pem);
    if (!why.empty()) {
        checker.error(files.key_mark,
                      files.key + ": " + why + " (certificate: " + files.certificate + ")");
    }
}

namespace {

// The leaf, which clients compare with the host they asked for; nothing where it can't be read.
std::optional<Certificate> leaf_of(const Checker& checker, const Listener& listener) {
    const auto text =
        listener.tls ? checker.files.find(listener.tls->certificate) : checker.files.end();
    if (text == checker.files.end()) {
        return std::nullopt;
    }
    CertificateChain chain = read_certificates(text->second.reveal());
    return chain.certificates.empty() ? std::nullopt
                                      : std::optional(std::move(chain.certificates.front()));
}

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
        list += (i == 0 ? "" : ", ") + names[i];
    }
    return list + (names.size() > most ? ", …" : "");
}

}  // namespace

void check_hosts(Checker& checker) {
    std::set<std::pair<std::string, std::string>> told;  // certificate and host
    for (const Listener& listener : checker.config.listeners) {
        const std::optional<Certificate> leaf = leaf_of(checker, listener);
        for (const HttpRoute& route : checker.resources.routes) {
            std::vector<std::string> refused;
            for (const std::string& host : route.hostnames) {
                if (leaf && !covers(*leaf, host) &&
                    told.emplace(listener.tls->certificate, host).second) {
                    refused.push_back(host);
                }
            }
            if (!refused.empty()) {
                const std::string names =
                    leaf->names.empty() ? "names no host" : "is for " + listed(leaf->names);
                checker.warning(route.hostnames_mark,
                                "clients that ask for " + listed(refused) +
                                    " refuse the certificate " + listener.tls->certificate +
                                    ", which " + names +
                                    ": take one whose names (subjectAltName) cover these hosts");
            }
        }
    }
}

// Of several one may have expired: the others still hold.
void check_authorities(Checker& checker, const PemSource& source) {
    checker.pem_must_exist(source);
    const std::optional<std::string> pem = checker.resources.find_pem(source);
    if (!pem) {
        return;
    }
    const Mark& mark = source.config_map ? source.config_map->key_mark
                       : source.secret   ? source.secret->key_mark
                                         : source.mark;
    const CertificateChain chain = read_certificates(*pem);
    if (!chain.error.empty()) {
        checker.error(mark, chain.error);
        return;
    }
    for (const Certificate& certificate : chain.certificates) {
        const LifeFinding life = life_of(certificate, std::chrono::system_clock::now());
        const std::string what = life.error.empty() ? life.warning : life.error;
        if (!what.empty()) {
            checker.warning(mark, "the certificate " + certificate.subject + " " + what);
        }
    }
}

}  // namespace rotary::config
