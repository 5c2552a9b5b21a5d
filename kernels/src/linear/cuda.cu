// Products of matrices on tensor cores with what follows a linear layer done on the way out: bias, activation, residual sum, or the
// way back through an activation. Weights are (outputs, inputs), as checkpoints have them.
//
// forward: Y = X·Wᵀ + b. backward: dX = dY·W. weights: dW += dYᵀ·X. A block owns a tile of Y; tiles of both factors stream through
// four stages of shared memory, 64 bytes deep each.
//   1  one stage, two barriers a step: every load is waited for
//   2  four stages of asynchronous copies, one barrier a step: three loads are under way while a step is multiplied
//   3  results leave through shared memory in packs of 16 bytes, with bias, activation and residual: a pass over memory less for each
//   4  few rows (a picture alone): tiles of 64 by 64, and the depth in `splits`, whose sums `linear_sum` adds in their order
//   5  what a thread copies is known before the first step (`Copies`), and fragments lie at fixed distances: in bf16 a warp's step of 64
//      products takes some 140 instructions in place of some 500, one of 16 products some 70 in place of some 430
//   6  f32 numbers come and go 16 bytes at a time and sums meet in no bank on their way out (`Leaving`): not one value a round trip
// Columns and depth are multiples of a pack, rows of any number (of `weights`: the depth). Grid: (ceil(columns / TILE),
// ceil(rows / TILE), splits); dynamic shared memory: STAGES times both operands' SIZE, as `Block::SHARED_BYTES` has it.
#include "../../cuda/tensor.cuh"
#include "../../cuda/linear.cuh"

constexpr bool HALF = sizeof(storage) == 2;
constexpr int CHUNK = 64 / sizeof(storage), STAGES = 4;

// One factor's tile: LENGTH rows of CHUNK values, or turned, CHUNK rows of LENGTH values.
template <int LENGTH, bool TURNED>
struct Operand {
    static constexpr int STEP = TURNED ? LENGTH + 8 : CHUNK + PACK, LINES = TURNED ? CHUNK : LENGTH, SIZE = LINES * STEP;
    static constexpr int PACKS = (TURNED ? LENGTH : CHUNK) / PACK;

    DEVICE static int place(int line, int pack) { return line * STEP + pack * PACK; }

    // What it takes to multiply rows or columns from `first` on.
    DEVICE static const storage* from(const storage* tile, int first) { return tile + first * (TURNED ? 1 : STEP); }

    // 16 rows as a left operand.
    DEVICE static void left(u32* a, const storage* tile, int row, int k) {
        const int lane = threadIdx.x % 32;
        if (!TURNED) return load_left(a, tile + row * STEP + k, STEP);
        if (HALF) return ldmatrix_transposed(a, tile + (k + lane % 8 + lane / 16 * 8) * STEP + row + lane / 8 % 2 * 8);
        const u32* at = (const u32*)tile + (k + lane % 4) * STEP + row + lane / 4;
        a[0] = at[0], a[1] = at[8], a[2] = at[4 * STEP], a[3] = at[4 * STEP + 8];
    }

    // 16 columns as two right operands.
    DEVICE static void right(u32* b, const storage* tile, int column, int k) {
        const int lane = threadIdx.x % 32;
        if (!TURNED) return load_right(b, tile + column * STEP + k, STEP);
        if (HALF) return load_right_rows(b, tile + k * STEP + column, STEP);
        const u32* at = (const u32*)tile + (k + lane % 4) * STEP + column + lane / 4;
        b[0] = at[0], b[1] = at[4 * STEP], b[2] = at[8], b[3] = at[4 * STEP + 8];
    }
};

template <int TILE, bool LEFT_TURNED, bool RIGHT_TURNED>
struct Block {
    static constexpr int ACROSS = TILE == 128 && !HALF ? 4 : 2, WARPS = 2 * ACROSS, THREADS = 32 * WARPS;
    static constexpr int ROWS = TILE / 2, COLUMNS = TILE / ACROSS;  // of a warp
    typedef Operand<TILE, LEFT_TURNED> Left;
    typedef Operand<TILE, RIGHT_TURNED> Right;
    typedef Leaving<COLUMNS> Rows;
    static constexpr int STAGE = Left::SIZE + Right::SIZE, SHARED_BYTES = STAGES * STAGE * sizeof(storage);

    const Linear& a;
    storage* const memory;
    const int steps, share, begin, end;  // of the depth, of a part of it, of this one
    Copies<Left, Left::LINES, Left::PACKS, THREADS, LEFT_TURNED> left;
    Copies<Right, Right::LINES, Right::PACKS, THREADS, RIGHT_TURNED> right;
    float sums[ROWS / 16][COLUMNS / 8][4];

    DEVICE Block(const Linear& a, storage* memory)
        : a(a), memory(memory), steps((a.depth + CHUNK - 1) / CHUNK), share((steps + a.splits - 1) / a.splits),
          begin(blockIdx.z * share), end(min(begin + share, steps)),
          left(a.left, a.rows, blockIdx.y * TILE, a.depth, begin * CHUNK),
          right(a.right, a.columns, blockIdx.x * TILE, a.depth, begin * CHUNK) {}

