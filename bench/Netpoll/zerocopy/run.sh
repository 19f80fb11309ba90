#!/usr/bin/env bash
# Measures what MSG_ZEROCOPY saves: over loopback, and over a pair of virtual Ethernet devices between two network namespaces.
# Needs root, for the namespaces, gcc and iproute2.
set -euo pipefail
cd "$(dirname "$0")"

build=$(mktemp -d)
near=netgo-zerocopy-near far=netgo-zerocopy-far
trap 'rm -rf "$build"; ip netns del "$near" 2> /dev/null || true; ip netns del "$far" 2> /dev/null || true' EXIT
gcc -O2 -Wall -Wextra -Werror -o "$build/zerocopy" zerocopy.c

ip netns add "$near"
ip netns add "$far"
ip link add veth-near netns "$near" type veth peer name veth-far netns "$far"
ip -n "$near" address add 10.77.0.1/30 dev veth-near
ip -n "$far" address add 10.77.0.2/30 dev veth-far
ip -n "$near" link set veth-near up
ip -n "$far" link set veth-far up

uname -sr
echo "== loopback"
"$build/zerocopy" 127.0.0.1
echo "== veth"
ip netns exec "$near" "$build/zerocopy" 10.77.0.2 "$far"
