#pragma once

#include <string>

namespace rotary::tools {

// Paths of what make_dev_certificates() wrote.
struct DevCertificates {
    std::string ca;           // PEM, the authority: what a client has to trust
    std::string certificate;  // PEM, the gateway's, signed by the authority
    std::string key;          // PEM, the gateway's
    std::string issuer_key;   // PEM, private, on P-256: signs tokens (ES256)
    std::string issuer_jwks;  // its public half as a JSON Web Key Set (RFC 7517)
    std::string issuer_kid;   // the key's name in that set; no path
};

// For a gateway on this machine that lives some days: keys on P-256, made anew on every call. The
// certificate is for localhost, 127.0.0.1, ::1, default.gw.wso2.com and
// default.sandbox.gw.wso2.com; the authority's own key is not kept. The files are readable by their
// owner alone; `folder` must exist. Throws std::runtime_error naming what failed.
DevCertificates make_dev_certificates(const std::string& folder);

}  // namespace rotary::tools
