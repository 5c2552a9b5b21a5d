// CUDA's words for the emulator: keywords, warp operations, tensor-core instructions, numbers.
//
// `mma` and `ldmatrix` follow the fragment layouts of the PTX ISA: lane l has group g = l / 4 and place t = l % 4.
#pragma once

#include <math.h>

#include "emulator.h"

#define __device__
#define __forceinline__ inline
#define __noinline__
#define __restrict__

// A kernel takes its arguments as one structure, `a`.
#define KERNEL(threads, name, Arguments)                                                        \
    static void name##_kernel(const Arguments& a);                                              \
    extern "C" void name(const void* arguments) { name##_kernel(*(const Arguments*)arguments); } \
    extern "C" { size_t name##_size = sizeof(Arguments); }                                      \
    static void name##_kernel(const Arguments& a)
#define SHARED(Type, name, count) Type* const name = (Type*)emulator::shared(__LINE__, sizeof(Type) * (count))
#define DYNAMIC_SHARED(name) unsigned char* const name = (unsigned char*)emulator::dynamic_shared()

#define __syncthreads() emulator::block_barrier(__LINE__)
#define __syncwarp() emulator::meet(0, __LINE__, [](const int*, int*) {})
#define __shfl_sync(mask, value, from) emulator::shuffle(value, from, __LINE__)
#define __shfl_xor_sync(mask, value, bits) emulator::shuffle(value, emulator::current->lane ^ (bits), __LINE__)
#define __ballot_sync(mask, predicate) emulator::ballot(predicate, __LINE__)

namespace emulator {

template <class T>
T shuffle(T value, int from, int line) {
    struct Hand { T value; int from; };
    return meet(Hand{value, from & 31}, line, [](const Hand* in, Hand* out) {
        for (int lane = 0; lane < LANES; lane++) out[lane].value = in[in[lane].from].value;
    }).value;
}

inline unsigned ballot(bool predicate, int line) {
    return meet(unsigned(predicate), line, [](const unsigned* in, unsigned* out) {
        unsigned bits = 0;
        for (int lane = 0; lane < LANES; lane++) bits |= in[lane] << lane;
        for (int lane = 0; lane < LANES; lane++) out[lane] = bits;
    });
}

}  // namespace emulator

template <class T> T __ldg(const T* address) { return *address; }
template <class T> T atomicAdd(T* address, T value) { T old = *address; *address += value; return old; }
template <class T> T atomicMax(T* address, T value) { T old = *address; if (value > old) *address = value; return old; }
template <class T> T atomicMin(T* address, T value) { T old = *address; if (value < old) *address = value; return old; }

inline unsigned __float_as_uint(float value) { unsigned bits; memcpy(&bits, &value, 4); return bits; }
inline float __uint_as_float(unsigned bits) { float value; memcpy(&value, &bits, 4); return value; }
inline unsigned __umulhi(unsigned a, unsigned b) { return uint64_t(a) * b >> 32; }
inline float cospif(float turns) { return cos(double(turns) * 3.14159265358979323846); }
inline float sinpif(float turns) { return sin(double(turns) * 3.14159265358979323846); }
template <class T> T min(T a, T b) { return a < b ? a : b; }
template <class T> T max(T a, T b) { return a < b ? b : a; }

// f16 from and to float, by the bits, so that it does not depend on the machine.
inline float f16_to_float(unsigned short bits) {
    const float magnitude = (bits & 0x7c00) == 0x7c00 ? __uint_as_float((bits & 0x7fff) << 13 | 0x7f800000)
                                                      : __uint_as_float((bits & 0x7fff) << 13) * 0x1p112f;
    return bits & 0x8000 ? -magnitude : magnitude;
}

inline unsigned short float_to_f16(float value) {
    const unsigned sign = __float_as_uint(value) >> 16 & 0x8000;
    const float magnitude = fabsf(value);
    if (value != value) return sign | 0x7fff;
    if (magnitude >= 65520.0f) return sign | 0x7c00;
    // Adding a power of two leaves a subnormal's digits rounded to even in the low bits.
    if (magnitude < 0x1p-14f) return sign | (__float_as_uint(magnitude + 0.5f) - __float_as_uint(0.5f));
    const unsigned bits = __float_as_uint(magnitude) - (112u << 23);
    return sign | (bits + 0xfff + (bits >> 13 & 1)) >> 13;
}

inline float bf16_to_float(unsigned short bits) { return __uint_as_float(unsigned(bits) << 16); }

namespace emulator {

// Tensor cores make exact products, add them exactly, and cut off what the sum has beyond 24 bits. What is no number has NVIDIA's bits.
inline float cut_off(double sum) {
    const float near = float(sum);
    if (near != near) return __uint_as_float(0x7fffffff);
    return fabs(double(near)) > fabs(sum) && fabsf(near) <= 3.4e38f ? __uint_as_float(__float_as_uint(near) - 1) : near;
}

struct Operands { unsigned a[4], b[2]; float c[4]; };

// c (16, 8) += a (16, depth) · b (depth, 8); `get` takes one of the EACH values that a register holds.
template <int DEPTH, int EACH, class Get>
void mma(float* c, const unsigned* a, const unsigned* b, int line, Get get) {
    const Operands mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}, {c[0], c[1], c[2], c[3]}};
    const Operands done = meet(mine, line, [=](const Operands* in, Operands* out) {
        float left[16][DEPTH], right[8][DEPTH];
        for (int k = 0; k < DEPTH; k++) {
            const int place = k / EACH % 4, half = k / (4 * EACH);
            for (int row = 0; row < 16; row++) left[row][k] = get(in[row % 8 * 4 + place].a[row / 8 + 2 * half], k % EACH);
            for (int column = 0; column < 8; column++) right[column][k] = get(in[column * 4 + place].b[half], k % EACH);
        }
        for (int lane = 0; lane < LANES; lane++)
            for (int i = 0; i < 4; i++) {
                double sum = in[lane].c[i];
                for (int k = 0; k < DEPTH; k++) sum += double(left[lane / 4 + i / 2 * 8][k]) * right[lane % 4 * 2 + i % 2][k];
                out[lane].c[i] = cut_off(sum);
            }
    });
    memcpy(c, done.c, sizeof done.c);
}

// Four 8 × 8 matrices of 16-bit values; lane l holds the address of row l % 8 of matrix l / 8.
inline void ldmatrix(unsigned* to, const void* row, bool transposed, int line) {
    struct Hand { const unsigned short* row; unsigned words[4]; };
    if ((uintptr_t)row % 16) fail("ldmatrix reads a row that is not aligned to 16 bytes");
    const Hand done = meet(Hand{(const unsigned short*)row, {}}, line, [=](const Hand* in, Hand* out) {
        for (int lane = 0; lane < LANES; lane++)
            for (int i = 0; i < 4; i++) {
                const int g = lane / 4, t = lane % 4 * 2;
                const unsigned low = transposed ? in[i * 8 + t].row[g] : in[i * 8 + g].row[t];
                const unsigned high = transposed ? in[i * 8 + t + 1].row[g] : in[i * 8 + g].row[t + 1];
                out[lane].words[i] = low | high << 16;
            }
    });
    memcpy(to, done.words, sizeof done.words);
}

}  // namespace emulator

