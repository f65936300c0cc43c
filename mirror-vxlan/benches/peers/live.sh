#!/bin/bash
# Receives VXLAN live, beside the programs that do it today, and prints what each achieved.
#
#     live.sh [split|core|cost|files|tap]...     all five if none is named
#
# split  sender and softirq on processor 0, receiver on processor 1, as fast as the sender goes:
#        packets received in a second.
# core   what the kernel does for packets and the receiver both on processor 1: the highest rate at which
#        two of three runs lose nothing. The sender's processor hands the packets over (receive packet
#        steering, with room for 100,000: net.core.netdev_max_backlog is raised, and put back).
# cost   100,000 packets a second in the arrangement of split: the receiver's CPU time, and the
#        time that processor 1 was busy.
# files  as split, but to a capture file on tmpfs, of frames of 60 bytes and of IMIX: packets that are
#        in the file, for each second. The receiver is the whole program, its threads all on processor 1.
# tap    as files, but to a TAP device; what the kernel counts as received on it.
#
# ring-nft is the ring with the rule of packaging/behind-the-ring.nft, which drops what the ring has seen.
#
# Two network namespaces and a veth pair with an MTU of 3000 are made and removed. Root is needed,
# and gcc, tcpdump, ethtool, iproute2 and the kernel's vxlan device; what is missing is left out.
# ROUNDS (3), SECONDS_EACH (3), LENGTHS ("60 590 1514"), RECEIVERS, WRITERS and TAPS change what is run; RATE
# has split and files send so many packets a second.
set -euo pipefail
cd "$(dirname "$0")"

rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-3}
lengths=${LENGTHS:-60 590 1514}
read -ra receivers <<< "${RECEIVERS:-kernel tcpdump plain netring udp ring ring-nft xdp}"
read -ra writers <<< "${WRITERS:-kernel-file tcpdump-file udp-file ring-file ring-nft-file xdp-file}"
read -ra taps <<< "${TAPS:-ring-tap udp-tap xdp-tap}"
read -ra rates <<< "${RATES:-100 150 200 250 300 350 400 450 500 550 600 650 700 750 800 850 900 950 1000 1100 1200 1300 1400 1600 1800 2000 2300 2600 3000}"
target=${CARGO_TARGET_DIR:-$(cd ../../.. && pwd)/target}
work=$(mktemp -d)
files=$(mktemp -d /dev/shm/peers.XXXXXX)
from=mirror-bench-$$-from
to=mirror-bench-$$-to

main() {
    trap clean EXIT
    build
    connect
    echo "# $(uname -r), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)," \
        "$rounds rounds of $seconds s"
    for mode in "${@:-split core cost files tap}"; do
        for each in $mode; do "measure_$each"; done
    done
}

build() {
    gcc -O2 -Wall -o "$work/flood" flood.c
    (cd ../.. && cargo build --quiet --profile datapath -p mirror-vxlan --bin mirror-vxlan --example count)
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
    rm -rf "$work" "$files"
    put_backlog_back
}

put_backlog_back() {
    if [[ -n ${backlog-} ]]; then sysctl -qw net.core.netdev_max_backlog="$backlog"; fi
    backlog=
}

# Says whether a receiver can be run here.
is_there() {
    case $1 in
        kernel* | tcpdump*) command -v tcpdump > /dev/null ;;
        ring-nft*) command -v nft > /dev/null ;;
        netring) [[ -x $target/peers/release/netring-peer ]] ;;
        *) true ;;
    esac
}

