#!/bin/sh
# Capture file to decapsulated capture file, beside editcap, gopacket, tcpdump (which only copies) and
# cp: five interleaved rounds on tmpfs, on all processors and on one. peers.sh installs what is missing.
set -eu
crate=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$crate/../target}/datapath/examples
read -r load _ < /proc/loadavg
(cd "$crate" && cargo build -q --profile datapath --no-default-features --features std --example decap --example imix)
work=$(mktemp -d /dev/shm/peers.XXXXXX)
trap 'rm -rf "$work"' EXIT
GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$work/gopacket" "$crate/benches/peers/gopacket/main.go"
cd "$work"
"$target/imix" in.pcap 1000000
echo "load $load, $(editcap --version | head -1), $(tcpdump --version 2>&1 | head -1), $(go version)"
DECAP=$target/decap python3 - << 'PYTHON'
import os, resource, statistics, subprocess, time
programs = {
    "decap": [os.environ["DECAP"], "in.pcap", "out.pcap"],
    "editcap": "editcap -F nsecpcap -C 50 -L in.pcap out.pcap".split(),
    "gopacket": "./gopacket in.pcap out.pcap".split(),
    "cp": "cp in.pcap out.pcap".split(),
    "tcpdump (copies)": "tcpdump -r in.pcap -w out.pcap".split(),
}
every = os.sched_getaffinity(0)
for name, processors in (("all", every), ("one", {max(every)})):
    os.sched_setaffinity(0, processors)
    runs = {program: [] for program in programs}
    sums = {}
    for _ in range(5):
        for program, command in programs.items():
            if os.path.exists("out.pcap"):
                os.remove("out.pcap")
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            runs[program].append((wall * 1000, cpu * 1000))
            if program not in sums:
                sums[program] = subprocess.check_output(["sha256sum", "out.pcap"])
    for peer in ("editcap", "gopacket"):
        assert sums[peer] == sums["decap"], f"{peer} makes another file"
    ours = [statistics.median(column) for column in zip(*runs["decap"])]
    print(f"| {name} processors: ns a packet | median | min-max | x decap | processor time | x decap |\n| --- | --- | --- | --- | --- | --- |")
    for program, rows in runs.items():
        wall, cpu = zip(*rows)
        w, c = statistics.median(wall), statistics.median(cpu)
        print(f"| {program} | {w:.0f} | {min(wall):.0f}-{max(wall):.0f} | {w/ours[0]:.2f} | {c:.0f} | {c/ours[1]:.2f} |")
PYTHON
