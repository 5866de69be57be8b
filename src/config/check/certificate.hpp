#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::config {

struct Certificate {
    std::string subject;
    std::vector<std::string> names;  // DNS names and IP addresses that it is for
    std::chrono::system_clock::time_point not_before;
    std::chrono::system_clock::time_point not_after;
};

struct CertificateChain {
    std::vector<Certificate> certificates;  // in the order of the text, so the leaf first
    std::string error;                      // why the text holds none, or can't be read to its end
};

// The certificates in a PEM text.
CertificateChain read_certificates(std::string_view pem);

// What is wrong with a private key for the first certificate of that text; empty: nothing.
std::string key_error(std::string_view key_pem, std::string_view certificate_pem);

// Whether clients that ask for the host take the certificate for it: by one of its names, as RFC
// 6125, section 6.4 has it, where a wildcard stands for one whole label. The subject does not
// count, since clients no longer look at it. A host `*.example.com` is covered by that wildcard.
bool covers(const Certificate& certificate, std::string_view host);

// What the two ends of a certificate's life say now; at most one of them is not empty. Its end is
// near when less than two weeks and less than a sixth of its life are left: those that are renewed
// in time are never near.
struct LifeFinding {
    std::string error;
    std::string warning;
};
LifeFinding life_of(const Certificate& certificate, std::chrono::system_clock::time_point now);

}  // namespace rotary::config
