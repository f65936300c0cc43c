#!/bin/bash
# The receiver's memory in a flood of frames of 60 to 9000 bytes: memory.sh [MINUTES [INPUT]]
#
# Ten minutes and the ring, unless told otherwise. The program runs at its defaults and writes pcapng files
# to tmpfs. Two senders go as fast as they can: one of frames of 60 bytes in turns of five seconds
# (flood.c), one of frames of random lengths in 16 sessions, all the time. Prints the resident memory
# (RSS) each minute, its extremes since the first, and the account that the receiver ends with.
# Root is needed, and gcc, ethtool, iproute2 and Python; other work on the machine does no harm.
set -euo pipefail
cd "$(dirname "$0")"

minutes=${1:-10}
input=${2:-ring}
target=${CARGO_TARGET_DIR:-$(cd ../../.. && pwd)/target}
work=$(mktemp -d)
files=$(mktemp -d /dev/shm/peers.XXXXXX)
from=mirror-bench-$$-from
to=mirror-bench-$$-to

main() {
    trap clean EXIT
    gcc -O2 -Wall -o "$work/flood" flood.c
    (cd ../.. && cargo build --quiet --profile datapath -p mirror-vxlan --bin mirror-vxlan)
    connect
    ip netns exec "$to" "$target/datapath/mirror-vxlan" receive --input "$input" --interface cable \
        --pcapng "$files" --rotate-size 256MiB --disk-budget 1GiB --summary 0s 2> "$work/log" &
    receiver=$!
    sleep 1
    send_lengths &
    send_short &
    watch_memory
    wait %2 %3
    sleep 1
    kill -TERM "$receiver"
    wait "$receiver"
    tail -1 "$work/log"
}

connect() {
    ip netns add "$from"
    ip netns add "$to"
    ip -n "$from" link add cable address 02:00:00:00:00:01 mtu 9100 type veth \
        peer name cable netns "$to" address 02:00:00:00:00:02 mtu 9100
    ip -n "$from" addr add 10.97.0.1/24 dev cable
    ip -n "$to" addr add 10.97.0.2/24 dev cable
    ip -n "$to" link set lo up
    ip -n "$from" link set cable up
    ip -n "$to" link set cable up
    ip -n "$from" neigh replace 10.97.0.2 lladdr 02:00:00:00:00:02 dev cable nud permanent
    ip netns exec "$to" ethtool -K cable gro on # the way in of flood.c
}

clean() {
    ip netns delete "$from" 2> /dev/null || true
    ip netns delete "$to" 2> /dev/null || true
    rm -rf "$work" "$files"
}

send_short() {
    local turn
    for ((turn = 0; turn < minutes * 6; turn++)); do
        ip netns exec "$from" "$work/flood" cable 60 5 > /dev/null
        sleep 5
    done
}

send_lengths() {
    MINUTES=$minutes ip netns exec "$from" python3 - << 'PYTHON'
import os, random, socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("10.97.0.1", 0))
sender.connect(("10.97.0.2", 4789))
frame = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6]) + os.urandom(9000 - 14)
headers = [bytes([8, 0, 0, 0, 0, 0, vni, 0]) for vni in range(16)]
end = time.monotonic() + 60 * float(os.environ["MINUTES"])
random.seed(1)
while time.monotonic() < end:
    for _ in range(1000):
        sender.send(headers[random.randrange(16)] + frame[: random.randint(64, 9000)])
PYTHON
}

watch_memory() {
    local second rss low=999999999 high=0
    for ((second = 1; second <= minutes * 60; second++)); do
        sleep 1
        rss=$(awk '/^VmRSS/ {print $2}' "/proc/$receiver/status")
        if ((second >= 60)); then
            if ((rss < low)); then low=$rss; fi
            if ((rss > high)); then high=$rss; fi
        fi
        if ((second % 60 == 0)); then echo "minute $((second / 60)): $rss KiB"; fi
    done
    echo "from the first minute on: $low to $high KiB, most ever" \
        "$(awk '/^VmHWM/ {print $2}' "/proc/$receiver/status") KiB"
}

main "$@"
