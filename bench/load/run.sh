#!/usr/bin/env bash
# What one request costs: CPU time of `rotary serve`, with all a gateway does, beside nginx, which
# only passes on. Both end TLS and speak plain HTTP, kept alive, with the same upstream; neither
# logs. The proxy has core 0 for itself, the load and the upstream share core 1. Rounds go A B B A,
# so that a machine that grows slower harms both; the median of a proxy's rounds counts.
#
# The figure is the CPU the kernel booked for the proxy's threads (schedstat), divided by the
# requests answered. It holds 64 handshakes a round, less than 1 % of it. Ratios carry over to
# other machines better than microseconds; differences below 5 % are noise.
#
# With --beside FILE another rotary, an earlier build say, has its rounds among the others.
#
# usage: run.sh [--rounds N] [--seconds N] [--beside FILE]
#        (an even number of rounds for each; 6 of 3 s)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
# shellcheck source=bench/common.sh
source "$root/bench/common.sh"

rounds=6 seconds=3 beside=
while (($# > 0)); do
    case $1 in
    --rounds) rounds=${2:?} && shift ;;
    --seconds) seconds=${2:?} && shift ;;
    --beside) beside=$(realpath "${2:?}") && shift ;;
    *)
        sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
    shift
done

need_tools nginx wrk taskset curl openssl
mapfile -t ports < <(free_ports 2)
readonly nginx_port=${ports[0]}
export UPSTREAM_PORT=${ports[1]}
make_identity

# An answer as long as a short chat completion, about 700 bytes.
answer() {
    local text
    text=$(printf 'It is as much as it is. %.0s' {1..16})
    printf '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o",'
    printf '"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},' "$text"
    printf '"finish_reason":"stop"}],"usage":{"prompt_tokens":180,"completion_tokens":112,'
    printf '"total_tokens":292}}'
}

# nginx_conf NAME: what is common to both of them; the server's own part comes from stdin.
nginx_conf() {
    cat <<CONF
worker_processes 1;
daemon off;
pid $tmp/$1.pid;
error_log $tmp/$1.log crit;
events { worker_connections 2048; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path $tmp/$1-body;
    proxy_temp_path $tmp/$1-proxy;
    fastcgi_temp_path $tmp/$1-fastcgi;
    uwsgi_temp_path $tmp/$1-uwsgi;
    scgi_temp_path $tmp/$1-scgi;
$(cat)
}
CONF
}

nginx_conf upstream >"$tmp/upstream.conf" <<CONF
    server {
        listen 127.0.0.1:$UPSTREAM_PORT;
        default_type application/json;
        location / { return 200 '$(answer)'; }
    }
CONF
nginx_conf proxy >"$tmp/proxy.conf" <<CONF
    upstream provider {
        server 127.0.0.1:$UPSTREAM_PORT;
        keepalive 128;
        keepalive_requests 1000000000;
    }
    server {
        listen 127.0.0.1:$nginx_port ssl;
        ssl_certificate $CERTS/dev-server.crt;
        ssl_certificate_key $CERTS/dev-server.key;
        location / {
            proxy_pass http://provider/v1/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
CONF

taskset -c 1 nginx -e "$tmp/upstream.log" -c "$tmp/upstream.conf" &
pids+=($!)
taskset -c 0 nginx -e "$tmp/proxy.log" -c "$tmp/proxy.conf" &
readonly nginx_master=$!
pids+=("$nginx_master")

readonly path=/chat/1.0/chat/completions
declare -A url=([nginx]=https://127.0.0.1:$nginx_port$path) process=()
proxies=(nginx)

# gateway NAME BINARY: serves on two ports of its own.
gateway() {
    local ports
    mapfile -t ports < <(free_ports 2)
    GATEWAY_PORT=${ports[0]} ADMIN_PORT=${ports[1]} \
        taskset -c 0 "$2" serve -c "$here/gateway/rotary.yaml" >"$tmp/$1.log" 2>&1 &
    pids+=($!)
    process[$1]=$!
    url[$1]=https://127.0.0.1:${ports[0]}$path
    proxies+=("$1")
    answers "${url[$1]}" || die "$1 does not answer"
}

answers "${url[nginx]}" || die "nginx does not answer"
# The file ends without a newline, which `read` alone takes for a failure.
read -r nginx_worker _ <<<"$(<"/proc/$nginx_master/task/$nginx_master/children")"
process[nginx]=$nginx_worker
gateway rotary "$rotary"
[[ -z $beside ]] || gateway beside "$beside"

# Nanoseconds of CPU that the threads of a process have had.
cpu_of() { awk '{sum += $1} END {printf "%.0f\n", sum}' "/proc/$1"/task/*/schedstat; }

# round PROXY SECONDS: prints "microseconds-a-request requests-a-second p99-ms".
round() {
    local before after result
    before=$(cpu_of "${process[$1]}")
    result=$(taskset -c 1 wrk -t 1 -c 64 -d "${2}s" -s "$here/chat.lua" "${url[$1]}" |
        grep '^RESULT')
    after=$(cpu_of "${process[$1]}")
    read -r _ requests duration errors p99 <<<"$result"
    ((errors == 0)) || die "$1: $errors of $requests requests failed"
    ((requests > 0)) || die "$1: no request was answered"
    ((after > before)) || die "$1: its threads can't be counted"
    awk -v cpu=$((after - before)) -v n="$requests" -v us="$duration" -v p99="$p99" \
        'BEGIN {printf "%.2f %.0f %.2f\n", cpu / n / 1000, n * 1e6 / us, p99 / 1000}'
}

for proxy in "${proxies[@]}"; do
    round "$proxy" 1 >/dev/null
done
printf '%-6s %-7s %10s %10s %9s\n' round proxy 'CPU us/req' req/s 'p99 ms'
for ((n = 0; n < rounds; n++)); do
    order=("${proxies[@]}")
    if ((n % 2 == 1)); then
        mapfile -t order < <(printf '%s\n' "${proxies[@]}" | tac)
    fi
    for proxy in "${order[@]}"; do
        line=$(round "$proxy" "$seconds")
        read -r us rps p99 <<<"$line"
        echo "$us $rps $p99" >>"$tmp/$proxy.rounds"
        printf '%-6s %-7s %10s %10s %9s\n' $((n + 1)) "$proxy" "$us" "$rps" "$p99"
    done
done

median() { # COLUMN FILE
    awk -v c="$1" '{print $c}' "$2" | sort -n |
        awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
}
echo
printf '%-7s %10s %10s %9s   %s\n' median 'CPU us/req' req/s 'p99 ms' 'beside nginx'
base=$(median 1 "$tmp/nginx.rounds")
for proxy in "${proxies[@]}"; do
    us=$(median 1 "$tmp/$proxy.rounds")
    printf '%-7s %10.2f %10.0f %9.2f   %.2f\n' "$proxy" "$us" \
        "$(median 2 "$tmp/$proxy.rounds")" "$(median 3 "$tmp/$proxy.rounds")" \
        "$(awk -v a="$us" -v b="$base" 'BEGIN {print a / b}')"
done
