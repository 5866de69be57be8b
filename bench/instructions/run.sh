#!/usr/bin/env bash
# User instructions a request, counted by valgrind's callgrind: what a change costs, on any machine
# and beside any load, to a few in a thousand. Cycles and cache misses are not in it, nor is the
# kernel; the rig (bench/README.md) measures CPU time.
#
# One worker; 16 connections that stand, each with one request at a time; JSON access log to a file.
# Workloads: a chat of 1 KB; one of 32 KB; one whose answer has 64 KB; a streamed answer of 100
# events that come at once; a request with a forged token; the chat once more by a gateway that asks
# four limits and a budget and adds up what it costs, and by one that shares these with other replicas
# by a Redis. What libraries take depends on the machine they run on, so what is recorded and checked is
# the binary's own part.
#
# usage: run.sh [--check | --record] [--keep FOLDER]
#        --check fails when one is more than 3 % above what recorded.txt says; --record writes that
#        file; --keep leaves callgrind's files in FOLDER, for callgrind_annotate.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../.. recorded=$here/recorded.txt
# shellcheck source=bench/common.sh
source "$root/bench/common.sh"

mode=show keep=
while (($# > 0)); do
    case $1 in
    --check | --record) mode=${1#--} ;;
    --keep) keep=$(realpath "${2:?}") && shift ;;
    *)
        sed -n '2,17s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
    shift
done

need_tools valgrind callgrind_control curl openssl python3 redis-server redis-cli
mapfile -t ports < <(free_ports 4)
export REDIS_PORT=${ports[3]}
export UPSTREAM_PORT=${ports[0]} GATEWAY_PORT=${ports[1]} ADMIN_PORT=${ports[2]} ACCESS_LOG=json
make_identity

python3 "$here/load.py" provider "$UPSTREAM_PORT" >"$tmp/provider.log" 2>&1 &
pids+=($!)
redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save "" >"$tmp/redis.log" &
pids+=($!)
until redis-cli -p "$REDIS_PORT" ping >/dev/null 2>&1; do sleep 0.1; done
readonly url=https://127.0.0.1:$GATEWAY_PORT/chat/1.0/chat/completions?chat
gateway= number=0

# start_gateway NAME: with the configuration of that name in bench/load.
start_gateway() {
    number=0
    valgrind --tool=callgrind --callgrind-out-file="$tmp/callgrind-$1" \
        "$rotary" serve -c "$root/bench/load/$1/rotary.yaml" >"$tmp/access" 2>"$tmp/$1.log" &
    gateway=$!
    pids+=("$gateway")
    # Under valgrind, and on a busy machine, a start takes its time.
    answers "$url" || answers "$url" || answers "$url" || die "the gateway does not answer"
}

# instructions WORKLOAD FILE: of one request, all and the binary's own; FILE is the dump.
instructions() {
    local requests
    requests=$(python3 "$here/load.py" clients "$1" "$GATEWAY_PORT" "$CERTS/dev-ca.crt" "$gateway")
    python3 "$here/load.py" count "$2" "$rotary" "$requests"
    [[ -z $keep ]] || cp "$2" "$keep/$1.callgrind"
}

failed=0 configuration=gateway
: >"$tmp/counts"
start_gateway "$configuration"
printf '%-10s %12s %12s %12s\n' workload all own recorded
for workload in chat upload large burst refused limited shared; do
    if [[ $workload == limited || $workload == shared ]]; then
        kill "$gateway" && wait "$gateway" || true
        unset 'pids[-1]'
        configuration=$workload
        start_gateway "$configuration"
    fi
    number=$((number + 1))
    read -r all own <<<"$(instructions "$workload" "$tmp/callgrind-$configuration.$number")"
    known=$(awk -v w="$workload" '$1 == w {print $2}' "$recorded" 2>/dev/null || true)
    echo "$workload $own" >>"$tmp/counts"
    printf '%-10s %12s %12s %12s\n' "$workload" "$all" "$own" "${known:--}"
    if [[ $mode == check ]] && ((own * 100 > ${known:-0} * 103)); then
        failed=1
    fi
done
[[ $mode != record ]] || cp "$tmp/counts" "$recorded"
((failed == 0)) || die "more than 3 % above bench/instructions/recorded.txt"