    DEVICE int warp_row() { return threadIdx.x / 32 / ACROSS * ROWS; }
    DEVICE int warp_column() { return threadIdx.x / 32 % ACROSS * COLUMNS; }

    // Starts to copy the next step, which is number `step`.
    DEVICE void fetch(int step) {
        storage* const stage = memory + u32(step) % STAGES * STAGE;
        const int there = a.depth - step * CHUNK;
        if (step < end) left.next(stage, there), right.next(stage + Left::SIZE, there);
        commit_copies();
    }

    DEVICE void multiply(const storage* stage) {
        const storage *const of_left = Left::from(stage, warp_row()), *const of_right = Right::from(stage + Left::SIZE, warp_column());
#pragma unroll
        for (int k = 0; k < CHUNK; k += DEPTH) {
            u32 left[ROWS / 16][4], right[COLUMNS / 8][2];
#pragma unroll
            for (int i = 0; i < ROWS / 16; i++) Left::left(left[i], of_left, 16 * i, k);
#pragma unroll
            for (int i = 0; i < COLUMNS / 16; i++) Right::right(right[2 * i], of_right, 16 * i, k);
#pragma unroll
            for (int i = 0; i < ROWS / 16; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS / 8; j++) mma_apart(sums[i][j], left[i], right[j], storage());
        }
    }

    DEVICE void run() {
#pragma unroll
        for (int i = 0; i < ROWS / 16; i++) clear<COLUMNS / 8>(sums[i]);
        for (int step = begin; step < begin + STAGES - 1; step++) fetch(step);
        for (int step = begin; step < end; step++) {
            wait_for_copies<STAGES - 2>();
            __syncthreads();  // this step has landed, and the one before is read
            fetch(step + STAGES - 1);
            multiply(memory + u32(step) % STAGES * STAGE);
        }
        wait_for_copies<0>();
        __syncthreads();  // the last step is read: its memory is free
        write();
    }

    // 16 rows at a time through a warp's own shared memory.
    DEVICE void write() {
        float* const scratch = (float*)memory + threadIdx.x / 32 * Rows::SIZE;
        const int column = blockIdx.x * TILE + warp_column() + Rows::column();
        float bias[PACK], some[PACK];
        load_bias(a, column, bias);
#pragma unroll
        for (int part = 0; part < ROWS / 16; part++) {
            __syncwarp();  // the rows before have left
            Rows::put(scratch, sums[part]);
            __syncwarp();  // these rows are there
            for (int line = Rows::first_row(); line < 16; line += Rows::AT_ONCE) {
                const int row = blockIdx.y * TILE + warp_row() + 16 * part + line;
                Rows::take(scratch, line, some);
                if (row < a.rows && column < a.columns) leave(some, bias, size_t(row) * a.columns + column);
            }
        }
    }

    DEVICE void leave(float* some, const float* bias, size_t at) {
        if (a.splits > 1) return store_pack(some, a.partials + size_t(blockIdx.z) * a.rows * a.columns + at);
        float other[PACK];
        load_other(a, at, other);
        finish(a, bias, other, some, at);
    }
};

template <int TILE, bool LEFT_TURNED, bool RIGHT_TURNED>
DEVICE void product(const Linear& a) {
    DYNAMIC_SHARED(memory);
    Block<TILE, LEFT_TURNED, RIGHT_TURNED> block(a, (storage*)memory);
    block.run();
}

// Threads of a block of small tiles, and how many blocks share a multiprocessor's registers: left alone, the compiler aims at more than
// shared memory has room for, and spills.
#define FOUR_BLOCKS 128, 4
constexpr int WIDE_THREADS = HALF ? 128 : 256;
KERNEL(WIDE_THREADS, linear_forward_128, Linear) { product<128, false, false>(a); }
KERNEL(FOUR_BLOCKS, linear_forward_64, Linear) { product<64, false, false>(a); }
KERNEL(WIDE_THREADS, linear_backward_128, Linear) { product<128, false, true>(a); }
KERNEL(FOUR_BLOCKS, linear_backward_64, Linear) { product<64, false, true>(a); }
KERNEL(WIDE_THREADS, linear_weights_128, Linear) { product<128, true, true>(a); }
KERNEL(FOUR_BLOCKS, linear_weights_64, Linear) { product<64, true, true>(a); }

// What follows the products of a depth in parts. Grid: ceil(rows·columns / PACK / 256).
KERNEL(256, linear_sum, Linear) {
    const size_t count = size_t(a.rows) * a.columns, at = (size_t(blockIdx.x) * 256 + threadIdx.x) * PACK;
    if (at >= count) return;
    float sums[PACK] = {}, bias[PACK], other[PACK];
    load_bias(a, at % a.columns, bias);
    load_other(a, at, other);
    for (int split = 0; split < a.splits; split++) {
        float part[PACK];
        load_pack(a.partials + split * count + at, part);
        each(sums, [&](float& sum, int i) { sum += part[i]; });
    }
    finish(a, bias, other, sums, at);
}
