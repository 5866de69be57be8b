#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

// Owners of OpenSSL's objects, and its texts. For the sources in which OpenSSL is at home: the tidy
// test counts this header as one of OpenSSL's own.
namespace rotary::openssl {

template <auto free_function>
struct Free {
    template <class T>
    void operator()(T* object) const noexcept {
        free_function(object);
    }
};

using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using BnPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;
using CertificatePtr = std::unique_ptr<X509, Free<X509_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using EcGroupPtr = std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;

// A text to be read from, which must outlive it; null when there is no memory.
inline BioPtr open_text(std::string_view text) noexcept {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask the terminal for an encrypted key's passphrase.
inline int no_passphrase(char*, int, int, void*) noexcept { return -1; }

// The next certificate of a PEM, or null: at its end, or before a block that can't be read.
inline CertificatePtr next_certificate(BIO* pem) noexcept {
    return CertificatePtr(PEM_read_bio_X509(pem, nullptr, no_passphrase, nullptr));
}

// Whether the last read of a PEM failed because nothing more was in it.
inline bool at_end_of_pem() noexcept {
    const unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// OpenSSL's own word for this thread's last error, which is forgotten with it.
inline std::string take_reason() {
    const unsigned long code = ERR_peek_last_error();
    const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return words != nullptr ? words : "not usable";
}

}  // namespace rotary::openssl
