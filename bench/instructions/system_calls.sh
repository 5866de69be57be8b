#!/usr/bin/env bash
# System calls a request, counted by strace: a chat of 1 KB over 16 connections, with the JSON access
# log to a file and to a pipe. Two reads and two writes are what a request cannot do without; the
# rest is its part of the waits and of the log. All threads of the gateway count.
#
# usage: system_calls.sh   fails where there are more than 4.3; 77: nothing may be traced here
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../.. most=4.30
# shellcheck source=bench/common.sh
source "$root/bench/common.sh"

need_tools strace curl openssl python3
mapfile -t ports < <(free_ports 3)
export UPSTREAM_PORT=${ports[0]} GATEWAY_PORT=${ports[1]} ADMIN_PORT=${ports[2]} ACCESS_LOG=json
make_identity
readonly url=https://127.0.0.1:$GATEWAY_PORT/chat/1.0/chat/completions?chat

python3 "$here/load.py" provider "$UPSTREAM_PORT" >"$tmp/provider.log" 2>&1 &
pids+=($!)
mkfifo "$tmp/pipe"
cat "$tmp/pipe" >"$tmp/piped" &
pids+=($!)

failed=0
printf '%-10s %12s %12s\n' 'log to' calls 'at most'
for sink in file pipe; do
    "$rotary" serve -c "$root/bench/load/gateway/rotary.yaml" >"$tmp/$sink" 2>"$tmp/gateway.log" &
    gateway=$!
    pids+=("$gateway")
    answers "$url" || answers "$url" || die "the gateway does not answer"
    calls=$(python3 "$here/load.py" traced chat "$GATEWAY_PORT" "$CERTS/dev-ca.crt" "$gateway") || exit
    printf '%-10s %12s %12s\n' "$sink" "$calls" "$most"
    awk -v calls="$calls" -v most="$most" 'BEGIN {exit !(calls > 3.5 && calls <= most)}' || failed=1
    kill "$gateway"
    wait "$gateway" || die "the gateway did not end as it should"
    unset 'pids[-1]'
done
((failed == 0)) || die "more than $most system calls a request, or too few to be all"
