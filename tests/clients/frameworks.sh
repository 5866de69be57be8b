#!/usr/bin/env bash
# What people build with, as its own documents say, against what `rotary init` writes, in front of
# `rotary mock`: LangChain and LlamaIndex, or the AI SDK with its default, the Responses API.
#
# usage: frameworks.sh python|node
# ROTARY_BIN is the gateway's binary; ROTARY_CLIENTS (build/clients) has the libraries.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
readonly client=${1:?python or node}
readonly rotary=${ROTARY_BIN:?the path of the rotary binary}
readonly libraries=${ROTARY_CLIENTS:-$root/build/clients}
readonly python=$libraries/frameworks/bin/python

declare -A pids=()
# shellcheck source=tests/support/background.sh
source "$root/tests/support/background.sh"

[[ -x $rotary ]] || die "no binary at $rotary"
command -v curl >/dev/null || die "curl is not installed; './dev test' does it"
case $client in
python) [[ -x $python ]] || die "no Python at $python; './dev test' puts it there" ;;
node)
    [[ -d $libraries/node/node_modules/ai ]] ||
        die "the Node package ai is not in $libraries/node; './dev test' puts it there"
    ;;
*) die "no client '$client'" ;;
esac

export KEY_OF_THE_MOCK=sk-mock-$RANDOM$RANDOM
readonly made=$tmp/own

# Another process may take a port between the look and the bind: once more with others, then.
launch() {
    local ports
    mapfile -t ports < <(free_ports 3)
    mock_port=${ports[0]} gateway_port=${ports[1]}
    rm -rf "$made"
    start mock "$rotary" mock --listen "127.0.0.1:$mock_port" --tokens 8 --model first \
        --model second --model vectors --require-key "Bearer $KEY_OF_THE_MOCK"
    "$rotary" init --dir "$made" --provider-url "http://127.0.0.1:$mock_port/v1" \
        --openai-key-from env:KEY_OF_THE_MOCK --model first=1 --model second=1 \
        --embedding-model vectors=1 --port "$gateway_port" --admin-port "${ports[2]}" \
        >"$tmp/init.txt" </dev/null
    start gateway "$rotary" serve -c "$made/rotary.yaml"
    until_ok "http://127.0.0.1:$mock_port/__mock/requests" mock &&
        until_ok "http://127.0.0.1:${ports[2]}/readyz" gateway
}

if ! launch; then
    end_all
    launch || die "the gateway or the provider did not come up"
fi

API_KEY=$(sed -n "s/.*Authorization: Bearer \(rk_[^']*\)'.*/\1/p" "$tmp/init.txt" | head -n 1)
[[ -n $API_KEY ]] || die "'rotary init' printed no key"
export API_KEY BASE_URL=https://localhost:$gateway_port/v1
case $client in
python) SSL_CERT_FILE=$made/certs/ca.crt timeout 150 "$python" "$here/frameworks.py" ;;
node)
    NODE_EXTRA_CA_CERTS=$made/certs/ca.crt CLIENT_PACKAGES=$libraries/node/package.json \
        timeout 90 node "$here/frameworks.mjs"
    ;;
esac

# What the provider saw: never the client's key, never the list of models, and for embeddings one
# model alone.
curl -fsS "http://127.0.0.1:$mock_port/__mock/requests" >"$tmp/seen"
for path in chat/completions responses embeddings; do
    grep -qF "\"path\":\"/v1/$path\"" "$tmp/seen" || die "the provider was never asked for $path"
done
for none in "$API_KEY" '"path":"/v1/models"' 'vectors\",\"messages' 'model\":\"any'; do
    ! grep -qF -- "$none" "$tmp/seen" || die "the provider saw '$none'"
done

kill -TERM "${pids[gateway]}"
status=0
wait "${pids[gateway]}" || status=$?
unset "pids[gateway]"
[[ $status -eq 0 ]] || die "the gateway ended with $status after SIGTERM"
echo "$client: served"
