// Sums of squares of a gradient, one f64 a block in a fixed order: what its Euclidean length is made of, 4 bytes read a value.
//
// f64, because the squares of a gradient that is f32 may lie beyond f32, and because the length decides about every weight.
// Bound by memory where f64 has half or a quarter of the arithmetic; elsewhere by arithmetic. Speed is not measured.
// Storage: f32.
// Grid: any; some blocks for each multiprocessor. Shared memory: 2 KiB.
#include "../../cuda/device.cuh"

struct Length {
    const float* gradient;  // (count)
    double* partials;       // (blocks)
    long long count;
};

constexpr int THREADS = 256;

KERNEL(THREADS, adamw_length, Length) {
    SHARED(double, sums, THREADS);
    const long long step = gridDim.x * (long long)THREADS;
    double sum = 0.0;
    for (long long i = blockIdx.x * (long long)THREADS + threadIdx.x; i < a.count; i += step)
        sum += double(a.gradient[i]) * double(a.gradient[i]);
    sums[threadIdx.x] = sum;
    __syncthreads();  // every thread's sum is there
    for (int half = THREADS / 2; half; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();  // this half is added
    }
    if (threadIdx.x == 0) a.partials[blockIdx.x] = sums[0];
}
