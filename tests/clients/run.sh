#!/usr/bin/env bash
# One client program against the real thing: two mock providers, a gateway with TLS, a token.
# The program passes when it is served as the official API would serve it, and then this script
# looks at what the providers and the log saw of it.
#
# usage: run.sh python|node|curl|chunked
# ROTARY_BIN is the gateway's binary; ROTARY_CLIENTS (build/clients) has the client libraries.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
readonly client=${1:?python, node, curl or chunked}
readonly rotary=${ROTARY_BIN:?the path of the rotary binary}
readonly libraries=${ROTARY_CLIENTS:-$root/build/clients}
readonly python=$libraries/venv/bin/python

declare -A pids=()
# shellcheck source=tests/support/background.sh
source "$root/tests/support/background.sh"

[[ -x $rotary ]] || die "no binary at $rotary"
command -v openssl >/dev/null || die "openssl is not installed; './dev test' does it"
command -v curl >/dev/null || die "curl is not installed; './dev test' does it"
case $client in
python | chunked)
    "$python" -c 'import openai' ||
        die "the Python package openai is not in $libraries/venv; './dev test' puts it there"
    ;;
node)
    command -v node >/dev/null || die "node is not installed; './dev test' does it"
    [[ -d $libraries/node/node_modules/openai ]] ||
        die "the Node package openai is not in $libraries/node; './dev test' puts it there"
    ;;
curl) ;;
*) die "no client '$client'" ;;
esac

export CERTS=$tmp/certs ISSUER=https://issuer.test/dev
export FIRST_KEY="sk-first-$RANDOM$RANDOM" SECOND_KEY="sk-second-$RANDOM$RANDOM"
"$root/certs/make-certs.sh" --quiet --dir "$CERTS"

# Somebody else may take a port between the look and the bind: once more with others, then.
launch() {
    local ports
    mapfile -t ports < <(free_ports 4)
    export FIRST_PORT=${ports[0]} SECOND_PORT=${ports[1]}
    export GATEWAY_PORT=${ports[2]} ADMIN_PORT=${ports[3]}
    start first "$rotary" mock --listen "127.0.0.1:$FIRST_PORT" --tokens 8 \
        --model gpt-4o --model gpt-4o-mini --require-key "Bearer $FIRST_KEY"
    start second "$rotary" mock --listen "127.0.0.1:$SECOND_PORT" --tokens 8 \
        --model o1-mini --require-key "Bearer $SECOND_KEY"
    start gateway "$rotary" serve -c "$here/gateway/rotary.yaml"
    until_ok "http://127.0.0.1:$FIRST_PORT/__mock/requests" first &&
        until_ok "http://127.0.0.1:$SECOND_PORT/__mock/requests" second &&
        until_ok "http://127.0.0.1:$ADMIN_PORT/readyz" gateway
}

if ! launch; then
    end_all
    launch || die "the gateway or a provider did not come up"
fi

kid=$(sed -n 's/.*"kid":"\([^"]*\)".*/\1/p' "$CERTS/dev-issuer.jwks.json")
token=$("$rotary" token --key "$CERTS/dev-issuer.key" --issuer "$ISSUER" --kid "$kid" \
    --subject client-test --ttl 10m)
[[ $token == *.*.* ]] || die "'rotary token' printed no token"

export BASE_URL=https://127.0.0.1:$GATEWAY_PORT/chat/1.0 TOKEN=$token CA=$CERTS/dev-ca.crt
case $client in
python) SSL_CERT_FILE=$CA timeout 90 "$python" "$here/openai_python.py" ;;
node)
    NODE_EXTRA_CA_CERTS=$CA OPENAI_PACKAGE=$libraries/node/package.json \
        timeout 90 node "$here/openai_node.mjs"
    ;;
curl) timeout 90 "$here/curl.sh" ;;
chunked) timeout 90 "$python" "$here/chunked.py" ;;
esac

# What the providers saw: both were asked, neither learnt who the client is.
for port in "$FIRST_PORT" "$SECOND_PORT"; do
    curl -fsS "http://127.0.0.1:$port/__mock/requests" >"$tmp/seen"
    grep -q 'completions' "$tmp/seen" || die "a provider was never asked"
    for secret in "$token" x-stainless- x-api-key openai-organization; do
        ! grep -qiF -- "$secret" "$tmp/seen" || die "a provider saw the client's '$secret'"
    done
done

# A drain with nobody there ends at once, and well (leaks, where they are looked for, make it 1).
kill -TERM "${pids[gateway]}"
status=0
wait "${pids[gateway]}" || status=$?
unset "pids[gateway]"
[[ $status -eq 0 ]] || die "the gateway ended with $status after SIGTERM"
for secret in "$token" "$FIRST_KEY" "$SECOND_KEY"; do
    ! grep -qF -- "$secret" "$tmp/gateway.log" || die "a secret is in the gateway's log"
done
echo "$client: served"
