#!/usr/bin/env bash
# What an editor makes of a configuration, by the programs that editors have.
#
# usage: run.sh agreement|language_server
# ROTARY_BIN is the gateway's binary, ROTARY_CONFIG_TEST the unit tests of its configuration;
# ROTARY_EDITORS (build/editors) has the packages.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=$here/../..
readonly what=${1:?agreement or language_server}
readonly packages=${ROTARY_EDITORS:-$root/build/editors}
export ROTARY_BIN=${ROTARY_BIN:?the path of the rotary binary}

declare -a pids=()
# shellcheck source=tests/support/background.sh
source "$root/tests/support/background.sh"

command -v node >/dev/null || die "node is not installed; './dev test' does it"
[[ -d $packages/node_modules/yaml-language-server ]] ||
    die "the packages of tests/editors are not in $packages; './dev test' puts them there"
export EDITOR_PACKAGES=$packages/package.json

case $what in
agreement)
    # What the unit tests load, right and wrong, and what is found in it.
    export ROTARY_NOTED_LOADS=$tmp/loads
    mkdir "$ROTARY_NOTED_LOADS"
    "${ROTARY_CONFIG_TEST:?the path of config_test}" --gtest_brief=1 >"$tmp/config_test.log" 2>&1 ||
        die "the unit tests of the configuration fail"
    "$root/certs/make-certs.sh" --quiet --dir "$tmp/certs"
    CERTS=$tmp/certs SCRATCH=$tmp timeout 120 node "$here/agreement.mjs"
    ;;
language_server) timeout 120 node "$here/language_server.mjs" ;;
*) die "no test '$what'" ;;
esac
