// Products of tiles on tensor cores: 16 rows by 8 columns at a time, DEPTH values deep, sums in f32.
//
// bf16 and f16 are multiplied as they are. An f32 number is the sum of two tf32 numbers but for 2^-22 of it, and three products
// of these parts make an f32 product: parity with f32 arithmetic at tensor-core speed. Tensor cores cut what a sum has beyond 24 bits
// off: over thousands of products that is forty times what rounding loses, so long sums of f32 are made outside them. Before sm_80
// the same functions are made of shuffles (volta.cuh), but for f16 on sm_75 (turing.cuh).
//
// Fragments: lane l has group g = l / 4 and place t = l % 4. Of a result it holds rows g and g + 8, columns 2t and 2t + 1.
#pragma once

#include "device.cuh"

#if !defined(EMULATOR) && __CUDA_ARCH__ < 800
#define VOLTA
#if __CUDA_ARCH__ >= 750
#define TURING
#include "turing.cuh"
#endif
#endif
#ifdef VOLTA
#include "volta.cuh"
constexpr bool BEFORE_AMPERE = true;
#else
#ifndef EMULATOR
#include "ampere.cuh"
#endif
constexpr bool BEFORE_AMPERE = false;
#endif

constexpr int DEPTH = sizeof(storage) == 2 ? 16 : 8;

// The distance of rows in a tile of shared memory: 16 bytes more than their length, so that 8 rows lie in different banks.
template <int WIDTH>
constexpr int STRIDE = WIDTH + PACK;

// f32 numbers as sums of two tf32 numbers. What is no number stays none in the high part, whatever becomes of the low one.
#ifndef EXACT_TF32
template <int COUNT>
DEVICE void split(const u32* bits, u32* high, u32* low) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        high[i] = to_tf32(bits[i]);
        low[i] = __float_as_uint(__uint_as_float(bits[i]) - __uint_as_float(high[i])) + 0x1000;
    }
}
#endif

DEVICE void mma(float* c, const u32* a, const u32* b, bf16) { mma_bf16(c, a, b); }
DEVICE void mma(float* c, const u32* a, const u32* b, f16) { mma_f16(c, a, b); }
DEVICE void mma(float* c, const u32* a, const u32* b, float) {
#ifdef EXACT_TF32
    mma_tf32(c, a, b);
#else
    u32 high_a[4], low_a[4], high_b[2], low_b[2];
    split<4>(a, high_a, low_a);
    split<2>(b, high_b, low_b);
    mma_tf32(c, low_a, high_b);
    mma_tf32(c, high_a, low_b);
    mma_tf32(c, high_a, high_b);
#endif
}

// The same for sums of any length, in f32 outside the tensor cores; unless registers are too few for that.
template <bool ROOM = true, class Stored>
DEVICE void mma_apart(float* c, const u32* a, const u32* b, Stored kind) {
    if (sizeof(Stored) == 2 || !ROOM) return mma(c, a, b, kind);
    float sums[4] = {};
    mma(sums, a, b, kind);
#pragma unroll
    for (int i = 0; i < 4; i++) c[i] += sums[i];
}

DEVICE u32 word(float value) { return __float_as_uint(value); }

// Two results side by side as one word of a 16-bit operand.
DEVICE u32 pair(float low, float high, float) { return 0; }
template <class Half>
DEVICE u32 pair(float low, float high, Half) {
    Half first, second;
    narrow(low, first);
    narrow(high, second);
    return first.bits | u32(second.bits) << 16;
}
#if !defined(EMULATOR) && __CUDA_ARCH__ >= 800
DEVICE u32 pair(float low, float high, bf16) {
    u32 both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}
#endif

// The left operand (16, DEPTH) out of a tile whose rows are its rows.
DEVICE void load_left(u32* a, const storage* tile, int stride) {
    const int lane = threadIdx.x % 32;
    if (sizeof(storage) == 2) return ldmatrix(a, tile + lane % 16 * stride + lane / 16 * 8);
    const u32* at = (const u32*)tile + lane / 4 * stride + lane % 4;
    a[0] = at[0], a[1] = at[8 * stride], a[2] = at[4], a[3] = at[8 * stride + 4];
}

// Two right operands (DEPTH, 8) out of a tile whose rows are their columns.
DEVICE void load_right(u32* b, const storage* tile, int stride) {
    const int lane = threadIdx.x % 32;
    if (sizeof(storage) == 2) return ldmatrix(b, tile + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8);
    const u32* at = (const u32*)tile + lane / 4 * stride + lane % 4;
    b[0] = at[0], b[1] = at[4], b[2] = at[8 * stride], b[3] = at[8 * stride + 4];
}

// Two right operands out of a tile whose rows are their rows, in the order in which `as_left` has its columns.
DEVICE void load_right_rows(u32* b, const storage* tile, int stride) {
    const int lane = threadIdx.x % 32;
    if (sizeof(storage) == 2) return ldmatrix_transposed(b, tile + lane % 16 * stride + lane / 16 * 8);
    const u32* at = (const u32*)tile + lane % 4 * 2 * stride + lane / 4;
    b[0] = at[0], b[1] = at[stride], b[2] = at[8], b[3] = at[stride + 8];
}

