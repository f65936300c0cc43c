// Sends VXLAN as fast as this machine can, or at a given rate: the sender of live.sh.
//
//     flood INTERFACE INNER_LENGTH|imix SECONDS [PACKETS_PER_SECOND]
//
// The frames are made by the kernel: a BPF program that answers a made-up packet with XDP_TX, run
// in "live frames" mode (Linux 5.18), puts two to five million a second on a veth pair. They go
// from 10.97.0.1 to 10.97.0.2, from the 128 source ports that AWS uses, without a UDP checksum.
// The interface's peer must have GRO on; without it a veth pair takes no such frames.
//
// With imix the frames have 60, 590 and 1514 bytes in the proportion 7:4:1: the program cuts each to
// the length that it draws, and writes the lengths and checksums of its headers.
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
enum { BATCH = 64, INNER_MAX = 2900, MIX_MAX = 1514 };

// The mix: lengths, each with the number of twelfths up to which it is drawn.
static const struct { unsigned inner, below; } mix[] = {{60, 7}, {590, 11}, {MIX_MAX, 12}};

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

static struct bpf_insn program[256];
static unsigned program_length;

static struct bpf_insn *add(struct bpf_insn instruction) {
    program[program_length] = instruction;
    return &program[program_length++];
}

// Has a jump lead to the next instruction.
static void land(struct bpf_insn *jump) {
    jump->off = (int16_t)(&program[program_length] - jump - 1);
}

enum { MOV = BPF_ALU64 | BPF_MOV, ADD = BPF_ALU64 | BPF_ADD, CALL = BPF_JMP | BPF_CALL };
enum { LOAD = BPF_LDX | BPF_MEM, STORE = BPF_STX | BPF_MEM, PUT = BPF_ST | BPF_MEM };

// Has the frame end at `length` bytes, where registers 2 and 3 then hold its start and its end.
static struct bpf_insn *reach(unsigned length) {
    add(INSTRUCTION(LOAD | BPF_W, 2, 6, 0, 0)); // data
    add(INSTRUCTION(LOAD | BPF_W, 3, 6, 4, 0)); // data_end
    add(INSTRUCTION(MOV | BPF_X, 4, 2, 0, 0));
    add(INSTRUCTION(ADD | BPF_K, 4, 0, 0, (int)length));
    return add(INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 0, 0));
}

// Cuts the frame to the length drawn by the number in register 7; returns the jump of what fails.
static void draw(struct bpf_insn **failures) {
    enum { TOTAL = ETHERNET + 2, CHECKSUM = ETHERNET + 10, UDP_LENGTH = ETHERNET + IPV4 + 4 };
    static const int places[] = {TOTAL, CHECKSUM, UDP_LENGTH};
    struct bpf_insn *done[3];
    add(INSTRUCTION(BPF_ALU | BPF_MOD | BPF_K, 7, 0, 0, 12));
    for (int which = 0; which < 3; which++) {
        static uint8_t frame[OUTER + INNER_MAX];
        memset(frame, 0, OUTER); // what was written before would be part of the checksum
        unsigned length = make(frame, mix[which].inner);
        struct bpf_insn *next =
            add(INSTRUCTION(BPF_JMP | BPF_JGE | BPF_K, 7, 0, 0, (int)mix[which].below));
        add(INSTRUCTION(MOV | BPF_X, 1, 6, 0, 0));
        add(INSTRUCTION(MOV | BPF_K, 2, 0, 0, (int)mix[which].inner - MIX_MAX));
        add(INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_xdp_adjust_tail));
        failures[which] = reach(length);
        for (int header = 0; header <= OUTER; header += OUTER)
            for (int place = 0; place < 3; place++) {
                uint16_t value;
                memcpy(&value, frame + header + places[place], sizeof value);
                add(INSTRUCTION(PUT | BPF_H, 2, 0, (int16_t)(header + places[place]), value));
            }
        done[which] = add(INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, 0, 0));
        land(next);
    }
    failures[3] = add(INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, 0, 0));
    for (int which = 0; which < 3; which++) land(done[which]);
}

