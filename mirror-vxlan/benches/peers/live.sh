#!/bin/bash
# Receives VXLAN live, beside the programs that do it today, and prints what each achieved.
#
#     live.sh [split|core|cost]...     all three if none is named
#
# split  sender and softirq on processor 0, receiver on processor 1, as fast as the sender goes:
#        packets received in a second.
# core   softirq and receiver both on processor 1: the highest rate at which at least two of
#        three runs lose nothing.
# cost   100,000 packets a second in the arrangement of split: the receiver's CPU time, and the
#        time that processor 1 was busy.
#
# Two network namespaces and a veth pair with an MTU of 3000 are made and removed. Root is needed,
# and gcc, tcpdump, ethtool, iproute2 and the kernel's vxlan device; what is missing is left out.
# ROUNDS (3), SECONDS_EACH (3), LENGTHS ("60 590 1514") and RECEIVERS change what is run.
set -euo pipefail
cd "$(dirname "$0")"

rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-3}
lengths=${LENGTHS:-60 590 1514}
read -ra receivers <<< "${RECEIVERS:-kernel tcpdump plain udp ring netring}"
read -ra rates <<< "${RATES:-100 200 300 400 500 600 700 800 900 1000 1200 1400 1600}"
target=${CARGO_TARGET_DIR:-$(cd ../../.. && pwd)/target}
work=$(mktemp -d)
from=mirror-bench-$$-from
to=mirror-bench-$$-to

main() {
    trap clean EXIT
    build
    connect
    echo "# $(uname -r), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)," \
        "$rounds rounds of $seconds s"
    for mode in "${@:-split core cost}"; do
        for each in $mode; do "measure_$each"; done
    done
}

build() {
    gcc -O2 -Wall -o "$work/flood" flood.c
    (cd ../.. && cargo build --quiet --profile datapath --example count)
    (cd netring && CARGO_TARGET_DIR=$target/peers cargo build --quiet --release) ||
        echo "# left out: netring, which cannot be built here"
}

connect() {
    ip netns add "$from"
    ip netns add "$to"
    ip -n "$from" link add cable address 02:00:00:00:00:01 mtu 3000 type veth \
        peer name cable netns "$to" address 02:00:00:00:00:02 mtu 3000
    ip -n "$from" addr add 10.97.0.1/24 dev cable
    ip -n "$to" addr add 10.97.0.2/24 dev cable
    ip -n "$to" link set lo up
    ip -n "$from" link set cable up
    ip -n "$to" link set cable up
    ip netns exec "$to" ethtool -K cable gro on # the sender's way in, see flood.c
}

clean() {
    ip netns delete "$from" 2> /dev/null || true
    ip netns delete "$to" 2> /dev/null || true
    rm -rf "$work"
}

# Says whether a receiver can be run here.
is_there() {
    case $1 in
        kernel | tcpdump) command -v tcpdump > /dev/null ;;
        netring) [[ -x $target/peers/release/netring-peer ]] ;;
        *) true ;;
    esac
}

# Starts a receiver on processor 1; its output and its CPU time go to files.
start() {
    local command device=cable
    case $1 in
        kernel)
            ip -n "$to" link add tunnel type vxlan external dstport 4789
            ip -n "$to" link set tunnel mtu 2900 up
            device=tunnel
            command=(tcpdump -n -i tunnel -B 131072 -w /dev/null) ;;
        tcpdump) command=(tcpdump -n -i cable -B 131072 -w /dev/null udp port 4789) ;;
        netring) command=("$target/peers/release/netring-peer" cable) ;;
        *) command=("$target/datapath/examples/count" "$1") ;;
    esac
    (
        TIMEFORMAT='%U %S'
        time taskset -c 1 ip netns exec "$to" "${command[@]}" > "$work/out" 2> "$work/err"
    ) 2> "$work/time" &
    receiver=$!
    sleep 2 # until it receives, also on a busy machine
}

# Ends the receiver and prints: packets received, seconds of CPU time.
finish() {
    local count
    sleep 1.5
    if [[ $1 == kernel || $1 == tcpdump ]]; then
        kill -INT "$(pgrep -P "$receiver")"
    fi
    wait "$receiver" || true
    if [[ $1 == kernel ]]; then ip -n "$to" link delete tunnel; fi
    count=$(grep -oE '^[0-9]+ packets' "$work/out" "$work/err" -h | head -1 | cut -d' ' -f1) ||
        true # it ended before it counted
    echo "${count:-0} $(awk '{print $1 + $2}' "$work/time")"
}

# Packets that the receiving interface took in.
offered() {
    ip netns exec "$to" awk '/cable:/ {print $3}' /proc/net/dev
}

# Nanoseconds that processor 1 has been busy.
busy() {
    awk '/^cpu1 / {printf "%.0f", ($2 + $3 + $4 + $7 + $8) * 10000000}' /proc/stat
}

