// A bias in the storage of what it is added to: epilogues of libraries take no other (kernels/src/cuda/cublaslt). Reads (columns) as
// f32, writes (columns) in the storage.
//   1  a thread rounds a pack of 16 bytes: bound by its launch, speed not measured
// Columns are multiples of a pack. Grid: ceil(columns / PACK / 256); no shared memory.
#include "../../cuda/device.cuh"

struct RoundedBias {
    const float* from;  // (columns)
    storage* to;        // (columns)
    int columns;
};

constexpr int THREADS = 256;

KERNEL(THREADS, bias_rounded, RoundedBias) {
    const int first = (blockIdx.x * THREADS + threadIdx.x) * PACK;
    if (first >= a.columns) return;
    float values[PACK];
    load_pack(a.from + first, values);
    store_pack(values, a.to + first);
}
