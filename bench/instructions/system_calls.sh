#!/usr/bin/env bash
# System calls a request, counted by strace: a chat of 1 KB over 16 connections, with the JSON access
# log to a file and to a pipe. Two reads and two writes are what a request cannot do without; the
# rest is its part of the log and of what time brings. All threads of the gateway count. How many
# requests one wait brings depends on how busy the machine is: on an idle one there are 0.2 waits a
# request, and never can there be more than two.
#
# usage: system_calls.sh   fails above 4.25 without the waits, or 2 waits; 77: nothing may be traced here
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../.. most=4.25 most_waits=2.00
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
printf '%-10s %12s %12s %12s %12s\n' 'log to' calls 'at most' waits 'at most'
for sink in file pipe; do
    "$rotary" serve -c "$root/bench/load/gateway/rotary.yaml" >"$tmp/$sink" 2>"$tmp/gateway.log" &
    gateway=$!
    pids+=("$gateway")
    answers "$url" || answers "$url" || die "the gateway does not answer"
    counts=$(python3 "$here/load.py" traced chat "$GATEWAY_PORT" "$CERTS/dev-ca.crt" "$gateway") || exit
    read -r calls waits <<<"$counts"
    printf '%-10s %12s %12s %12s %12s\n' "$sink" "$calls" "$most" "$waits" "$most_waits"
    awk -v calls="$calls" -v most="$most" -v waits="$waits" -v most_waits="$most_waits" \
        'BEGIN {exit !(calls > 3.5 && calls <= most && waits <= most_waits)}' || failed=1
    kill "$gateway"
    wait "$gateway" || die "the gateway did not end as it should"
    unset 'pids[-1]'
done
((failed == 0)) || die "more system calls a request than that, or too few to be all"