#ifndef VOLTA  // which has the following made of shuffles
inline void mma_bf16(float* c, const unsigned* a, const unsigned* b) {
    emulator::mma<16, 2>(c, a, b, __LINE__, [](unsigned word, int i) { return bf16_to_float(word >> 16 * i); });
}
inline void mma_f16(float* c, const unsigned* a, const unsigned* b) {
    emulator::mma<16, 2>(c, a, b, __LINE__, [](unsigned word, int i) { return f16_to_float(word >> 16 * i); });
}
inline unsigned to_tf32(unsigned bits) { return ((bits & 0x7f800000) == 0x7f800000 ? bits : bits + 0x1000) & ~0x1fffu; }
// The hardware reads the upper 19 bits of each register.
inline void mma_tf32(float* c, const unsigned* a, const unsigned* b) {
    emulator::mma<8, 1>(c, a, b, __LINE__, [](unsigned word, int) { return __uint_as_float(word & ~0x1fffu); });
}
inline void copy_async(void* to, const void* from, bool there) { emulator::copy_async(to, from, 16, there ? 16 : 0); }
inline void commit_copies() { emulator::commit_copies(); }
template <int BUT_THE_LAST> void wait_for_copies() { emulator::wait_for_copies(BUT_THE_LAST); }
#endif
#if !defined(VOLTA) || defined(TURING)
inline void ldmatrix(unsigned* to, const void* row) { emulator::ldmatrix(to, row, false, __LINE__); }
inline void ldmatrix_transposed(unsigned* to, const void* row) { emulator::ldmatrix(to, row, true, __LINE__); }
#endif
#ifdef TURING
inline void mma_f16_of_8(float* c, const unsigned* a, const unsigned* b) {
    const unsigned left[] = {a[0], a[1], 0, 0}, right[] = {b[0], 0};
    emulator::mma<8, 2>(c, left, right, __LINE__, [](unsigned word, int i) { return f16_to_float(word >> 16 * i); });
}
#endif
