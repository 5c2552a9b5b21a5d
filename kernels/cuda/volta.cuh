// The tensor-core functions of sm_80 for what came before: made of shuffles and ordinary arithmetic, slower, and the same results;
// those of f16 out of sm_75's own instructions where it has them (turing.cuh). Copies are made at once.
#pragma once

#define EXACT_TF32  // an f32 product needs no splitting here

// c (16, 8) += a (16, 8·EACH) · b (8·EACH, 8), where a register holds EACH values and `get` takes one of them.
// It is called, not copied to every place: code that is unrolled there would be megabytes.
struct Product { float c[4]; u32 a[4], b[2]; };

template <int EACH, class Get>
OUTLINED Product mma_by_shuffles(Product p, Get get) {
    const int lane = threadIdx.x % 32, row = lane / 4 * 4, column = lane % 4 * 8;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const int half = i / 4, place = i % 4;
        const u32 top = __shfl_sync(ALL, p.a[2 * half], row + place), bottom = __shfl_sync(ALL, p.a[2 * half + 1], row + place);
        const u32 left = __shfl_sync(ALL, p.b[half], column + place), right = __shfl_sync(ALL, p.b[half], column + 4 + place);
#pragma unroll
        for (int k = 0; k < EACH; k++) {
            p.c[0] = fmaf(get(top, k), get(left, k), p.c[0]);
            p.c[1] = fmaf(get(top, k), get(right, k), p.c[1]);
            p.c[2] = fmaf(get(bottom, k), get(left, k), p.c[2]);
            p.c[3] = fmaf(get(bottom, k), get(right, k), p.c[3]);
        }
    }
    return p;
}

template <int EACH, class Get>
DEVICE void multiply(float* c, const u32* a, const u32* b, Get get) {
    const Product done = mma_by_shuffles<EACH>(Product{{c[0], c[1], c[2], c[3]}, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}}, get);
#pragma unroll
    for (int i = 0; i < 4; i++) c[i] = done.c[i];
}

DEVICE void mma_bf16(float* c, const u32* a, const u32* b) {
    multiply<2>(c, a, b, [](u32 word, int i) { return widen(bf16{(unsigned short)(word >> 16 * i)}); });
}
DEVICE void mma_tf32(float* c, const u32* a, const u32* b) {
    multiply<1>(c, a, b, [](u32 word, int) { return __uint_as_float(word); });
}

#ifdef TURING
DEVICE void mma_f16(float* c, const u32* a, const u32* b) {
    mma_f16_of_8(c, a, b);
    mma_f16_of_8(c, a + 2, b + 1);
}
#else
DEVICE void mma_f16(float* c, const u32* a, const u32* b) {
    multiply<2>(c, a, b, [](u32 word, int i) { return widen(f16{(unsigned short)(word >> 16 * i)}); });
}

// Four 8 × 8 matrices; lane l holds the address of row l % 8 of matrix l / 8.
struct Matrices { u32 words[4]; };

OUTLINED Matrices load_matrices(const void* row, bool transposed) {
    typedef unsigned short u16;
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4 * 2;
    auto of_lane = [&](int lane) { return (const u16*)__shfl_sync(ALL, (unsigned long long)row, lane); };
    Matrices to;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const u16 *straight = of_lane(i * 8 + g), *first = of_lane(i * 8 + t), *second = of_lane(i * 8 + t + 1);
        to.words[i] = transposed ? first[g] | u32(second[g]) << 16 : straight[t] | u32(straight[t + 1]) << 16;
    }
    return to;
}
DEVICE void ldmatrix(u32* to, const void* row) { *(Matrices*)to = load_matrices(row, false); }
DEVICE void ldmatrix_transposed(u32* to, const void* row) { *(Matrices*)to = load_matrices(row, true); }
#endif

DEVICE void copy_async(void* to, const void* from, bool there) { *(uint4*)to = there ? *(const uint4*)from : uint4{0, 0, 0, 0}; }
DEVICE void commit_copies() {}
template <int BUT_THE_LAST>
DEVICE void wait_for_copies() {}
