#!/bin/sh
# All of the image's files into a folder: the binary, the libraries that it needs and their
# licences, certificates of authorities, and the few files that libraries look for in /etc.
#
# usage: make_root.sh FOLDER
set -eu

root=$1
binary=/usr/bin/rotary
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl/certs" \
    "$root/usr/share/doc/rotary"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install -m 0755 "$binary" "$root$binary"
install -m 0644 "$(dirname "$0")/LICENSE" "$(dirname "$0")/NOTICES" "$root/usr/share/doc/rotary/"

missing=$(ldd "$binary" | grep 'not found' || true)
if [ -n "$missing" ]; then
    echo "make_root.sh: $missing" >&2
    exit 1
fi
# Lines of ldd: "name => path (address)", and the loader's "path (address)".
ldd "$binary" | grep -oE '/[^ ]+' | while read -r library; do
    folder=$(realpath "$(dirname "$library")")
    mkdir -p "$root$folder"
    cp -L "$library" "$root$folder/"
    package=$(dpkg-query -S "$(realpath "$library")" "$library" 2>/dev/null | head -n 1)
    package=${package%%:*}
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
mkdir -p "$root/usr/lib/ssl"
ln -s /etc/ssl/certs "$root/usr/lib/ssl/certs"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
cp -L /etc/os-release "$root/etc/"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/nonexistent\nrotary:x:65532:65532:Rotary:/var/lib/rotary:/nonexistent\n' \
    >"$root/etc/passwd"
printf 'root:x:0:\nrotary:x:65532:\n' >"$root/etc/group"
# The only place that the process may write to: a volume for a ledger.
install -d -o 65532 -g 65532 -m 0750 "$root/var/lib/rotary"
