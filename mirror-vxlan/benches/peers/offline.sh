#!/bin/sh
# Capture files, beside the programs that read them: five interleaved rounds of each on tmpfs.
#
#     offline.sh [files] [null] [decode]     all three if none is named
#
# files   capture file to decapsulated capture file, beside editcap, gopacket, tcpdump (which only
#         copies) and cp; on all processors and on one. All three that decapsulate have to make the same.
# null    the same to /dev/null, on one processor
# decode  packets counted by VNI, beside Suricata, which decodes all of the frames too, and tshark, which
#         prints the VNI; and frames in a pipe to tcpdump, which copies them. What is not there is left out.
#
# peers.sh installs what is missing.
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
"$target/imix" few.pcap 50000
ln -s /dev/null null.pcap
cat > suricata.yaml << 'YAML'
%YAML 1.1
---
decoder: {vxlan: {enabled: true, ports: "4789"}}
YAML
echo "load $load, $(editcap --version | head -1), $(tcpdump --version 2>&1 | head -1), $(go version)"
DECAP=$target/decap python3 - "$@" << 'PYTHON'
import collections, os, resource, shutil, statistics, subprocess, sys, time

DECAP = os.environ["DECAP"]
PACKETS = 1_000_000
EVERY = os.sched_getaffinity(0)
ONE = {max(EVERY)}
Run = collections.namedtuple("Run", "wall cpu")  # nanoseconds a packet

def measure(command, packets):
    """Runs a command once."""
    if os.path.exists("out.pcap"):
        os.remove("out.pcap")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall * 1e9 / packets, cpu * 1e9 / packets)

def compare(title, processors, programs, after_first=lambda program: None):
    """Runs programs in turns, and prints what each took; `programs` has command and packets of each."""
    os.sched_setaffinity(0, processors)
    runs = {name: [] for name, (command, _) in programs.items() if shutil.which(command[0])}
    for turn in range(5):
        for name in runs:
            runs[name].append(measure(*programs[name]))
            if turn == 0:
                after_first(name)
    ours = Run(*map(statistics.median, zip(*runs["decap"])))
    print(f"\n| {title}: ns a packet | median | min-max | x decap | processor time | x decap |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, each in runs.items():
        wall, cpu = map(statistics.median, zip(*each))
        least, most = min(each).wall, max(each).wall
        print(f"| {name} | {wall:.0f} | {least:.0f}-{most:.0f} | {wall / ours.wall:.2f} | {cpu:.0f} | {cpu / ours.cpu:.2f} |")

def files():
    programs = {
        "decap": [DECAP, "in.pcap", "out.pcap"],
        "editcap": "editcap -F nsecpcap -C 50 -L in.pcap out.pcap".split(),
        "gopacket": "./gopacket in.pcap out.pcap".split(),
        "cp": "cp in.pcap out.pcap".split(),
        "tcpdump (copies)": "tcpdump -r in.pcap -w out.pcap".split(),
    }
    programs = {name: (command, PACKETS) for name, command in programs.items()}
    for name, processors in (("all processors", EVERY), ("one processor", ONE)):
        sums = {}
        def digest(program):
            sums[program] = subprocess.check_output(["sha256sum", "out.pcap"])
        compare(name, processors, programs, digest)
        for peer in ("editcap", "gopacket"):
            assert sums[peer] == sums["decap"], f"{peer} makes another file"

def null():
    programs = {
        "decap": [DECAP, "in.pcap", "null.pcap"],
        "editcap": "editcap -F nsecpcap -C 50 -L in.pcap null.pcap".split(),
        "gopacket": "./gopacket in.pcap null.pcap".split(),
        "tcpdump (copies)": "tcpdump -r in.pcap -w null.pcap".split(),
    }
    compare("to /dev/null", ONE, {name: (command, PACKETS) for name, command in programs.items()})

def decode():
    suricata = "suricata -c suricata.yaml -S /dev/null -l . -k none --runmode single -r in.pcap"
    pipe = f"{DECAP} in.pcap - | tcpdump -r - -w /dev/null"
    compare("decoded", ONE, {
        "decap": ([DECAP, "in.pcap", "/dev/null"], PACKETS),
        "Suricata": (suricata.split(), PACKETS),
        "tshark": ("tshark -n -r few.pcap -T fields -e vxlan.vni".split(), 50_000),
    })
    compare("piped", EVERY, {"decap": (["sh", "-c", pipe], PACKETS)})

for part in sys.argv[1:] or ["files", "null", "decode"]:
    {"files": files, "null": null, "decode": decode}[part]()
PYTHON
