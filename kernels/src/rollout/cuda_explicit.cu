// The explicit product of attention rollout, a layer at a time: `R ← N(w·I + (1 − w)·F)·R` with all rows of R, in f32.
//
// Only for those who ask for other rows than the head's: that one takes a tokens-th of the operations, and reads the maps once.
//   1  f32 arithmetic: 4.6·10⁹ operations a picture with ViT-B/16-384 take 77 µs
//   2  tensor cores, f32 numbers as sums of tf32 numbers: three products in place of one, two where the map is 16 bits wide, since
//      such a number is exact in tf32; a chunk is fetched while the one before it is multiplied
// A row of a map begins at any address, so values are fetched one by one, and not by copies of 16 bytes.
// Grid: `rollout_shares` (ceil(tokens / 8), images), `rollout_product` (ceil(tokens / TILE), ceil(tokens / TILE), images).
#include "../../cuda/tensor.cuh"

struct RolloutProduct {
    const storage* map;   // (images, tokens, tokens), fused over heads
    const float* before;  // (images, tokens, tokens): the product of the layers below; none stands for I
    float* product;       // (images, tokens, tokens)
    float* shares;        // (images, tokens): one over the sums of the rows of w·I + (1 − w)·F
    int tokens;
    float residual;       // w
    int normalise;        // a Normalise
};

enum Normalise { ROWS_BY_SUMS, COLUMNS_BY_ROW_SUMS, NOTHING };
constexpr int TILE = 64, CHUNK = 32, THREADS = 256, ACROSS = 16;  // columns of a warp, which has 32 rows
// Rows in shared memory, so far apart that the lanes of a fragment read different banks.
constexpr int LEFT_STEP = CHUNK + 4, RIGHT_STEP = TILE + 8, STAGE = TILE * LEFT_STEP + CHUNK * RIGHT_STEP;
constexpr int EACH = TILE * CHUNK / THREADS;  // values of either factor that a thread fetches

DEVICE void multiply(float* c, const u32* a, const u32* b) {
#ifndef EXACT_TF32
    if (sizeof(storage) == 2) {
        u32 high[2], low[2];
        split<2>(b, high, low);
        float sums[4] = {};
        mma_tf32(sums, a, low);
        mma_tf32(sums, a, high);
#pragma unroll
        for (int i = 0; i < 4; i++) c[i] += sums[i];
        return;
    }
#endif
    mma_apart(c, a, b, float());
}

template <bool DIVIDED>
struct Block {
    const RolloutProduct& a;
    storage left[EACH];
    float right[EACH], sums[2][ACROSS / 8][4];

    DEVICE size_t at(int row, int column) { return (size_t(blockIdx.z) * a.tokens + row) * a.tokens + column; }
    DEVICE float share(int row) { return a.shares[size_t(blockIdx.z) * a.tokens + row]; }

    // Columns of F and rows of R from `k` on; what is not there is zero.
    DEVICE void fetch(int k) {
        int row = blockIdx.y * TILE + threadIdx.x / CHUNK, column = k + threadIdx.x % CHUNK;
        const storage* map = a.map + at(row, column);
#pragma unroll
        for (int i = 0; i < EACH; i++, row += THREADS / CHUNK, map += THREADS / CHUNK * a.tokens)
            left[i] = row < a.tokens && column < a.tokens ? *map : stored(0.0f);
        row = k + threadIdx.x / TILE, column = blockIdx.x * TILE + threadIdx.x % TILE;
        const float* before = a.before + at(row, column);
#pragma unroll
        for (int i = 0; i < EACH; i++, row += THREADS / TILE, before += THREADS / TILE * a.tokens) {
            const bool there = row < a.tokens && column < a.tokens;
            right[i] = there ? *before : 0.0f;
            if (DIVIDED && there) right[i] *= share(row);
        }
    }

    DEVICE void put(float* stage) {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            const int place = threadIdx.x + i * THREADS;
            stage[place / CHUNK * LEFT_STEP + place % CHUNK] = widen(left[i]);
            stage[TILE * LEFT_STEP + place / TILE * RIGHT_STEP + place % TILE] = right[i];
        }
    }

    DEVICE void add(const float* stage) {
        const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
        const u32* const rows = (const u32*)stage + (warp / 4 * 32 + g) * LEFT_STEP + t;
        const u32* const columns = (const u32*)stage + TILE * LEFT_STEP + t * RIGHT_STEP + warp % 4 * ACROSS + g;
#pragma unroll
        for (int k = 0; k < CHUNK; k += 8) {
            u32 f[2][4];
#pragma unroll
            for (int i = 0; i < 8; i++) f[i / 4][i % 4] = rows[(i / 4 * 16 + i % 2 * 8) * LEFT_STEP + k + i % 4 / 2 * 4];
#pragma unroll
            for (int j = 0; j < ACROSS / 8; j++) {
                const u32 r[2] = {columns[k * RIGHT_STEP + 8 * j], columns[(k + 4) * RIGHT_STEP + 8 * j]};
#pragma unroll
                for (int i = 0; i < 2; i++) multiply(sums[i][j], f[i], r);
            }
        }
    }

    // F·R where there are layers below; else F, where R is I, whose columns are divided as its rows would be.
    DEVICE void write() {
        const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int i = 0; i < ACROSS; i++) {
            const int row = blockIdx.y * TILE + warp / 4 * 32 + i / 8 * 16 + i % 4 / 2 * 8 + g;
            const int column = blockIdx.x * TILE + warp % 4 * ACROSS + i / 4 % 2 * 8 + 2 * t + i % 2;
            if (row >= a.tokens || column >= a.tokens) continue;
            float product = sums[i / 8][i / 4 % 2][i % 4], before = row == column ? 1.0f : 0.0f;
            if (a.before) before = a.before[at(row, column)];
            else product = DIVIDED ? widen(a.map[at(row, column)]) * share(column) : widen(a.map[at(row, column)]);
            if (DIVIDED) before *= share(row);
            const float value = fmaf(1.0f - a.residual, product, a.residual * before);
            a.product[at(row, column)] = a.normalise == ROWS_BY_SUMS ? value * share(row) : value;
        }
    }
};

template <bool DIVIDED>
DEVICE void product(const RolloutProduct& a, float* stages) {
    Block<DIVIDED> block = {a};
#pragma unroll
    for (int i = 0; i < 2; i++) clear<ACROSS / 8>(block.sums[i]);
    const int end = a.before ? a.tokens : 0;
    if (end) block.fetch(0);
    for (int k = 0; k < end; k += CHUNK) {
        float* const stage = stages + k / CHUNK % 2 * STAGE;
        block.put(stage);
        __syncthreads();  // this chunk is there, and the one before it is read by all who come to overwrite it
        block.fetch(k + CHUNK);
        block.add(stage);
    }
    block.write();
}

KERNEL(THREADS, rollout_product, RolloutProduct) {
    SHARED(float, stages, 2 * STAGE);
    if (a.normalise == COLUMNS_BY_ROW_SUMS) product<true>(a, stages);
    else product<false>(a, stages);
}

KERNEL(256, rollout_shares, RolloutProduct) {
    const int row = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    const size_t line = size_t(blockIdx.y) * a.tokens + row;
    float sum = 0.0f;
    for (int j = lane; j < a.tokens && row < a.tokens; j += 32) sum += widen(a.map[line * a.tokens + j]);
    sum = warp_sum(sum);
    if (lane == 0 && row < a.tokens) a.shares[line] = 1.0f / (a.residual + (1.0f - a.residual) * sum);
}