// Loads the program. If a frame is due it has random outer and inner source ports and goes back out
// of the interface. What was missed by more than SLACK nanoseconds is not caught up with.
static int load(int state, unsigned interval, int mixed) {
    enum { OUTER_PORT = ETHERNET + IPV4 + 1, INNER_PORT = OUTER + ETHERNET + IPV4, SLACK = 200000 };
    struct bpf_insn *failures[8] = {0};
    add(INSTRUCTION(MOV | BPF_X, 6, 1, 0, 0));
    add(INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns));
    add(INSTRUCTION(MOV | BPF_X, 7, 0, 0, 0));
    add(INSTRUCTION(PUT | BPF_W, 10, 0, -4, 0));
    add(INSTRUCTION(MOV | BPF_X, 2, 10, 0, 0));
    add(INSTRUCTION(ADD | BPF_K, 2, 0, 0, -4));
    add(INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, state));
    add(INSTRUCTION(0, 0, 0, 0, 0));
    add(INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem));
    failures[4] = add(INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0));
    add(INSTRUCTION(MOV | BPF_X, 8, 0, 0, 0));
    add(INSTRUCTION(LOAD | BPF_DW, 1, 8, 0, 0));
    failures[5] = add(INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, 1, 7, 0, 0));
    add(INSTRUCTION(ADD | BPF_K, 7, 0, 0, -SLACK));
    struct bpf_insn *in_time = add(INSTRUCTION(BPF_JMP | BPF_JGE | BPF_X, 1, 7, 0, 0));
    add(INSTRUCTION(MOV | BPF_X, 1, 7, 0, 0));
    land(in_time);
    add(INSTRUCTION(ADD | BPF_K, 1, 0, 0, (int)interval));
    add(INSTRUCTION(STORE | BPF_DW, 8, 1, 0, 0));
    add(INSTRUCTION(LOAD | BPF_DW, 1, 8, 8, 0));
    add(INSTRUCTION(ADD | BPF_K, 1, 0, 0, 1));
    add(INSTRUCTION(STORE | BPF_DW, 8, 1, 8, 0));
    add(INSTRUCTION(CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32));
    add(INSTRUCTION(MOV | BPF_X, 9, 0, 0, 0));
    if (mixed) {
        add(INSTRUCTION(BPF_ALU | BPF_MOV | BPF_X, 7, 9, 0, 0));
        draw(failures);
    }
    failures[6] = reach(INNER_PORT + 2);
    add(INSTRUCTION(STORE | BPF_H, 2, 9, INNER_PORT, 0));
    add(INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, 9, 0, 0, 16));
    add(INSTRUCTION(BPF_ALU64 | BPF_OR | BPF_K, 9, 0, 0, 0x80));
    add(INSTRUCTION(STORE | BPF_B, 2, 9, OUTER_PORT, 0));
    add(INSTRUCTION(MOV | BPF_K, 0, 0, 0, XDP_TX));
    add(INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    for (int place = 0; place < 8; place++)
        if (failures[place]) land(failures[place]);
    add(INSTRUCTION(MOV | BPF_K, 0, 0, 0, XDP_DROP));
    add(INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    union bpf_attr request = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .insns = (uintptr_t)program,
        .insn_cnt = program_length,
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
    if (count < 4) return fprintf(stderr, "usage: flood INTERFACE LENGTH|imix SECONDS [RATE]\n"), 2;
    unsigned interface = if_nametoindex(arguments[1]);
    int mixed = strcmp(arguments[2], "imix") == 0;
    unsigned inner = mixed ? MIX_MAX : (unsigned)atoi(arguments[2]), rate = count > 4 ? (unsigned)atoi(arguments[4]) : 0;
    if (interface == 0) fail(arguments[1]);
    if (inner < 60 || inner > INNER_MAX) return fprintf(stderr, "INNER_LENGTH: 60 to 2900\n"), 2;
    static uint8_t frame[OUTER + INNER_MAX];
    unsigned length = make(frame, inner);
    int state = make_state(), program = load(state, rate > 0 ? 1000000000 / rate : 0, mixed);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = wake}, NULL);
    alarm((unsigned)atoi(arguments[3]));
    send_frames(program, frame, length, interface);
    printf("%llu\n", (unsigned long long)sent(state));
    return 0;
}
