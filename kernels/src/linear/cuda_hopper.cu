// Products of matrices by warpgroups on sm_90a (wgmma): what `cuda.cu` has for forward and backward, with the same arguments and the same
// ways out. It reads both factors and what the way out asks for, and writes Y, the f32 sums, or what enters the activation.
//
// forward: Y = X·Wᵀ + b. backward: dX = dY·W, where the instruction reads W with its depth going from row to row. A block of two
// warpgroups owns 128 rows; a warpgroup 64 of them and all columns of the tile. Steps are 64 deep: 128 bytes a row, the widest swizzle.
//   1  128 by 256: a step of 1024 tensor-core cycles moves 80 KiB out of shared memory and 48 KiB into it, just the 128 bytes a cycle
//      that there are: predicted to keep the tensor cores busy. One block fits a multiprocessor, so its way out is not hidden.
//   2  128 by 128 for what leaves the last wave of (1) mostly empty: 80 KiB for 512 cycles, so shared memory bounds it to four fifths of
//      the tensor cores; but two blocks share a multiprocessor, and one multiplies while the other leaves.
// Products of a step are in flight while the next step is waited for: a stage is filled again two steps later, behind the one barrier.
//   3  what a thread copies is known before the first step: a warp's step is 150 instructions of (1) and 136 of (2), where it was some
//      1000 and 366. Of the 4096 issue slots of 1024 cycles, warps take 1200 of (1) and 2200 of (2), whose two blocks have 16.
//   4  sums meet in no bank on their way out, which takes shared memory 2048 cycles for (1) where it took 10240, and what is read there
//      is asked for four rows ahead. A scheduler issues some 3100 instructions for it, 3400 with a residual sum, 10200 with GELU.
// Not persistent: a block's start and way out are predicted at 2 of 11 µs for a depth of 1024 (64 KiB at a multiprocessor's share of the
// memory), the tiles of (2) hide that without a scheduler. No setmaxnreg: there is no warp that only copies, and none would be faster,
// since copies take 12 of a warp's 150 issue slots in a step, and some 60 with their addresses. All of this is predicted and not measured.
// Columns and depth are multiples of a pack, rows of any number. Grid: (ceil(columns / COLUMNS), ceil(rows / 128)); dynamic shared
// memory: STAGES times both tiles, and 1024 bytes to begin at a multiple of them.
//
// Storage: bf16, f16.
// Target: sm_90a.
#include "../../cuda/hopper.cuh"
#include "../../cuda/linear.cuh"

constexpr int ROWS = 128, CHUNK = 64, THREADS = 256, AHEAD = 4;

template <int COLUMNS, int STAGES, bool TURNED>
struct Block {
    typedef Swizzled<ROWS, CHUNK> Left;
    typedef Swizzled<TURNED ? CHUNK : COLUMNS, TURNED ? COLUMNS : CHUNK> Right;
    typedef Leaving<COLUMNS> Rows;
    static constexpr int STAGE = Left::SIZE + Right::SIZE;
    static_assert(8 * Rows::SIZE * sizeof(float) <= STAGES * STAGE * sizeof(storage), "sums leave through the memory of the stages");

    const Linear& a;
    storage* const memory;
    Copies<Left, ROWS, CHUNK / 8, THREADS, false> left;
    Copies<Right, TURNED ? CHUNK : COLUMNS, (TURNED ? COLUMNS : CHUNK) / 8, THREADS, TURNED> right;
    float sums[COLUMNS / 8][4];

    DEVICE Block(const Linear& a, storage* memory)
        : a(a), memory(memory), left(a.left, a.rows, first_row(), a.depth, 0), right(a.right, a.columns, first_column(), a.depth, 0) {}

    DEVICE int first_row() { return blockIdx.y * ROWS; }
    DEVICE int first_column() { return blockIdx.x * COLUMNS; }

