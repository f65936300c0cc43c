#!/bin/sh
# `mirror trace --pcap` beside tcpdump and tshark on the same file, five interleaved rounds on one
# processor, and its memory on a stream of 10 GB.
#
# A million packets (426 MB, on tmpfs) arrive at an interface whose filter has ten rules, of which the last
# matches. The example `trace` is the program without the AWS SDK: the same code reads and counts.
# tcpdump counts what one expression matches. What takes much longer has a twentieth of the packets:
# tcpdump prints a line for each, and tshark adds up conversations.
set -eu
crate=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$crate/../target}/release/examples
(cd "$crate" && cargo build -q --release --no-default-features --features hcl --example trace)
(cd "$crate/../mirror-vxlan" && cargo build -q --release --no-default-features --features std --example imix)
work=$(mktemp -d /dev/shm/trace.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$target/imix" in.pcap 1000000
"$target/imix" few.pcap 50000
cat > lab.mirror.hcl << 'HCL'
stack "lab" {}
vpc "lab" { cidr = "10.0.0.0/16" }
subnet "receiver" {
  vpc  = vpc.lab
  cidr = "10.0.0.0/24"
}
instance "receiver" {
  instance_type = "c5n.18xlarge"
  subnet        = subnet.receiver
  private_ip    = "10.0.0.1"
}
mirror_target "sensor" { network_interface = "eni-0a1b2c3d4e5f67890" }
locals {
  others = [for n in [1, 2, 3, 4, 5, 6, 7, 8, 9] : {
    number = n, action = "reject", direction = "ingress", protocol = "udp", destination_port = 100 + n
  }]
}
mirror_filter "vxlan" {
  rules = concat(local.others, [{ number = 10, action = "accept", direction = "ingress", protocol = "udp" }])
}
mirror_session "receiver" {
  source = instance.receiver
  target = mirror_target.sensor
  filter = mirror_filter.vxlan
  number = 1
}
HCL
echo "$(tcpdump --version 2>&1 | head -1), $(tshark --version 2>/dev/null | head -1)"
"$target/trace" lab.mirror.hcl in.pcap
TRACE=$target/trace python3 - << 'PYTHON'
import os, shutil, statistics, subprocess, time

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
TRACE = [os.environ["TRACE"], "lab.mirror.hcl"]
PROGRAMS = {
    "mirror trace": (TRACE + ["in.pcap"], 1_000_000),
    "tcpdump --count udp": ("tcpdump -n -r in.pcap --count udp".split(), 1_000_000),
    "tcpdump, printing": ("tcpdump -n -r few.pcap".split(), 50_000),
    "tshark -z conv,ip": ("tshark -n -q -z conv,ip -r few.pcap".split(), 50_000),
}

def measure(command, packets):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.monotonic() - start) * 1e9 / packets

runs = {name: [] for name, (command, _) in PROGRAMS.items() if shutil.which(command[0])}
for _ in range(5):
    for name in runs:
        runs[name].append(measure(*PROGRAMS[name]))
ours = statistics.median(runs["mirror trace"])
print("\n| program | ns a packet, median | min-max | million packets a second | x mirror trace |")
print("| --- | --- | --- | --- | --- |")
for name, each in runs.items():
    median = statistics.median(each)
    print(f"| {name} | {median:.0f} | {min(each):.0f}-{max(each):.0f} | {1000 / median:.2f} | {median / ours:.1f} |")

small = subprocess.Popen(TRACE + ["few.pcap"], stdout=subprocess.DEVNULL)
_, _, few = os.wait4(small.pid, 0)
tracing = subprocess.Popen(TRACE + ["-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
with open("in.pcap", "rb") as file:
    capture = file.read()
sent = len(capture)
tracing.stdin.write(capture)
while sent < 10_000_000_000:
    sent += tracing.stdin.write(memoryview(capture)[24:])
tracing.stdin.close()
_, status, usage = os.wait4(tracing.pid, 0)
assert status == 0
print(f"\nmemory: {usage.ru_maxrss} KiB for {sent / 1e9:.1f} GB, {few.ru_maxrss} KiB for {os.path.getsize('few.pcap') / 1e6:.0f} MB")
PYTHON
