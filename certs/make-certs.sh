#!/usr/bin/env bash
# Makes the certificates and keys of a development machine: a CA, the server's certificate, and a
# token issuer (its key, its certificate and its public key as a JWKS). Git ignores all of them.
# What is there and not about to expire stays as it is, so it costs nothing to call this again.
#
# usage: make-certs.sh [--force] [--quiet] [--dir DIR]
set -euo pipefail

usage() { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

force=0 quiet=0
dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
while (($# > 0)); do
    case $1 in
    --force) force=1 ;;
    --quiet) quiet=1 ;;
    --dir)
        dir=${2:?--dir needs a folder}
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done

readonly days=825 week=604800
readonly hosts="DNS:localhost,IP:127.0.0.1,IP:::1,\
DNS:default.gw.wso2.com,DNS:default.sandbox.gw.wso2.com,DNS:*.gw.wso2.com,DNS:*.sandbox.gw.wso2.com"

command -v openssl >/dev/null || {
    echo "make-certs.sh: openssl is not installed" >&2
    exit 1
}
umask 077
mkdir -p "$dir"
cd "$dir"

made() { echo "made $dir/$1  ($2)"; }

# run COMMAND…: silent, unless it fails.
run() {
    local log
    if ! log=$("$@" 2>&1); then
        printf 'make-certs.sh: %s\n%s\n' "$*" "$log" >&2
        exit 1
    fi
}

# good CERTIFICATE KEY: both are there, belong together and hold for another week.
good() {
    [[ $force -eq 0 && -s $1 && -s $2 ]] &&
        openssl x509 -in "$1" -noout -checkend "$week" >/dev/null 2>&1 &&
        [[ $(openssl x509 -in "$1" -noout -pubkey) == "$(openssl pkey -in "$2" -pubout)" ]]
}

new_p256() { run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

make_ca() {
    new_p256 dev-ca.key
    run openssl req -x509 -new -key dev-ca.key -sha256 -days "$days" -out dev-ca.crt \
        -subj "/O=Rotary development/CN=Rotary development CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign"
    made dev-ca.crt "a CA for clients to trust on this machine, nowhere else"
    made dev-ca.key "its key"
}

make_server() {
    new_p256 dev-server.key
    run openssl req -new -key dev-server.key -subj "/O=Rotary development/CN=localhost" \
        -out dev-server.csr
    run openssl x509 -req -in dev-server.csr -CA dev-ca.crt -CAkey dev-ca.key \
        -set_serial "0x$(openssl rand -hex 16)" -sha256 -days "$days" -out dev-server.crt \
        -extfile <(printf '%s\n' "subjectAltName=$hosts" "basicConstraints=critical,CA:FALSE" \
            "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth" \
            "authorityKeyIdentifier=keyid")
    rm -f dev-server.csr
    made dev-server.crt "the gateway's certificate: localhost and the hosts of the sample APIs"
    made dev-server.key "its key"
}

make_issuer() {
    run openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dev-issuer.key
    run openssl req -x509 -new -key dev-issuer.key -sha256 -days "$days" -out dev-issuer.crt \
        -subj "/O=Rotary development/CN=Rotary development token issuer"
    made dev-issuer.crt "the token issuer's certificate"
    made dev-issuer.key "its key: 'rotary token --key' signs with it"
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# The key id is the RFC 7638 thumbprint, so a new key never goes by an old one's name.
make_jwks() {
    local n kid
    n=$(openssl rsa -in dev-issuer.key -noout -modulus | sed 's/^Modulus=//' |
        tr 'A-F' 'a-f' | sed 's/../\\x&/g' | while read -r bytes; do printf '%b' "$bytes"; done |
        base64url)
    kid=$(printf '{"e":"AQAB","kty":"RSA","n":"%s"}' "$n" | openssl dgst -sha256 -binary | base64url)
    printf '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"%s","n":"%s","e":"AQAB"}]}\n' \
        "$kid" "$n" >dev-issuer.jwks.json
    made dev-issuer.jwks.json "its public key; kid $kid"
}

report=$(
    if ! good dev-ca.crt dev-ca.key; then
        make_ca
        rm -f dev-server.crt
    fi
    if ! good dev-server.crt dev-server.key ||
        ! openssl verify -CAfile dev-ca.crt dev-server.crt >/dev/null 2>&1; then
        make_server
    fi
    if ! good dev-issuer.crt dev-issuer.key; then
        make_issuer
        rm -f dev-issuer.jwks.json
    fi
    [[ -s dev-issuer.jwks.json ]] || make_jwks
    chmod 600 ./dev-*.key
    chmod 644 ./dev-*.crt dev-issuer.jwks.json
)
if [[ $quiet -eq 0 ]]; then
    echo "${report:-everything is there in $dir (--force makes it anew)}"
fi
