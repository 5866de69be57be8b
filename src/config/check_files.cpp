#include <chrono>

#include "config/certificate.hpp"
#include "config/checker.hpp"

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
