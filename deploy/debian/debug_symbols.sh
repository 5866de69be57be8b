#!/usr/bin/env bash
# The debug symbols that a stripped .deb is without, as a .deb beside it: gdb finds them by the
# binary's build id. CPack's own such package has a broken list of sums.
#
# usage: debug_symbols.sh BINARY PACKAGE.deb
set -euo pipefail

readonly binary=${1:?the binary with its symbols} package=${2:?the .deb made of it}
name=$(dpkg-deb -f "$package" Package)
version=$(dpkg-deb -f "$package" Version)
machine=$(dpkg-deb -f "$package" Architecture)
build_id=$(readelf -n "$binary" | sed -n 's/^ *Build ID: //p')
[[ -n $build_id ]] || {
    echo "debug_symbols.sh: $binary has no build id" >&2
    exit 1
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
readonly folder=usr/lib/debug/.build-id/${build_id:0:2}
install -d "$root/DEBIAN" "$root/$folder" "$root/usr/share/doc"
objcopy --only-keep-debug --compress-debug-sections=zstd "$binary" "$root/$folder/${build_id:2}.debug"
chmod 644 "$root/$folder/${build_id:2}.debug"
ln -s "$name" "$root/usr/share/doc/$name-dbgsym"
cat >"$root/DEBIAN/control" <<TEXT
Package: $name-dbgsym
Version: $version
Architecture: $machine
Maintainer: $(dpkg-deb -f "$package" Maintainer)
Installed-Size: $(du -sk "$root/usr" | cut -f 1)
Depends: $name (= $version)
Section: debug
Priority: optional
Auto-Built-Package: debug-symbols
Build-Ids: $build_id
Description: debug symbols for $name
TEXT
(cd "$root" && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
# What it holds is compressed already.
dpkg-deb --root-owner-group -Zgzip -z1 --build "$root" \
    "$(dirname "$package")/${name}-dbgsym_${version}_${machine}.deb" >/dev/null
