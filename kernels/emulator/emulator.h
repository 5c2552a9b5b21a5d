// Runs CUDA kernels on the CPU, small enough to read in one sitting.
//
// Every CUDA thread is a fiber; one block runs at a time. A fiber runs until it waits: at a block's barrier, or at a warp
// operation until all 32 lanes are there. Which fiber runs next is the schedule, and as a warp runs on for as long as it can,
// every schedule is a race that somebody wins: a missing barrier shows in at least one of them.
//
//   Forward    the first warp and lane that can run
//   Backward   the last
//   Shuffled   any, by a seeded generator
//
// Shared memory is poisoned with NaN before each block and fenced; asynchronous copies land only when they are waited for,
// and poison their target until then. A barrier that threads of one block meet in different lines is an error, and so is one
// that not all of them meet. What goes wrong comes back from `emulator_launch` as text; nothing ends the process.
// Dynamic shared memory begins where only 128 bytes are a whole number: who needs more has to see to it.
//
// Products of warpgroups are in `warpgroup.h`. Not here: clusters, bulk copies, masks of some lanes only.
#pragma once

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include <memory>
#include <random>
#include <vector>

struct uint3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {

enum class State { Ready, AtWarp, AtBlock, Done };
enum class Schedule { Forward, Backward, Shuffled };

const int LANES = 32;
const size_t STACK = 128 << 10, SHARED = 228 << 10, FENCE = 64;
const unsigned char POISON = 0xff;  // NaN as float, bf16 and f16

struct Copy { void* to; const void* from; size_t bytes, valid; int group; };
struct Range { size_t start, bytes; };

struct Thread {
    State state = State::Done;
    uint3 index;
    int lane = 0;
    struct Warp* warp = nullptr;
    bool started = false;
    jmp_buf where;
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    std::vector<Copy> copies;
    std::vector<Range> landed;  // copies that the asynchronous proxy does not see yet
    int group = 0;
};

// What lanes hand in and take out at a warp operation. Out is written only when all lanes have come again, so each has read its own.
struct Warp {
    static const size_t SHARE = 64;
    alignas(16) char in[LANES * SHARE], out[LANES * SHARE];
    Thread* threads = nullptr;
    int arrived = 0, line = 0, ready = 0;
    std::shared_ptr<struct Flight> flight;  // its asynchronous products
};

struct Slot { int line; size_t start, bytes; };

static std::vector<Thread> threads;
static std::vector<Warp> warps;
static Thread* current;
static jmp_buf scheduler;
static void (*kernel)(const void*);
static const void* arguments;
static int live, arrived, barrier_line;
static char error[256];
alignas(1024) static unsigned char shared_memory[SHARED];
// Shared memory as asynchronous products see it: what a thread copied there reaches them when that thread fences.
alignas(1024) static unsigned char proxy_memory[SHARED];
static std::vector<Slot> slots;
static size_t dynamic_bytes;
static Schedule schedule_of_block;
static std::mt19937 random_order;
static void (*at_end_of_block)();  // of kernels with asynchronous products, which alone read through the proxy

// Hands the processor back to the scheduler.
inline void pause() {
    if (_setjmp(current->where) == 0) _longjmp(scheduler, 1);
}

template <class... Values>
void fail(const char* format, Values... values) {
    if (!error[0]) snprintf(error, sizeof error, format, values...);
    if (current) pause();
}

inline void make_ready(Thread& thread) {
    thread.state = State::Ready;
    thread.warp->ready++;
}

inline void wait_as(State state) {
    current->state = state;
    current->warp->ready--;
}

// All threads that are still there have come: they may go on.
inline void open_barrier_if_complete() {
    if (arrived == 0 || arrived < live) return;
    arrived = 0;
    for (Thread& thread : threads)
        if (thread.state == State::AtBlock) make_ready(thread);
}

inline void block_barrier(int line) {
    if (arrived++ == 0) barrier_line = line;
    if (barrier_line != line) fail("threads of a block wait in lines %d and %d", barrier_line, line);
    wait_as(State::AtBlock);
    open_barrier_if_complete();
    pause();
}

// Every lane hands in `mine`; the last one to come runs `work` on what all 32 brought, and each takes its own result.
template <class T, class Work>
T meet(const T& mine, int line, Work work) {
    static_assert(sizeof(T) <= Warp::SHARE, "a lane's share is too large");
    Warp& warp = *current->warp;
    const int lane = current->lane;
    memcpy((T*)warp.in + lane, &mine, sizeof(T));
    if (warp.arrived++ == 0) warp.line = line;
    if (warp.line != line) fail("lanes of a warp meet in lines %d and %d", warp.line, line);
    wait_as(State::AtWarp);
    if (warp.arrived == LANES) {
        warp.arrived = 0;
        work((const T*)warp.in, (T*)warp.out);
        for (int i = 0; i < LANES; i++) make_ready(warp.threads[i]);
    }
    pause();
    return ((const T*)warp.out)[lane];
}

// A block's array, the same for all its threads; `line` tells arrays apart, 0 is the dynamic one.
inline void* shared(int line, size_t bytes) {
    size_t start = 128;
    for (const Slot& slot : slots) {
        if (slot.line == line && slot.bytes == bytes) return shared_memory + slot.start;
        start = (slot.start + slot.bytes + FENCE + 127) / 128 * 128;
    }
    if (start + bytes + FENCE > SHARED) {
        fail("a block asks for more than %zu bytes of shared memory", SHARED);
        return nullptr;
    }
    slots.push_back({line, start, bytes});
    return shared_memory + start;
}

inline void* dynamic_shared() { return shared(0, dynamic_bytes); }

inline void check_fences() {
    for (const Slot& slot : slots)
        for (size_t i = 0; i < FENCE; i++)
            if (shared_memory[slot.start + slot.bytes + i] != POISON) fail("shared memory is written beyond %zu bytes", slot.bytes);
}

// Asynchronous copies: `valid` bytes are copied and the rest is zeroed, but only when their group is waited for.
inline void copy_async(void* to, const void* from, size_t bytes, size_t valid) {
    if ((uintptr_t)to % bytes || (valid && (uintptr_t)from % bytes)) return fail("an asynchronous copy is not aligned to %zu bytes", bytes);
    memset(to, POISON, bytes);
    if (at_end_of_block) memset(proxy_memory + ((unsigned char*)to - shared_memory), POISON, bytes);
    current->copies.push_back({to, from, bytes, valid, current->group});
}

inline void commit_copies() { current->group++; }

inline void wait_for_copies(int but_the_last) {
    std::vector<Copy> rest;
    for (const Copy& copy : current->copies) {
        if (copy.group >= current->group - but_the_last) {
            rest.push_back(copy);
            continue;
        }
        memset(copy.to, 0, copy.bytes);
        memcpy(copy.to, copy.from, copy.valid);
        if (at_end_of_block) current->landed.push_back({size_t((unsigned char*)copy.to - shared_memory), copy.bytes});
    }
    current->copies.swap(rest);
}

// Shows the asynchronous proxy what this thread's copies brought.
inline void fence_proxy() {
    for (const Range& range : current->landed) memcpy(proxy_memory + range.start, shared_memory + range.start, range.bytes);
    current->landed.clear();
}

// The life of a fiber: one kernel call for each block.
inline void live_on() {
    for (;;) {
        kernel(arguments);
        if (!current->copies.empty()) fail("a thread ends before its asynchronous copies do");
        current->landed.clear();
        wait_as(State::Done);
        live--;
        open_barrier_if_complete();
        pause();
    }
}

inline void resume(Thread& thread) {
    current = &thread;
    threadIdx = thread.index;
    if (_setjmp(scheduler) == 0) {
        if (thread.started) _longjmp(thread.where, 1);
        thread.started = true;
        setcontext(&thread.context);
    }
    current = nullptr;
}

inline void make_threads() {
    const unsigned count = blockDim.x * blockDim.y * blockDim.z;
    threads = std::vector<Thread>(count);
    warps = std::vector<Warp>(count / LANES);
    for (unsigned i = 0; i < count / LANES; i++) warps[i].threads = &threads[i * LANES];
    for (unsigned i = 0; i < count; i++) {
        Thread& thread = threads[i];
        thread.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
        thread.lane = i % LANES;
        thread.warp = &warps[i / LANES];
        thread.stack.reset(new char[STACK]);
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.get();
        thread.context.uc_stack.ss_size = STACK;
        makecontext(&thread.context, live_on, 0);
    }
}

// The warp whose turn it is, or none where all wait.
inline int pick(Schedule schedule) {
    const int count = warps.size();
    const int first = schedule == Schedule::Shuffled ? random_order() % count : 0;
    for (int i = 0; i < count; i++) {
        const int warp = schedule == Schedule::Backward ? count - 1 - i : (first + i) % count;
        if (warps[warp].ready) return warp;
    }
    return -1;
}

inline void run_block(Schedule schedule) {
    schedule_of_block = schedule;
    memset(shared_memory, POISON, SHARED);
    if (at_end_of_block) memset(proxy_memory, POISON, SHARED);
    slots.clear();
    live = threads.size();
    arrived = 0;
    for (Thread& thread : threads) make_ready(thread);
    while (live && !error[0]) {
        const int warp = pick(schedule);
        if (warp < 0) return fail("deadlock: %d threads wait at a barrier or warp operation that the others do not reach", live);
        const int turn = schedule == Schedule::Backward ? LANES - 1 : schedule == Schedule::Shuffled ? random_order() % LANES : 0;
        for (int i = 0; i < LANES && !error[0]; i++) {
            Thread& thread = warps[warp].threads[i ^ turn];
            if (thread.state == State::Ready) resume(thread);
        }
    }
    check_fences();
    if (at_end_of_block && !error[0]) at_end_of_block();
    for (Warp& warp : warps) warp.flight.reset();
}

}  // namespace emulator

// Runs a kernel over a grid and says what went wrong, or nothing.
extern "C" const char* emulator_launch(
    void (*kernel)(const void*), const void* arguments, const unsigned* grid, const unsigned* block, size_t dynamic_bytes, int schedule) {
    using namespace emulator;
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    error[0] = 0;
    current = nullptr;
    if (block[0] * block[1] * block[2] % LANES) return "a block has to be made of whole warps";
    emulator::kernel = kernel;
    emulator::arguments = arguments;
    emulator::dynamic_bytes = dynamic_bytes;
    random_order.seed(20261121);
    make_threads();
    for (blockIdx.z = 0; blockIdx.z < grid[2]; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)
                if (!error[0]) run_block(Schedule(schedule));
    threads.clear();
    return error[0] ? error : nullptr;
}