# Starts a receiver on processor 1; its output and its CPU time go to files.
start() {
    local command to_file=/dev/null
    rm -rf "${files:?}"/*
    [[ $1 == *-file ]] && to_file=$files/frames.pcap
    case $1 in
        kernel*)
            ip -n "$to" link add tunnel type vxlan external dstport 4789
            ip -n "$to" link set tunnel mtu 2900 up
            command=(tcpdump -n -i tunnel -B 131072 -w "$to_file") ;;
        tcpdump*) command=(tcpdump -n -i cable -B 131072 -w "$to_file" udp port 4789) ;;
        netring) command=("$target/peers/release/netring-peer" cable) ;;
        *-file)
            command=("$target/datapath/mirror-vxlan" receive --input "${1%-file}"
                --workers 1 --pcapng "$files" --rotate-size 8GiB --summary 0s)
            command=("${command[@]/#ring-nft/ring}")
            if [[ $1 == xdp* ]]; then command+=(--interface cable); fi ;;
        *-tap)
            command=("$target/datapath/mirror-vxlan" receive --input "${1%-tap}"
                --workers 1 --tap mirror0 --summary 0s)
            if [[ $1 == xdp* ]]; then command+=(--interface cable); fi ;;
        xdp) command=("$target/datapath/examples/count" xdp cable) ;;
        *) command=("$target/datapath/examples/count" "${1%-nft}") ;;
    esac
    if [[ $1 == ring-nft* ]]; then
        ip netns exec "$to" nft -f ../../packaging/behind-the-ring.nft
    fi
    (
        TIMEFORMAT='%U %S'
        time taskset -c 1 ip netns exec "$to" "${command[@]}" > "$work/out" 2> "$work/err"
    ) 2> "$work/time" &
    receiver=$!
    sleep "${START:-1.2}" # until it receives
}

# Ends the receiver, which is a child of this shell, and sets `result`: packets received, seconds of
# CPU time.
#
# One that writes counts what it has written; it balances the account of its queue itself.
finish() {
    local count pattern='^[0-9]+ packets'
    case $1 in
        kernel* | tcpdump*) sleep 0.8; kill -INT "$(pgrep -P "$receiver")" ;;
        *-file)
            sleep 0.8
            kill -TERM "$(pgrep -P "$receiver")"
            pattern='delivered=[^0-9]*[0-9]+' ;;
        *-tap)
            sleep 0.8
            # The device goes with the program; its counter is not ours.
            echo "$(ip netns exec "$to" cat /sys/class/net/mirror0/statistics/rx_packets) packets" \
                > "$work/out"
            kill -TERM "$(pgrep -P "$receiver")" ;;
        *) sleep 1.2 ;;
    esac
    wait "$receiver" || true
    if [[ $1 == kernel* ]]; then ip -n "$to" link delete tunnel; fi
    if [[ $1 == ring-nft* ]]; then ip netns exec "$to" nft delete table ip mirror_vxlan; fi
    count=$(grep -ohE "$pattern" "$work/out" "$work/err" | head -1 | grep -oE '[0-9]+') ||
        true # it ended before it counted
    result="${count:-0} $(awk '{print $1 + $2}' "$work/time")"
}

# Nanoseconds that processor 1 has been busy.
busy() {
    awk '/^cpu1 / {printf "%.0f", ($2 + $3 + $4 + $7 + $8) * 10000000}' /proc/stat
}

# Runs one receiver once: run RECEIVER LENGTH [RATE]. Prints: received, sent, CPU seconds, busy ns.
run() {
    local sent busy_before busy_after result
    start "$1"
    busy_before=$(busy)
    sent=$(taskset -c 0 ip netns exec "$from" "$work/flood" cable "$2" "$seconds" ${3:+"$3"})
    busy_after=$(busy)
    finish "$1"
    echo "${result% *} $sent ${result#* } $((busy_after - busy_before))"
}

# Has the kernel handle packets on the processors of a mask; none stands for the one that they come to.
steer_to() {
    ip netns exec "$to" sh -c "echo $1 > /sys/class/net/cable/queues/rx-0/rps_cpus"
}

median() {
    sort -n | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'
}

measure_split() {
    local length round name received took cpu _
    for length in $lengths; do
        rm -f "$work"/rate.* "$work"/share.* "$work"/cpu.*
        for ((round = 0; round < rounds; round++)); do
            for name in "${receivers[@]}"; do
                is_there "$name" || continue
                read -r received took cpu _ <<< "$(run "$name" "$length" "${RATE:-}")"
                echo $((received / seconds / 1000)) >> "$work/rate.$name"
                awk "BEGIN {print $received / $took}" >> "$work/share.$name"
                awk "BEGIN {print $cpu * 1e9 / ($received + 1)}" >> "$work/cpu.$name"
            done
        done
        printf '\nsplit, frames of %s bytes\n%-12s %8s %8s %8s %9s\n' "$length" \
            receiver kpps 'x kernel' share 'ns of CPU'
        for name in "${receivers[@]}"; do
            [[ -f $work/rate.$name ]] || continue
            report_split "$name"
        done
    done
}

report_split() {
    local rate kernel=0 peer
    rate=$(median < "$work/rate.$1")
    for peer in kernel kernel-file; do
        [[ -f $work/rate.$peer ]] && kernel=$(median < "$work/rate.$peer")
    done
    printf '%-12s %8d %8s %8.3f %9.0f   (%s)\n' "$1" "$rate" \
        "$(awk "BEGIN {printf \"%.2f\", $kernel ? $rate / $kernel : 0}")" \
        "$(median < "$work/share.$1")" "$(median < "$work/cpu.$1")" \
        "$(sort -n "$work/rate.$1" | paste -sd ' ')"
}

measure_core() {
    local name length=${lengths%% *}
    backlog=$(sysctl -n net.core.netdev_max_backlog)
    sysctl -qw net.core.netdev_max_backlog=100000
    steer_to 2
    printf '\none core, frames of %d bytes\n%-10s %8s\n' "$length" receiver kpps
    for name in "${receivers[@]}"; do
        is_there "$name" || continue
        printf '%-10s %8s\n' "$name" "$(highest_lossless "$name" "$length")"
    done
    steer_to 0
    put_backlog_back
}

# Prints the highest rate, in thousands a second, at which two of three runs lose nothing.
#
# It is looked for by halves: what loses at a rate is taken to lose at all higher ones.
highest_lossless() {
    local low=-1 high=${#rates[@]} middle
    while ((high - low > 1)); do
        middle=$(((low + high) / 2))
        if loses_nothing "$1" "$2" "${rates[middle]}"; then low=$middle; else high=$middle; fi
    done
    if ((low < 0)); then echo 0; else echo "${rates[low]}"; fi
}

loses_nothing() {
    local lossless=0 try received took _
    for try in 1 2 3; do
        read -r received took _ <<< "$(run "$1" "$2" $(($3 * 1000)))"
        # A receiver on the interface itself may count a packet that is not the sender's.
        if ((received + 20 >= took && took > 0)); then lossless=$((lossless + 1)); fi
        if ((lossless == 2 || try - lossless == 2)); then break; fi
    done
    ((lossless == 2))
}

measure_files() {
    local receivers=("${writers[@]}") lengths=${MIXES:-60 imix}
    measure_split
}

measure_tap() {
    local receivers=("${taps[@]}") lengths=${MIXES:-60 imix}
    measure_split
}

measure_cost() {
    local name round length=${lengths%% *} received took cpu busy_ns
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
