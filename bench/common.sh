# shellcheck shell=bash
# What the benchmarks share; sourced by them after they have set `root` and `here`.
readonly rotary=${ROTARY_BIN:-$root/build/release/rotary}
PATH=$PATH:/usr/sbin

pids=()
# shellcheck source=tests/support/background.sh
source "$root/tests/support/background.sh"

# need_tools TOOL...
need_tools() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "$tool is not installed; './dev bench' does it"
    done
    [[ -x $rotary ]] || die "no binary at $rotary; './dev build' makes it"
    (($(nproc) >= 2)) || die "needs two cores: one for the proxy, one for the load"
}

# Certificates, an issuer and a token for the gateways of the benchmarks.
make_identity() {
    export CERTS=$tmp/certs ISSUER=https://issuer.test/bench
    "$root/certs/make-certs.sh" --quiet --dir "$CERTS"
    TOKEN=$("$rotary" token --key "$CERTS/dev-issuer.key" --issuer "$ISSUER" --subject bench \
        --ttl 6h)
    export TOKEN
}

# answers URL: whether a chat request is answered by then; waits up to 10 s.
answers() {
    local try
    for ((try = 0; try < 100; try++)); do
        if curl -fsS --max-time 2 -o /dev/null --cacert "$CERTS/dev-ca.crt" \
            -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' \
            -d '{"model":"any","messages":[]}' "$1" 2>>"$tmp/curl.log"; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}
