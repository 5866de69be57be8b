#!/usr/bin/env bash
# User instructions a request among many APIs and Backends, beside those of a request where its own
# are the only ones; and the CPU time that the gateway takes to start with them.
#
# usage: scale.sh [--check] [COUNT...]     1,000 and 10,000 if not said
#        --check fails when a request among them costs more than 5 % more.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
# shellcheck source=bench/common.sh
source "$root/bench/common.sh"

check=no
if [[ ${1:-} == --check ]]; then
    check=yes
    shift
fi
counts=("$@")
((${#counts[@]} > 0)) || counts=(1000 10000)

need_tools valgrind callgrind_control curl openssl python3
mapfile -t ports < <(free_ports 3)
export UPSTREAM_PORT=${ports[0]} GATEWAY_PORT=${ports[1]} ADMIN_PORT=${ports[2]} ACCESS_LOG=json
make_identity
readonly url="https://127.0.0.1:$GATEWAY_PORT/chat/1.0/chat/completions?chat"
python3 "$here/load.py" provider "$UPSTREAM_PORT" >"$tmp/provider.log" 2>&1 &
pids+=($!)

# The configuration of bench/load with so many APIs and Backends more, in $tmp/COUNT.
write_gateway() {
    cp -r "$root/bench/load/gateway" "$tmp/$1"
    echo "watch: false" >>"$tmp/$1/rotary.yaml" # which reads all of it once more after the start
    (($1 == 0)) || python3 "$here/many.py" "$tmp/$1/apis" "$1" "$1"
}

# CPU milliseconds of the gateway from its start to its first answer.
start_time() {
    "$rotary" serve -c "$tmp/$1/rotary.yaml" >"$tmp/access" 2>"$tmp/gateway.log" &
    local gateway=$!
    answers "$url" || die "the gateway does not answer"
    awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) * 1000 / hz}' "/proc/$gateway/stat"
    kill "$gateway"
    wait "$gateway" || true
}

# User instructions of one request.
instructions() {
    local requests total try
    # The start is not counted: it would take minutes.
    valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$tmp/callgrind.$1" \
        "$rotary" serve -c "$tmp/$1/rotary.yaml" >"$tmp/access" 2>"$tmp/gateway.log" &
    local gateway=$!
    for ((try = 0; try < 30; try++)); do
        if answers "$url"; then break; fi
    done
    callgrind_control --instr=on "$gateway" >/dev/null 2>&1
    requests=$(python3 "$here/load.py" clients chat "$GATEWAY_PORT" "$CERTS/dev-ca.crt" "$gateway")
    total=$(awk '/^totals:/ {print $2}' "$tmp/callgrind.$1.1")
    echo $((total / requests))
    kill "$gateway"
    wait "$gateway" || true
}

failed=0
printf '%-8s %14s %8s %15s\n' APIs instructions ratio 'start (CPU ms)'
for count in 0 "${counts[@]}"; do
    write_gateway "$count"
    started=$(start_time "$count")
    cost=$(instructions "$count")
    alone=${alone:-$cost}
    ratio=$(awk -v a="$cost" -v b="$alone" 'BEGIN {printf "%.3f", a / b}')
    printf '%-8s %14s %8s %15s\n' "$((count + 1))" "$cost" "$ratio" "$started"
    ((cost * 100 <= alone * 105)) || failed=1
done
[[ $check == no || $failed == 0 ]] || die "a request costs more among many APIs"
