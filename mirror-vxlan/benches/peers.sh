#!/bin/sh
# Measures the receiver beside other programs, and prints every figure of the book's page "Benchmarks":
#
#     peers.sh [--anyway] [offline] [core] [live] [memory]     all four if none is named
#
# offline  capture file to decapsulated file and to /dev/null, beside editcap, gopacket, tcpdump and cp;
#          packets decoded, beside Suricata and tshark where they are installed
# core     headers checked and taken off in memory, beside memcpy
# live     from a veth pair: as fast as it goes, on one core, at a fixed rate, to files and to a TAP device
# memory   resident memory in ten minutes of flood
#
# It takes about 50 minutes. What is missing is installed from Debian; netring and flowscope come as
# crates. Root is needed for all but the first two. Other work on the machine is measured too: the
# script refuses then, unless told --anyway.
set -eu
here=$(dirname "$0")
anyway=
[ "${1-}" != --anyway ] || { anyway=--anyway; shift; }
[ $# -gt 0 ] || set -- offline core live memory
read -r load _ < /proc/loadavg
if [ -z "$anyway" ] && [ "${load%.*}" -ge 1 ]; then
    echo "the load is $load: other work would be measured too; --anyway measures all the same" >&2
    exit 1
fi
is_missing=
for program in editcap tshark tcpdump go gcc ethtool nft python3 ip; do
    command -v "$program" > /dev/null || is_missing=yes
done
[ -d /usr/share/gocode/src/github.com/google/gopacket ] || is_missing=yes
if [ -n "$is_missing" ]; then
    apt-get install -y --no-install-recommends wireshark-common tshark tcpdump golang-go \
        golang-github-google-gopacket-dev golang-golang-x-net-dev golang-golang-x-sys-dev \
        gcc libc6-dev ethtool nftables python3 iproute2 >&2
fi
for part; do
    case $part in
        core) (cd "$here/.." && cargo bench --quiet -p mirror-vxlan --bench core --profile datapath) ;;
        *) "$here/peers/$part.sh" ;;
    esac
done
