#!/usr/bin/env bash
# Builds the kube-apiserver that the tests talk to, once, from the Go modules that go.mod and go.sum
# name, into a cache outside the repository; beside it lie the Gateway API's definitions, of
# ../gateway_api. Prints where both are. A second run waits for the first. 77: they can't be had
# here, and why.
#
# usage: build.sh [--find]    --find: builds nothing
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

# version_of MODULE GO_MOD: the one that is required there.
version_of() {
    awk -v module="$1" '{ for (i = 1; i < NF; i++) if ($i == module) { print $(i + 1); exit } }' "$2"
}

version=$(version_of k8s.io/kubernetes "$here/go.mod")
routes_version=$(version_of sigs.k8s.io/gateway-api "$here/../gateway_api/go.mod")
readonly cache=${ROTARY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rotary} version routes_version
readonly binary=$cache/kube-apiserver-$version routes=$cache/gateway-api-$routes_version.yaml

skip() {
    echo "no kube-apiserver: $*" >&2
    exit 77
}

build_binary() {
    local named=k8s.io/component-base/version minor=${version#v1.}
    # One compiler at a time: it is built beside other things.
    (cd "$here" && CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -p=${ROTARY_GO_JOBS:-1}" \
        "$go" build -trimpath -o "$1" -ldflags \
        "-s -w -X $named.gitVersion=$version -X $named.gitMajor=1 -X $named.gitMinor=${minor%.*}" \
        k8s.io/kubernetes/cmd/kube-apiserver) >&2
    chmod 755 "$1"
}

fetch_routes() {
    local home one
    home=$(cd "$here/../gateway_api" && GOFLAGS=-mod=readonly "$go" mod download >&2 &&
        "$go" list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api) || return 1
    for one in "$home"/config/crd/standard/gateway*.yaml; do
        echo "---"
        cat "$one"
    done >"$1"
}

# make FILE COMMAND: what the command writes is there as a whole or not at all.
make() {
    [[ ! -s $1 ]] || return 0
    local made
    made=$(mktemp "$1.XXXXXX")
    "$2" "$made" || { rm -f "$made" && return 1; }
    mv "$made" "$1"
}

main() {
    if [[ ! -s $binary || ! -s $routes ]]; then
        [[ ${1:-} != --find ]] ||
            skip "$binary is not there; tests/kubernetes/apiserver/build.sh builds it"
        go=$(command -v go) || skip "Go is not installed"
        # The one that is installed, which fetches no other.
        export GOTOOLCHAIN=local
        local needed have
        needed=$(awk '$1 == "go" {print $2}' "$here/go.mod")
        have=$(cd / && "$go" env GOVERSION)
        [[ $(printf '%s\n' "$needed" "${have#go}" | sort -V | head -n 1) == "$needed" ]] ||
            skip "Go $needed is needed, ${have#go} is here"
        mkdir -p "$cache"
        exec 9>"$cache/kube-apiserver.lock"
        flock 9
        make "$routes" fetch_routes
        make "$binary" build_binary
    fi
    printf '%s\n' "$binary" "$routes"
    exit 0
}

main "$@"