// Results as a left operand without leaving their lanes: for f32, column 2t takes place t and column 2t + 1 place t + 4.
DEVICE void as_left(u32* a, const float (*results)[4], int step) {
    if (sizeof(storage) == 2) {
        const float *near = results[2 * step], *far = results[2 * step + 1];
        a[0] = pair(near[0], near[1], storage()), a[1] = pair(near[2], near[3], storage());
        a[2] = pair(far[0], far[1], storage()), a[3] = pair(far[2], far[3], storage());
    } else {
        const float* c = results[step];
        a[0] = word(c[0]), a[1] = word(c[2]), a[2] = word(c[1]), a[3] = word(c[3]);
    }
}

// to (16, 8·TILES) += left (16, WIDTH) · rowsᵀ; `left(step, a)` gives the fragment of a step.
template <int TILES, int WIDTH, class Left>
DEVICE void times_turned(float (*to)[4], Left left, const storage* rows) {
#pragma unroll
    for (int step = 0; step < WIDTH / DEPTH; step++) {
        u32 a[4], b[4];
        left(step, a);
#pragma unroll
        for (int tile = 0; tile < TILES; tile += 2) {
            load_right(b, rows + tile * 8 * STRIDE<WIDTH> + step * DEPTH, STRIDE<WIDTH>);
            mma_apart(to[tile], a, b, storage());
            mma_apart(to[tile + 1], a, b + 2, storage());
        }
    }
}

// to (16, WIDTH) += a step's left operand (16, DEPTH) · rows.
template <int WIDTH>
DEVICE void times_step(float (*to)[4], const u32* a, const storage* rows) {
#pragma unroll
    for (int tile = 0; tile < WIDTH / 8; tile += 2) {
        u32 b[4];
        load_right_rows(b, rows + tile * 8, STRIDE<WIDTH>);
        mma_apart<(WIDTH <= 64)>(to[tile], a, b, storage());
        mma_apart<(WIDTH <= 64)>(to[tile + 1], a, b + 2, storage());
    }
}

// to (16, WIDTH) += weights (16, 8·TILES) · rows.
template <int TILES, int WIDTH>
DEVICE void times(float (*to)[4], const float (*weights)[4], const storage* rows) {
#pragma unroll
    for (int step = 0; step < TILES * 8 / DEPTH; step++) {
        u32 a[4];
        as_left(a, weights, step);
        times_step<WIDTH>(to, a, rows + step * DEPTH * STRIDE<WIDTH>);
    }
}

// Starts to copy a tile of ROWS rows that lie `step` apart; those from `there` on become zero, and their addresses are not read.
// A thread keeps its place in a row, so that from row to row it only adds; where rows do not divide the block, its last threads rest.
// Before sm_80 a copy goes through registers: more than two at a time would spill.
template <int ROWS, int WIDTH, int THREADS>
DEVICE void copy_tile(storage* to, const storage* from, size_t step, int there) {
    constexpr u32 PACKS = WIDTH / PACK, AT_ONCE = THREADS / PACKS;
    const u32 row = threadIdx.x / PACKS, place = threadIdx.x % PACKS * PACK;
    if (THREADS % PACKS && row >= AT_ONCE) return;
    to += row * STRIDE<WIDTH> + place, from += row * step + place;
#pragma unroll (BEFORE_AMPERE ? 2 : ROWS)
    for (u32 i = 0; i < ROWS; i += AT_ONCE) {
        if (i + AT_ONCE <= ROWS || i + row < ROWS) copy_async(to + i * STRIDE<WIDTH>, from, int(i + row) < there);
        from += AT_ONCE * step;
    }
}

// Writes 16 rows of results through a warp's own rows of shared memory, so that they leave in packs of 16 bytes.
template <int WIDTH>
DEVICE void write_rows(const float (*results)[4], storage* scratch, storage* to, size_t step, int there) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int tile = 0; tile < WIDTH / 8; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++) scratch[(g + i / 2 * 8) * STRIDE<WIDTH> + tile * 8 + 2 * t + i % 2] = stored(results[tile][i]);
    __syncwarp();
    for (int i = lane; i < 16 * WIDTH / PACK; i += 32) {
        const int row = i / (WIDTH / PACK), first = i % (WIDTH / PACK) * PACK;
        if (row < there) *(Pack*)(to + row * step + first) = *(const Pack*)(scratch + row * STRIDE<WIDTH> + first);
    }
}

template <int TILES>
DEVICE void clear(float (*values)[4]) {
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++) values[tile][i] = 0.0f;
}

// Over the four lanes that hold a row.
DEVICE float row_sum(float value) {
    value += __shfl_xor_sync(ALL, value, 1);
    return value + __shfl_xor_sync(ALL, value, 2);
}

DEVICE float row_max(float value) {
    value = fmaxf(value, __shfl_xor_sync(ALL, value, 1));
    return fmaxf(value, __shfl_xor_sync(ALL, value, 2));
}

// Columns from `there` on have no share.
template <int TILES>
DEVICE void hide_from(int there, float (*scores)[4]) {
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (tile * 8 + int(threadIdx.x % 4) * 2 + i % 2 >= there) scores[tile][i] = LOWEST;
}
