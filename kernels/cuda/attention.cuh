// The tiles of attention's forward pass and of its maps, for heads of WIDTH values; `tiles` in `attention/cuda.rs` has the same numbers.
// To be included behind `tensor.cuh` or `softmax.cuh`, by whose names `build.py` knows what is made of tensor cores.
#pragma once

// Tiles fit 64 KiB of shared memory on architectures that have no more.
template <int WIDTH>
constexpr bool SMALL = BEFORE_AMPERE && WIDTH > 80;
template <int WIDTH>
constexpr int QUERIES = SMALL<WIDTH> && sizeof(storage) == 4 ? 32 : 64;
template <int WIDTH>
constexpr int THREADS = 2 * QUERIES<WIDTH>;
template <int WIDTH>
constexpr int KEYS = sizeof(storage) == 2 ? (SMALL<WIDTH> ? 32 : 64) : WIDTH > 64 ? 16 : 32;
