#!/usr/bin/env bash
# curl, as people paste it from a manual; and some things that only curl does: `Expect:
# 100-continue`, HTTP/1.0, several requests on one connection.
set -euo pipefail

readonly url=${BASE_URL:?}/chat/completions
readonly body='{"model": "any", "messages": [{"role": "user", "content": "Hello"}]}'
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
    echo "curl.sh: $*" >&2
    head -c 2000 "$out"/* >&2 || true
    exit 1
}

# ask STATUS CURL-OPTIONS…: the answer's head and body are left in $out.
ask() {
    local want=$1 got
    shift
    got=$(curl -sS --max-time 30 --cacert "${CA:?}" -D "$out/head" -o "$out/body" \
        -w '%{http_code}' -H 'content-type: application/json' "$@") || fail "curl $*: exit $?"
    [[ $got == "$want" ]] || fail "curl $*: $got instead of $want"
}

head_has() { grep -qiE "^$1" "$out/head" || fail "no header $1"; }
body_has() { grep -qE "$1" "$out/body" || fail "no $1 in the body"; }

bearer=(-H "Authorization: Bearer ${TOKEN:?}")

ask 200 "${bearer[@]}" -d "$body" "$url"
head_has 'content-type: application/json'
body_has '"content"'

ask 200 "${bearer[@]}" -N -d "${body%\}}, \"stream\": true}" "$url"
head_has 'content-type: text/event-stream'
body_has '^data: \{'
[[ $(grep -v '^.\{0,1\}$' "$out/body" | tail -n 1 | tr -d '\r') == 'data: [DONE]' ]] ||
    fail "the stream does not end with [DONE]"

# A body of some size: curl asks first whether it is welcome, and waits a second if nobody answers.
{
    printf '{"messages": [{"role": "user", "content": "'
    head -c 1500000 /dev/zero | tr '\0' 'x'
    printf '"}], "model": "any"}'
} >"$out/big"
ask 200 "${bearer[@]}" -H 'Expect: 100-continue' --expect100-timeout 20 \
    --data-binary "@$out/big" "$url"
head_has 'HTTP/1.1 100'
rm "$out/big"

ask 401 -d "$body" "$url"
head_has 'www-authenticate:'
body_has '"code": *"missing_credentials"'
ask 401 -H "Authorization: Bearer ${TOKEN}x" -d "$body" "$url"
body_has '"code": *"invalid_token"'
ask 404 "${bearer[@]}" -d "$body" "${BASE_URL}/no/such/path"
body_has '"code": *"route_not_found"'
ask 405 "${bearer[@]}" -X DELETE "$url"
head_has 'allow: .*POST'
ask 400 "${bearer[@]}" -d '{"model": ' "$url"
body_has '"code": *"invalid_json"'

# Nine on one connection: each model three times.
request=("${bearer[@]}" -sS --max-time 30 --cacert "$CA" -H 'content-type: application/json'
    -d "$body" -o /dev/null -w '%header{x-rotary-model} %{num_connects}\n' "$url")
command=("${request[@]}")
for _ in 1 2 3 4 5 6 7 8; do command+=(--next "${request[@]}"); done
curl "${command[@]}" >"$out/turns" || fail "nine requests: curl exit $?"
[[ $(awk '{print $1}' "$out/turns" | sort | uniq -c | awk '{print $2 "=" $1}' | xargs) == \
    "gpt-4o=3 gpt-4o-mini=3 o1-mini=3" ]] || fail "the turns were not three each"
[[ $(awk '{sum += $2} END {print sum}' "$out/turns") == 1 ]] || fail "the connection was not kept"