# Runs one receiver once: run RECEIVER LENGTH [RATE]. Prints: received, offered, CPU seconds, busy ns.
run() {
    local before after busy_before busy_after result
    start "$1"
    before=$(offered)
    busy_before=$(busy)
    taskset -c 0 ip netns exec "$from" "$work/flood" cable "$2" "$seconds" ${3:+"$3"} > /dev/null
    busy_after=$(busy)
    after=$(offered)
    result=$(finish "$1")
    echo "${result% *} $((after - before)) ${result#* } $((busy_after - busy_before))"
}

# Has packets handled on the processor given by its mask; 0 for the sender's.
softirq_on() {
    ip netns exec "$to" sh -c "echo $1 > /sys/class/net/cable/queues/rx-0/rps_cpus"
}

median() {
    sort -n | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'
}

measure_split() {
    local length round name received took cpu _
    softirq_on 0
    for length in $lengths; do
        rm -f "$work"/rate.* "$work"/share.* "$work"/cpu.*
        for ((round = 0; round < rounds; round++)); do
            for name in "${receivers[@]}"; do
                is_there "$name" || continue
                read -r received took cpu _ <<< "$(run "$name" "$length")"
                echo $((received / seconds / 1000)) >> "$work/rate.$name"
                awk "BEGIN {print $received / $took}" >> "$work/share.$name"
                awk "BEGIN {print $cpu * 1e9 / ($received + 1)}" >> "$work/cpu.$name"
            done
        done
        printf '\nsplit, frames of %d bytes\n%-10s %8s %8s %8s %9s\n' "$length" \
            receiver kpps 'x kernel' share 'ns of CPU'
        for name in "${receivers[@]}"; do
            [[ -f $work/rate.$name ]] || continue
            report_split "$name"
        done
    done
}

report_split() {
    local rate kernel=0
    rate=$(median < "$work/rate.$1")
    [[ -f $work/rate.kernel ]] && kernel=$(median < "$work/rate.kernel")
    printf '%-10s %8d %8s %8.3f %9.0f   (%s)\n' "$1" "$rate" \
        "$(awk "BEGIN {printf \"%.2f\", $kernel ? $rate / $kernel : 0}")" \
        "$(median < "$work/share.$1")" "$(median < "$work/cpu.$1")" \
        "$(sort -n "$work/rate.$1" | paste -sd ' ')"
}

measure_core() {
    local name length=${lengths%% *}
    softirq_on 2
    printf '\none core, frames of %d bytes\n%-10s %8s\n' "$length" receiver kpps
    for name in "${receivers[@]}"; do
        is_there "$name" || continue
        printf '%-10s %8s\n' "$name" "$(highest_lossless "$name" "$length")"
    done
}

# Prints the highest rate, in thousands a second, at which two of three runs lose nothing.
#
# A rate that fails is followed by one more try, at the next: near its limit a receiver is bistable.
highest_lossless() {
    local rate best=0 failed=0 try lossless received took _
    for rate in "${rates[@]}"; do
        lossless=0
        for try in 1 2 3; do
            read -r received took _ <<< "$(run "$1" "$2" $((rate * 1000)))"
            # A receiver on the interface itself may count a packet that is not the sender's.
            if ((received + 20 >= took)); then lossless=$((lossless + 1)); fi
            if ((lossless == 2 || try - lossless == 2)); then break; fi
        done
        if ((lossless == 2)); then best=$rate failed=0; else failed=$((failed + 1)); fi
        if ((failed == 2)); then break; fi
    done
    echo "$best"
}

measure_cost() {
    local name round length=${lengths%% *} received took cpu busy_ns
    softirq_on 0
    rm -f "$work"/cpu.* "$work"/busy.* "$work"/share.*
    for ((round = 0; round < rounds; round++)); do
        for name in "${receivers[@]}"; do
            is_there "$name" || continue
            read -r received took cpu busy_ns <<< "$(run "$name" "$length" 100000)"
            echo "$cpu" >> "$work/cpu.$name"
            awk "BEGIN {print $busy_ns / 1e9}" >> "$work/busy.$name"
            awk "BEGIN {print $received / $took}" >> "$work/share.$name"
        done
    done
    printf '\n100,000 packets a second for %d s, frames of %d bytes\n%-10s %8s %8s %8s\n' \
        "$seconds" "$length" receiver 'CPU s' 'busy s' share
    for name in "${receivers[@]}"; do
        [[ -f $work/cpu.$name ]] || continue
        printf '%-10s %8.2f %8.2f %8.3f\n' "$name" "$(median < "$work/cpu.$name")" \
            "$(median < "$work/busy.$name")" "$(median < "$work/share.$name")"
    done
}

main "$@"
