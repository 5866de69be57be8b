# shellcheck shell=bash
# Processes that a script has in the background, and how it ends; sourced by scripts that have
# declared the array `pids`, with names for start and until_ok.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Ends every process in `pids` and waits for its end.
end_all() {
    if [[ ${#pids[@]} -gt 0 ]]; then
        kill "${pids[@]}" 2>/dev/null || true
        wait "${pids[@]}" 2>/dev/null || true
    fi
}

# A folder of the script's own. It is removed at the end with every process; after a failure the
# ends of the logs in it are shown.
tmp=$(mktemp -d)
clean() {
    local status=$? logs
    # A child that is ended before it has become its program would come here too.
    [[ $BASHPID -eq $$ ]] || return 0
    trap - EXIT
    end_all
    logs=("$tmp"/*.log)
    if [[ $status -ne 0 && -e ${logs[0]} ]]; then
        tail -n 60 "${logs[@]}" >&2 || true
    fi
    rm -rf "$tmp"
    exit "$status"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND…: in the background, its output in NAME.log of that folder.
start() {
    local name=$1
    shift
    "$@" >"$tmp/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
}

# until_ok URL NAME: waits up to 30 s (a sanitizer is slow) while the process NAME lives.
until_ok() {
    local try
    for ((try = 0; try < 300; try++)); do
        kill -0 "${pids[$2]}" 2>/dev/null || return 1
        if curl -fsS -o /dev/null --max-time 2 "$1" 2>/dev/null; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}

# free_ports COUNT: below the range the kernel gives to outgoing connections.
free_ports() {
    local port found=0
    while ((found < $1)); do
        port=$((RANDOM % 12000 + 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            found=$((found + 1))
        fi
    done
}
