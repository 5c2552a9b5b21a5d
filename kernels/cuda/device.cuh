// What every kernel here builds on: the numbers in memory, packs of 16 bytes, and sums over a warp.
//
// A file is compiled once for each kind of storage: `-DSTORAGE=float`, `bf16` or `f16`. Arithmetic is f32 throughout.
// The same source is compiled by NVRTC for GPUs and by a C++ compiler (`-DEMULATOR`) for tests on the CPU.
#pragma once

#ifdef EMULATOR
#include "../emulator/cuda.h"
#else
// A kernel takes its arguments as one structure, `a`, which stays in constant memory.
#define KERNEL(threads, name, Arguments) \
    extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Arguments a)
#define SHARED(Type, name, count) __shared__ __align__(16) Type name[count]
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#endif

#define DEVICE __device__ __forceinline__
#define OUTLINED static __device__ __noinline__

typedef unsigned int u32;
typedef unsigned char u8;
struct bf16 { unsigned short bits; };
struct f16 { unsigned short bits; };
#ifndef STORAGE
#define STORAGE float
#endif
typedef STORAGE storage;

constexpr u32 ALL = 0xffffffffu;
constexpr int PACK = 16 / sizeof(storage);  // values that a thread moves at once
constexpr float LOG2_E = 1.4426950408889634f, LN_2 = 0.6931471805599453f;
constexpr float LOWEST = -1e30f;  // below every score; its power is 0

DEVICE float widen(float value) { return value; }
DEVICE float widen(bf16 value) { return __uint_as_float(u32(value.bits) << 16); }
DEVICE float widen(f16 value) {
#ifdef EMULATOR
    return f16_to_float(value.bits);
#else
    float wide;
    asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
    return wide;
#endif
}

// Rounds to the nearest number of the storage, to even where two are as near.
DEVICE void narrow(float value, float& to) { to = value; }
DEVICE void narrow(float value, bf16& to) {
#if defined(EMULATOR) || __CUDA_ARCH__ < 800
    const u32 bits = __float_as_uint(value);
    to.bits = value != value ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
#else
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to.bits) : "f"(value));
#endif
}
DEVICE void narrow(float value, f16& to) {
#ifdef EMULATOR
    to.bits = float_to_f16(value);
#else
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to.bits) : "f"(value));
#endif
}
DEVICE storage stored(float value) {
    storage to;
    narrow(value, to);
    return to;
}

template <class Number>
struct alignas(16) SixteenBytes { Number values[16 / sizeof(Number)]; };
typedef SixteenBytes<storage> Pack;

// As many values as a pack has, of the storage or of f32, at an address that is aligned to 16 bytes.
template <class Number>
DEVICE void load_pack(const Number* from, float* to) {
    constexpr int AT_ONCE = 16 / sizeof(Number);
#pragma unroll
    for (int first = 0; first < PACK; first += AT_ONCE) {
        const SixteenBytes<Number> some = *(const SixteenBytes<Number>*)(from + first);
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++) to[first + i] = widen(some.values[i]);
    }
}

template <class Number>
DEVICE void store_pack(const float* from, Number* to) {
    constexpr int AT_ONCE = 16 / sizeof(Number);
#pragma unroll
    for (int first = 0; first < PACK; first += AT_ONCE) {
        SixteenBytes<Number> some;
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++) narrow(from[first + i], some.values[i]);
        *(SixteenBytes<Number>*)(to + first) = some;
    }
}

// The sum of all lanes' values, in every lane.
DEVICE float warp_sum(float value) {
#pragma unroll
    for (int bits = 16; bits; bits >>= 1) value += __shfl_xor_sync(ALL, value, bits);
    return value;
}

DEVICE float warp_max(float value) {
#pragma unroll
    for (int bits = 16; bits; bits >>= 1) value = fmaxf(value, __shfl_xor_sync(ALL, value, bits));
    return value;
}

// 2^x; -inf gives 0.
DEVICE float power_of_two(float x) {
#ifdef EMULATOR
    return exp2f(x);
#else
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}
