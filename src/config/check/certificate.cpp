#include "config/check/certificate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>

#include <rotary/base/openssl.hpp>
#include <rotary/base/text.hpp>

namespace rotary::config {
namespace {

using openssl::at_end_of_pem;
using openssl::BioPtr;
using openssl::CertificatePtr;
using openssl::next_certificate;
using openssl::no_passphrase;

BioPtr open_text(std::string_view text) {
    ERR_clear_error();
    return openssl::open_text(text);
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return {};
    }
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string text_of(const ASN1_STRING* string) {
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    return {data, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_of(const ASN1_STRING* bytes) {
    const int size = ASN1_STRING_length(bytes);
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = size == 4 ? AF_INET : AF_INET6;
    if (size != 4 && size != 16) {
        return {};
    }
    const char* made = inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
    return made == nullptr ? "" : made;
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    const openssl::NamesPtr all(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type == GEN_DNS) {
            names.push_back(text_of(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            names.push_back(address_of(name->d.iPAddress));
        }
    }
    return names;
}

Certificate facts_of(X509* certificate) {
    std::array<char, 256> subject{};
    X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(),
                      static_cast<int>(subject.size()));
    return {subject.data(), names_of(certificate), time_of(X509_get0_notBefore(certificate)),
            time_of(X509_get0_notAfter(certificate))};
}

std::string date_of(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
    return text.data();
}

}  // namespace

CertificateChain read_certificates(std::string_view pem) {
    CertificateChain chain;
    const BioPtr bio = open_text(pem);
    while (const CertificatePtr next = next_certificate(bio.get())) {
        chain.certificates.push_back(facts_of(next.get()));
    }
    if (at_end_of_pem()) {
        ERR_clear_error();
        if (chain.certificates.empty()) chain.error = "no certificate is in it (PEM is expected)";
        return chain;
    }
    chain.error = "a certificate in it can't be read: " + openssl::take_reason();
    return chain;
}

std::string key_error(std::string_view key_pem, std::string_view certificate_pem) {
    const BioPtr key_text = open_text(key_pem);
    const openssl::KeyPtr key(
        PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr));
    if (!key) {
        const std::string why = openssl::take_reason();
        if (key_pem.find("PRIVATE KEY-----") == std::string_view::npos) {
            return "no private key is in it (PEM is expected)";
        }
        return "the private key in it can't be read (an encrypted one is not taken): " + why;
    }
    const BioPtr text = open_text(certificate_pem);
    const CertificatePtr leaf = next_certificate(text.get());
    const bool fits = leaf != nullptr && X509_check_private_key(leaf.get(), key.get()) == 1;
    ERR_clear_error();
    return fits || leaf == nullptr ? "" : "it does not belong to the certificate";
}

bool covers(const Certificate& certificate, std::string_view host) {
    const std::size_t dot = host.find('.');
    const auto fits = [&](std::string_view name) {
        const bool by_wildcard = name.starts_with("*.") && dot != std::string_view::npos &&
                                 dot > 0 && text::iequals(name.substr(1), host.substr(dot));
        return by_wildcard || text::iequals(name, host);
    };
    return std::any_of(certificate.names.begin(), certificate.names.end(), fits);
}

LifeFinding life_of(const Certificate& certificate, std::chrono::system_clock::time_point now) {
    using std::chrono::hours;
    LifeFinding found;
    const auto left = certificate.not_after - now;
    const auto near = std::min<std::chrono::system_clock::duration>(
        hours(14 * 24), (certificate.not_after - certificate.not_before) / 6);
    if (left <= left.zero()) {
        found.error = "has expired on " + date_of(certificate.not_after);
    } else if (certificate.not_before > now) {
        found.error = "is not valid before " + date_of(certificate.not_before);
    } else if (left < near) {
        found.warning = "expires on " + date_of(certificate.not_after) + ", in " +
                        std::to_string(std::chrono::duration_cast<hours>(left).count()) + " hours";
    }
    return found;
}

}  // namespace rotary::config
