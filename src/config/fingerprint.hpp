#pragma once

#include <string>
#include <string_view>

typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace rotary::config {

// What a load has read, as one number: SHA-256, so that a secret's text need not be kept to notice
// that it has changed. Single-threaded.
class Fingerprint {
public:
    Fingerprint();
    ~Fingerprint();
    Fingerprint(const Fingerprint&) = delete;
    Fingerprint& operator=(const Fingerprint&) = delete;

    // Each part counts with its length: no two different sequences of calls read alike.
    void add(std::string_view kind, std::string_view name, std::string_view text);
    std::string finish();  // 32 bytes; the last call

private:
    void add_part(std::string_view text);
    EVP_MD_CTX* digest_;
};

}  // namespace rotary::config
