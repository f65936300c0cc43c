// Sends VXLAN as fast as this machine can, or at a given rate: the sender of live.sh.
//
//     flood INTERFACE INNER_LENGTH SECONDS [PACKETS_PER_SECOND]
//
// The frames are made by the kernel: a BPF program that answers a made-up packet with XDP_TX, run
// in "live frames" mode (Linux 5.18), puts two to five million a second on a veth pair. They go
// from 10.97.0.1 to 10.97.0.2, from the 128 source ports that AWS uses, without a UDP checksum.
// The interface's peer must have GRO on; without it a veth pair takes no such frames.
//
// Prints how many frames it offered. What the peer took is in the peer's own statistics.

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ETHERNET = 14, IPV4 = 20, UDP = 8, VXLAN = 8, OUTER = ETHERNET + IPV4 + UDP + VXLAN };
enum { BATCH = 64, INNER_MAX = 2900 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// Writes an Ethernet and an IPv4 header with a UDP header behind; returns where its payload goes.
static uint8_t *headers(uint8_t *at, unsigned payload, const uint8_t net[2], unsigned ports[2]) {
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    memcpy(at, macs, sizeof macs);
    put16(at + 12, 0x0800);
    uint8_t *ip = at + ETHERNET;
    ip[0] = 0x45;
    put16(ip + 2, IPV4 + UDP + payload);
    ip[8] = 255;
    ip[9] = 17;
    memcpy(ip + 12, (uint8_t[]){net[0], net[1], 0, 1, net[0], net[1], 0, 2}, 8);
    unsigned sum = 0;
    for (int i = 0; i < IPV4; i += 2) sum += (unsigned)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
    uint8_t *udp = ip + IPV4;
    put16(udp, ports[0]);
    put16(udp + 2, ports[1]);
    put16(udp + 4, UDP + payload);
    return udp + UDP;
}

static unsigned make(uint8_t *frame, unsigned inner) {
    uint8_t *vxlan = headers(frame, VXLAN + inner, (uint8_t[]){10, 97}, (unsigned[]){65408, 4789});
    vxlan[0] = 0x08;
    vxlan[6] = 42;
    unsigned payload = inner - ETHERNET - IPV4 - UDP;
    headers(vxlan + VXLAN, payload, (uint8_t[]){192, 168}, (unsigned[]){40000, 443});
    return OUTER + inner;
}

#define INSTRUCTION(operation, to, from, offset, constant) \
    (struct bpf_insn) { .code = operation, .dst_reg = to, .src_reg = from, .off = offset, .imm = constant }

// Loads the program: a random outer and inner source port, then back out of the interface.
static int load(void) {
    enum { OUTER_PORT = ETHERNET + IPV4 + 1, INNER_PORT = OUTER + ETHERNET + IPV4 };
    struct bpf_insn program[] = {
        INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
        INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32),
        INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, 2, 6, 0, 0), // data
        INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, 3, 6, 4, 0), // data_end
        INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
        INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, INNER_PORT + 2),
        INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 5, 0),
        INSTRUCTION(BPF_STX | BPF_MEM | BPF_H, 2, 0, INNER_PORT, 0),
        INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 16),
        INSTRUCTION(BPF_ALU64 | BPF_OR | BPF_K, 0, 0, 0, 0x80),
        INSTRUCTION(BPF_STX | BPF_MEM | BPF_B, 2, 0, OUTER_PORT, 0),
        INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_TX),
        INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    union bpf_attr request = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .insns = (uintptr_t)program,
        .insn_cnt = sizeof program / sizeof *program,
        .license = (uintptr_t) "Dual MIT/GPL",
    };
    int loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &request, sizeof request);
    if (loaded < 0) fail("load the program");
    return loaded;
}

static void send_frames(int program, uint8_t *frame, unsigned length, unsigned interface, unsigned count) {
    struct xdp_md context = {.data_end = length, .ingress_ifindex = interface};
    union bpf_attr request = {0};
    request.test.prog_fd = (uint32_t)program;
    request.test.data_in = (uintptr_t)frame;
    request.test.data_size_in = length;
    request.test.ctx_in = (uintptr_t)&context;
    request.test.ctx_size_in = sizeof context;
    request.test.repeat = count;
    request.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    request.test.batch_size = BATCH;
    while (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &request, sizeof request) < 0) {
        if (errno != EINTR && errno != EAGAIN) fail("send");
    }
}

int main(int count, char **arguments) {
    if (count < 4) return fprintf(stderr, "usage: flood INTERFACE INNER_LENGTH SECONDS [RATE]\n"), 2;
    unsigned interface = if_nametoindex(arguments[1]);
    unsigned inner = (unsigned)atoi(arguments[2]);
    double seconds = atof(arguments[3]), rate = count > 4 ? atof(arguments[4]) : 0;
    if (interface == 0) fail(arguments[1]);
    if (inner < 60 || inner > INNER_MAX) return fprintf(stderr, "INNER_LENGTH: 60 to 2900\n"), 2;
    static uint8_t frame[OUTER + INNER_MAX];
    unsigned length = make(frame, inner);
    int program = load();
    uint64_t sent = 0;
    double start = now(), end = start + seconds;
    for (double time = start; time < end; time = now()) {
        double due = rate > 0 ? (time - start) * rate - (double)sent : 16384;
        if (due < BATCH) {
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
            continue;
        }
        // Never a burst larger than the queues of the way: what was missed is not caught up with.
        unsigned now_due = due > 16384 ? 16384 : (unsigned)due / BATCH * BATCH;
        send_frames(program, frame, length, interface, now_due);
        sent += now_due;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
