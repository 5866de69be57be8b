#!/usr/bin/env bash
# A long run with a provider that goes wrong in every way it knows: one request in ten meets a
# fault, one model in three runs out of quota each second, and the clients hang up in mid-request
# every few seconds. What must not happen is slow: memory that grows, descriptors that are lost.
#
# The gateway's resident memory is sampled each second. The first fifth of the requests is warming
# up, by four times as many clients, so that a later peak of one worker's connections finds its
# buffers there: what grows then is a leak. From then on the means of the first and of the last
# quarter of the samples may differ by 1 %. At the end, once idle connections have been closed, as many descriptors are open as before.
#
# usage: run.sh [--requests N]    (1000000)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
# shellcheck source=bench/common.sh
source "$root/bench/common.sh"

requests=1000000
while (($# > 0)); do
    case $1 in
    --requests) requests=${2:?} && shift ;;
    *)
        sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
    shift
done
need_tools wrk curl openssl

mapfile -t ports < <(free_ports 3)
export UPSTREAM_PORT=${ports[0]} GATEWAY_PORT=${ports[1]} ADMIN_PORT=${ports[2]}
make_identity

"$rotary" mock --listen "127.0.0.1:$UPSTREAM_PORT" --tokens 8 --quota gpt-4o=500/1s \
    >"$tmp/mock.log" 2>&1 &
pids+=($!)
"$rotary" serve -c "$here/gateway/rotary.yaml" >/dev/null 2>"$tmp/rotary.log" &
readonly gateway=$!
pids+=("$gateway")
readonly url=https://127.0.0.1:$GATEWAY_PORT/chat/1.0/chat/completions
answers "$url" || die "rotary does not answer"

# Of the gateway, from /proc: kB of resident memory, and open descriptors.
resident() { awk '/^VmRSS:/ {print $2}' "/proc/$gateway/status"; }
descriptors() { find "/proc/$gateway/fd" -type l | wc -l; }
metric() { curl -fsS "http://127.0.0.1:$ADMIN_PORT/metrics" | awk -v n="$1" '$1 == n {print $2}'; }
# The gauge first: nobody may be connected when descriptors are counted.
settled() {
    local try
    for ((try = 0; try < 200; try++)); do
        [[ $(metric rotary_client_connections) == 0 && $(descriptors) -le $1 ]] && return 0
        sleep 0.1
    done
    return 1
}

sleep 3  # the idle connection of the first answer goes
before=$(descriptors)
done_requests=0 samples=$tmp/samples
while ((done_requests < requests)); do
    clients=64
    ((done_requests * 5 > requests)) || clients=256
    wrk -t 2 -c "$clients" -d 5s --timeout 5s -s "$here/soak.lua" "$url" >"$tmp/wrk.out" &
    load=$!
    while kill -0 "$load" 2>/dev/null; do
        echo "$done_requests $(resident)" >>"$samples"
        sleep 1
    done
    wait "$load" || die "the load generator failed"
    read -r _ count refused < <(grep '^RESULT' "$tmp/wrk.out")
    done_requests=$((done_requests + count))
    printf '%8d requests, %d of these not 2xx, resident %d kB, %d descriptors\n' \
        "$done_requests" "$refused" "$(resident)" "$(descriptors)"
done

growth=$(awk -v warm=$((done_requests / 5)) '
    $1 >= warm {kb[n++] = $2}
    END {
        q = int(n / 4); if (q < 1) {print "short"; exit}
        for (i = 0; i < q; i++) {first += kb[i]; last += kb[n - 1 - i]}
        printf "%.3f\n", (last - first) / first * 100
    }' "$samples")
[[ $growth != short ]] || die "too few requests to tell anything"
settled "$before" ||
    die "$(descriptors) descriptors are open, $before were before the load"
kill -0 "$gateway" || die "the gateway is gone"
echo
echo "$done_requests requests; resident memory grew by $growth % after warming up;" \
    "$(descriptors) descriptors open, $before before"
awk -v g="$growth" 'BEGIN {exit !(g < 1)}' || die "memory grew by more than 1 %"
