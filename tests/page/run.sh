#!/usr/bin/env bash
# The operator's page in a real browser: two mock providers, a gateway with TLS, three consumers.
#
# usage: run.sh [--pictures FOLDER]
# With --pictures it checks nothing and leaves the page as it looks: light, dark, narrow.
# ROTARY_BIN is the gateway's binary; ROTARY_PAGE (build/page/node) has the browser's driver.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
readonly rotary=${ROTARY_BIN:?the path of the rotary binary}
readonly libraries=${ROTARY_PAGE:-$root/build/page/node}

declare -A pids=()
# shellcheck source=tests/support/background.sh
source "$root/tests/support/background.sh"

[[ -x $rotary ]] || die "no binary at $rotary"
for tool in openssl curl node chromium; do
    command -v "$tool" >/dev/null || die "$tool is not installed; './dev test' does it"
done
[[ -d $libraries/node_modules/playwright-core ]] ||
    die "the Node package playwright-core is not in $libraries; './dev test' puts it there"

export CERTS=$tmp/certs GATEWAY=$tmp/gateway KEYS=$tmp/keys PAGE_MODULES=$libraries
export FIRST_KEY="sk-first-$RANDOM$RANDOM" SECOND_KEY="sk-second-$RANDOM$RANDOM"
"$root/certs/make-certs.sh" --quiet --dir "$CERTS"
cp -r "$here/gateway" "$GATEWAY"
mkdir "$KEYS"
for consumer in checkout research intern; do
    "$rotary" key new --consumer "$consumer" \
        >"$KEYS/$consumer" 2>"$GATEWAY/resources/key-$consumer.yaml"
done

quota=8/85s
[[ ${1:-} != --pictures ]] || quota=150/85s

# Another process may take a port between the look and the bind: once more with others, then.
launch() {
    local ports
    mapfile -t ports < <(free_ports 4)
    export FIRST_PORT=${ports[0]} SECOND_PORT=${ports[1]}
    export GATEWAY_PORT=${ports[2]} ADMIN_PORT=${ports[3]}
    start first "$rotary" mock --listen "127.0.0.1:$FIRST_PORT" --latency 4ms --tokens 40 \
        --quota "gpt-4o=$quota" --require-key "Bearer $FIRST_KEY"
    start second "$rotary" mock --listen "127.0.0.1:$SECOND_PORT" --latency 9ms --tokens 60 \
        --require-key "Bearer $SECOND_KEY"
    start gateway "$rotary" serve -c "$GATEWAY/rotary.yaml"
    until_ok "http://127.0.0.1:$FIRST_PORT/__mock/requests" first &&
        until_ok "http://127.0.0.1:$SECOND_PORT/__mock/requests" second &&
        until_ok "http://127.0.0.1:$ADMIN_PORT/readyz" gateway
}

if ! launch; then
    end_all
    launch || die "the gateway or a provider did not come up"
fi

if [[ ${1:-} == --pictures ]]; then
    NODE_EXTRA_CA_CERTS=$CERTS/dev-ca.crt timeout 120 node "$here/pictures.mjs" "${2:?a folder}"
else
    NODE_EXTRA_CA_CERTS=$CERTS/dev-ca.crt timeout 120 node "$here/page_test.mjs"
fi