    // Starts to copy the next step, which is number `step`.
    DEVICE void fetch(int step, int steps) {
        storage* const stage = memory + u32(step) % STAGES * STAGE;
        const int there = a.depth - step * CHUNK;
        if (step < steps) left.next(stage, there), right.next(stage + Left::SIZE, there);
        commit_copies();
    }

    DEVICE void multiply(const storage* stage) {
        const storage* const right = stage + Left::SIZE;
        fence_registers();
#pragma unroll
        for (int k = 0; k < CHUNK; k += 16) {
            const u64 of_left = Left::lines(stage, threadIdx.x / 128 * 64, k);
            const u64 of_right = TURNED ? Right::turned(right, k) : Right::lines(right, 0, k);
            Instruction<COLUMNS, storage, TURNED>::of_shared(sums[0], of_left, of_right, true);
        }
        commit_products();
    }

    DEVICE void run() {
        const int steps = (a.depth + CHUNK - 1) / CHUNK;
        clear<COLUMNS / 8>(sums);
        settle<COLUMNS / 2>(sums[0]);
        for (int step = 0; step < STAGES - 2; step++) fetch(step, steps);
        for (int step = 0; step < steps; step++) {
            wait_for_copies<STAGES - 3>();
            fence_copies();
            __syncthreads();  // this step has landed, and all have multiplied the step before the last
            multiply(memory + u32(step) % STAGES * STAGE);
            fetch(step + STAGES - 2, steps);
            wait_for_products<1>();
        }
        wait_for_products<0>();
        settle<COLUMNS / 2>(sums[0]);
        wait_for_copies<0>();
        __syncthreads();  // the last steps are multiplied: their memory is free
        write();
    }

    // A warp's 16 rows, through shared memory of its own. What is read for them is asked for AHEAD rows before it is used.
    DEVICE void write() {
        const int first = first_row() + threadIdx.x / 32 * 16, column = first_column() + Rows::column();
        float* const scratch = (float*)memory + threadIdx.x / 32 * Rows::SIZE;
        const storage* const from = column < a.columns ? other_of(a) : nullptr;
        auto place = [&](int line) { return size_t(min(first + line, a.rows - 1)) * a.columns + column; };
        uint4 ahead[AHEAD];
        float bias[PACK], other[PACK], some[PACK];
        load_bias(a, column, bias);
#pragma unroll
        for (int i = 0; i < AHEAD; i++)
            if (from) ahead[i] = *(const uint4*)(from + place(Rows::first_row() + i * Rows::AT_ONCE));
        Rows::put(scratch, sums);
        __syncwarp();  // the rows are there
        for (int start = Rows::first_row(); start < 16; start += AHEAD * Rows::AT_ONCE) {
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                const int line = start + i * Rows::AT_ONCE;
                Pack now;
                memcpy(&now, &ahead[i], sizeof now);
                each(other, [&](float& value, int k) { value = widen(now.values[k]); });
                if (from) ahead[i] = *(const uint4*)(from + place(line + AHEAD * Rows::AT_ONCE));
                if (first + line >= a.rows || column >= a.columns) continue;
                Rows::take(scratch, line, some);
                finish(a, bias, other, some, place(line));
            }
        }
    }
};

template <int COLUMNS, int STAGES, bool TURNED>
DEVICE void product(const Linear& a) {
    DYNAMIC_SHARED(memory);
    Block<COLUMNS, STAGES, TURNED> block(a, aligned(memory));
    block.run();
}

// Threads of a block, and how many blocks share a multiprocessor's registers.
#define TWO_BLOCKS THREADS, 2
KERNEL(THREADS, linear_hopper_forward_256, Linear) { product<256, 4, false>(a); }
KERNEL(TWO_BLOCKS, linear_hopper_forward_128, Linear) { product<128, 3, false>(a); }
KERNEL(THREADS, linear_hopper_backward_256, Linear) { product<256, 4, true>(a); }
KERNEL(TWO_BLOCKS, linear_hopper_backward_128, Linear) { product<128, 3, true>(a); }
