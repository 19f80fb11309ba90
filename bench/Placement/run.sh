#!/usr/bin/env bash
# Where a pool's buffers are on a machine with two memory nodes of two cores each: boots one in QEMU, by software emulation, with Debian's
# kernel, and runs Placement there, compiled by Native AOT.
#
#   run.sh [--keep]     --keep: uses the kernel and the program that are in build/ already
#
# Needs x64, Debian's apt-get for the kernel and for busybox (neither is installed), and the packages qemu-system-x86, cpio, clang and
# zlib1g-dev. All that it makes is in build/. Ends with 0 when the program says PASS, with 77 when something cannot be had here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/build
limit=150 # seconds for the guest
started=$SECONDS

die() { echo "run.sh: $1" >&2; exit "${2:-1}"; }

[ "$(uname -m)" = x86_64 ] || die "needs x64" 77
for command in qemu-system-x86_64 cpio clang apt-get apt-cache dpkg-deb; do
    command -v "$command" > /dev/null || die "needs $command" 77
done

# ---- The kernel and busybox, out of Debian's packages ----

packages() {
    local package
    package=$(apt-cache depends linux-image-amd64 2> /dev/null | sed -n 's/.*Depends: \(linux-image-[0-9]\)/\1/p' | head -n 1)
    [ -n "$package" ] && echo "$package" busybox-static
}

fetch() {
    local wanted
    wanted=$(packages) || { apt-get update -qq && wanted=$(packages); } || die "apt has no linux-image-amd64" 77
    rm -rf "$build/packages" "$build/debian"
    mkdir -p "$build/packages" "$build/debian"
    # shellcheck disable=SC2086
    (cd "$build/packages" && apt-get download -qq $wanted 2> /dev/null) || die "cannot download $wanted" 77
    local package
    for package in "$build"/packages/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$build/debian" --wildcards './boot/vmlinuz-*' './bin/busybox' 2> /dev/null || true
    done
    rm -rf "$build/packages"
    mv "$build"/debian/boot/vmlinuz-* "$build/vmlinuz"
    mv "$build/debian/bin/busybox" "$build/busybox"
}

[ "${1:-}" = --keep ] && [ -s "$build/vmlinuz" ] && [ -s "$build/busybox" ] || fetch

# ---- The program ----

[ "${1:-}" = --keep ] && [ -x "$build/program/Placement" ] ||
    dotnet publish "$here/Placement.csproj" -c Release -v quiet --nologo -p:PublishAot=true -o "$build/program"

# ---- The guest's only file system ----

root=$build/root
rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys,tmp}
cp "$build/busybox" "$root/bin/busybox"
cp "$build/program/Placement" "$root/placement"
ldd "$build/program/Placement" | grep -oE '/[^ ]+' | while read -r library; do
    cp -L --parents "$library" "$root"
done
cat > "$root/init" << 'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/placement
/bin/busybox poweroff -f
END
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) > "$build/initramfs"
prepared=$SECONDS

# ---- The guest ----

timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg,thread=multi -smp 4 -m 1G \
    -object memory-backend-ram,id=m0,size=512M -object memory-backend-ram,id=m1,size=512M \
    -numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3,memdev=m1 \
    -kernel "$build/vmlinuz" -initrd "$build/initramfs" -append "console=ttyS0 quiet loglevel=1 panic=-1" \
    -nodefaults -no-reboot -display none -serial stdio < /dev/null | tr -d '\r' | tee "$build/output" || echo "the guest did not end well, or not within $limit s"

echo "$((prepared - started)) s to get and build it, $((SECONDS - prepared)) s in the guest"
grep -qx PASS "$build/output" && ! grep -q FAIL "$build/output"
