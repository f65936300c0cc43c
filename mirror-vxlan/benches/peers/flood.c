// Sends VXLAN as fast as this machine can, or at a given rate: the sender of live.sh.
//
//     flood INTERFACE INNER_LENGTH SECONDS [PACKETS_PER_SECOND]
//
// The frames are made by the kernel: a BPF program that answers a made-up packet with XDP_TX, run
// in "live frames" mode (Linux 5.18), puts two to five million a second on a veth pair. They go
// from 10.97.0.1 to 10.97.0.2, from the 128 source ports that AWS uses, without a UDP checksum.
// The interface's peer must have GRO on; without it a veth pair takes no such frames.
//
// All is done in one system call, since each begins and ends by changing kernel code: the program
// keeps the rate by dropping what is not yet due. Prints how many frames it let go.

#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ETHERNET = 14, IPV4 = 20, UDP = 8, VXLAN = 8, OUTER = ETHERNET + IPV4 + UDP + VXLAN };
enum { BATCH = 64, INNER_MAX = 2900 };

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

static int bpf(int command, union bpf_attr *request) {
    return (int)syscall(SYS_bpf, command, request, sizeof *request);
}

// What the program remembers.
struct state {
    uint64_t due;
    uint64_t sent;
};

static int make_state(void) {
    union bpf_attr request = {.map_type = BPF_MAP_TYPE_ARRAY, .max_entries = 1};
    request.key_size = sizeof(uint32_t);
    request.value_size = sizeof(struct state);
    int state = bpf(BPF_MAP_CREATE, &request);
    if (state < 0) fail("make a map");
    return state;
}

static uint64_t sent(int state) {
    uint32_t key = 0;
    struct state value = {0};
    union bpf_attr request = {.map_fd = (uint32_t)state};
    request.key = (uintptr_t)&key;
    request.value = (uintptr_t)&value;
    if (bpf(BPF_MAP_LOOKUP_ELEM, &request) < 0) fail("read the map");
    return value.sent;
}

// Loads the program. If a frame is due it has random outer and inner source ports and goes back out
// of the interface. What was missed by more than SLACK nanoseconds is not caught up with.
static int load(int state, unsigned interval) {
    enum { OUTER_PORT = ETHERNET + IPV4 + 1, INNER_PORT = OUTER + ETHERNET + IPV4, SLACK = 200000 };
    enum { MOV = BPF_ALU64 | BPF_MOV, ADD = BPF_ALU64 | BPF_ADD, CALL = BPF_JMP | BPF_CALL };
    enum { LOAD = BPF_LDX | BPF_MEM, STORE = BPF_STX | BPF_MEM };
    struct bpf_insn program[] = {
        INSTRUCTION(MOV | BPF_X, 6, 1, 0, 0),
        INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
        INSTRUCTION(MOV | BPF_X, 7, 0, 0, 0),
        INSTRUCTION(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),
        INSTRUCTION(MOV | BPF_X, 2, 10, 0, 0),
        INSTRUCTION(ADD | BPF_K, 2, 0, 0, -4),
        INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, state),
        INSTRUCTION(0, 0, 0, 0, 0),
        INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
        INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 23, 0),
        INSTRUCTION(MOV | BPF_X, 8, 0, 0, 0),
        INSTRUCTION(LOAD | BPF_DW, 1, 8, 0, 0),
        INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, 1, 7, 20, 0),
        INSTRUCTION(ADD | BPF_K, 7, 0, 0, -SLACK),
        INSTRUCTION(BPF_JMP | BPF_JGE | BPF_X, 1, 7, 1, 0),
        INSTRUCTION(MOV | BPF_X, 1, 7, 0, 0),
        INSTRUCTION(ADD | BPF_K, 1, 0, 0, (int)interval),
        INSTRUCTION(STORE | BPF_DW, 8, 1, 0, 0),
        INSTRUCTION(LOAD | BPF_DW, 1, 8, 8, 0),
        INSTRUCTION(ADD | BPF_K, 1, 0, 0, 1),
        INSTRUCTION(STORE | BPF_DW, 8, 1, 8, 0),
        INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32),
        INSTRUCTION(LOAD | BPF_W, 2, 6, 0, 0), // data
        INSTRUCTION(LOAD | BPF_W, 3, 6, 4, 0), // data_end
        INSTRUCTION(MOV | BPF_X, 4, 2, 0, 0),
        INSTRUCTION(ADD | BPF_K, 4, 0, 0, INNER_PORT + 2),
        INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 6, 0),
        INSTRUCTION(STORE | BPF_H, 2, 0, INNER_PORT, 0),
        INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 16),
        INSTRUCTION(BPF_ALU64 | BPF_OR | BPF_K, 0, 0, 0, 0x80),
        INSTRUCTION(STORE | BPF_B, 2, 0, OUTER_PORT, 0),
        INSTRUCTION(MOV | BPF_K, 0, 0, 0, XDP_TX),
        INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        INSTRUCTION(MOV | BPF_K, 0, 0, 0, XDP_DROP),
        INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    union bpf_attr request = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .insns = (uintptr_t)program,
        .insn_cnt = sizeof program / sizeof *program,
        .license = (uintptr_t) "Dual MIT/GPL",
    };
    int loaded = bpf(BPF_PROG_LOAD, &request);
    if (loaded < 0) fail("load the program");
    return loaded;
}

// Sends until a signal comes.
static void send_frames(int program, uint8_t *frame, unsigned length, unsigned interface) {
    struct xdp_md context = {.data_end = length, .ingress_ifindex = interface};
    union bpf_attr request = {0};
    request.test.prog_fd = (uint32_t)program;
    request.test.data_in = (uintptr_t)frame;
    request.test.data_size_in = length;
    request.test.ctx_in = (uintptr_t)&context;
    request.test.ctx_size_in = sizeof context;
    request.test.repeat = UINT32_MAX;
    request.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    request.test.batch_size = BATCH;
    if (bpf(BPF_PROG_TEST_RUN, &request) < 0 && errno != EINTR) fail("send");
}

static void wake(int signal) {
    (void)signal;
}

int main(int count, char **arguments) {
    if (count < 4) return fprintf(stderr, "usage: flood INTERFACE INNER_LENGTH SECONDS [RATE]\n"), 2;
    unsigned interface = if_nametoindex(arguments[1]);
    unsigned inner = (unsigned)atoi(arguments[2]), rate = count > 4 ? (unsigned)atoi(arguments[4]) : 0;
    if (interface == 0) fail(arguments[1]);
    if (inner < 60 || inner > INNER_MAX) return fprintf(stderr, "INNER_LENGTH: 60 to 2900\n"), 2;
    static uint8_t frame[OUTER + INNER_MAX];
    unsigned length = make(frame, inner);
    int state = make_state(), program = load(state, rate > 0 ? 1000000000 / rate : 0);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = wake}, NULL);
    alarm((unsigned)atoi(arguments[3]));
    send_frames(program, frame, length, interface);
    printf("%llu\n", (unsigned long long)sent(state));
    return 0;
}
