#include <support/certificates.hpp>
#include <support/temp_dir.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <utility>

namespace rotary::test {

namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using File = std::unique_ptr<BIO, Deleter<&BIO_free_all>>;

constexpr const char* kNames =
    "DNS:localhost,DNS:*.example.test,DNS:default.gw.wso2.com,DNS:default.sandbox.gw.wso2.com,"
    "DNS:api.openai.test,IP:127.0.0.1,IP:::1";
constexpr long kDay = 24 * 60 * 60;

void must(bool fine, const char* what) {
    if (!fine) throw std::runtime_error(std::string("certificates: ") + what);
}

Key p256() { return Key(EVP_EC_gen("P-256")); }

// What one certificate says; the rest is the same for all.
struct Plan {
    const char* name;
    const char* alt_names = kNames;  // nullptr: an authority
    const char* usage = "serverAuth";
    long valid_from = -2 * kDay;  // seconds from now
    long valid_until = 30 * kDay;
};

struct Authority {
    Key key;
    Certificate certificate;
};

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    must(extension != nullptr, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself when that is null.
Certificate certify(const Plan& plan, EVP_PKEY* key, const Authority* issuer) {
    static std::atomic<long> serial{1000};
    Certificate certificate(X509_new());
    X509* const x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509), plan.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(x509), plan.valid_until);
    X509_set_pubkey(x509, key);
    X509_NAME* const subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(plan.name), -1, -1, 0);
    X509* const signer = issuer != nullptr ? issuer->certificate.get() : x509;
    X509_set_issuer_name(x509, X509_get_subject_name(signer));
    extend(x509, signer, NID_subject_key_identifier, "hash");
    if (plan.alt_names == nullptr) {
        extend(x509, signer, NID_basic_constraints, "critical,CA:TRUE");
        extend(x509, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(x509, signer, NID_basic_constraints, "critical,CA:FALSE");
        extend(x509, signer, NID_ext_key_usage, plan.usage);
        extend(x509, signer, NID_subject_alt_name, plan.alt_names);
    }
    EVP_PKEY* const signing = issuer != nullptr ? issuer->key.get() : key;
    const bool hashes_itself = EVP_PKEY_is_a(signing, "ED25519") == 1;
    must(X509_sign(x509, signing, hashes_itself ? nullptr : EVP_sha256()) > 0, "sign");
    return certificate;
}

PemFiles save(const TempDir& folder, const std::string& name, X509* certificate, EVP_PKEY* key) {
    PemFiles files{folder / (name + ".crt"), folder / (name + ".key")};
    const File crt(BIO_new_file(files.certificate.c_str(), "w"));
    must(crt && PEM_write_bio_X509(crt.get(), certificate) == 1, "write certificate");
    const File pem(BIO_new_file(files.key.c_str(), "w"));
    must(
        pem && PEM_write_bio_PrivateKey(pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write key");
    return files;
}

PemFiles issue(const TempDir& folder, const Plan& plan, const Authority* issuer, Key key) {
    const Certificate certificate = certify(plan, key.get(), issuer);
    return save(folder, plan.name, certificate.get(), key.get());
}

Authority make_authority(const char* name) {
    Authority authority;
    authority.key = p256();
    authority.certificate = certify({name, nullptr}, authority.key.get(), nullptr);
    return authority;
}

Certificates make_servers(const TempDir& folder) {
    Certificates all;
    all.folder = folder.path().string();
    const Authority ca = make_authority("ca");
    const Authority other = make_authority("other-ca");
    all.ca = save(folder, "ca", ca.certificate.get(), ca.key.get()).certificate;
    all.other_ca = save(folder, "other-ca", other.certificate.get(), other.key.get()).certificate;
    all.server = issue(folder, {"server"}, &ca, p256());
    all.wrong_host = issue(folder, {"wrong-host", "DNS:elsewhere.invalid"}, &ca, p256());
    all.expired = issue(folder, {"expired", kNames, "serverAuth", -9 * kDay, -kDay}, &ca, p256());
    all.not_yet = issue(folder, {"not-yet", kNames, "serverAuth", kDay}, &ca, p256());
    all.client_only = issue(folder, {"client-only", kNames, "clientAuth"}, &ca, p256());
    all.self_signed = issue(folder, {"self-signed"}, nullptr, p256());
    all.unknown_ca = issue(folder, {"unknown-ca"}, &other, p256());
    all.client = issue(folder, {"test-client", "DNS:test-client", "clientAuth"}, &ca, p256());
    return all;
}

Issuers make_issuers(const TempDir& folder) {
    Issuers all;
    all.rsa = issue(folder, {"rsa-issuer"}, nullptr, Key(EVP_RSA_gen(2048)));
    all.ec = issue(folder, {"ec-issuer"}, nullptr, p256());
    all.ec384 = issue(folder, {"ec384-issuer"}, nullptr, Key(EVP_EC_gen("P-384")));
    all.ed25519 = issue(folder, {"ed25519-issuer"}, nullptr,
                        Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
    all.stranger = issue(folder, {"stranger"}, nullptr, p256());
    all.jwks = make_jwks({{"rsa", all.rsa.key, ""},
                          {"ec", all.ec.key, "ES256"},
                          {"ec384", all.ec384.key, "ES384"},
                          {"ed25519", all.ed25519.key, "EdDSA"}});
    all.jwks_file = folder.write("jwks.json", all.jwks);
    return all;
}

}  // namespace

const Certificates& certificates() {
    static const TempDir folder;
    static const Certificates all = make_servers(folder);
    return all;
}

const Issuers& issuers() {
    static const TempDir folder;
    static const Issuers all = make_issuers(folder);
    return all;
}

}  // namespace rotary::test
