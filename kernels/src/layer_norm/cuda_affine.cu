// Gradients of gain and bias of a layer normalisation, summed over rows in a fixed order: dgain = Σ dy·n, dbias = Σ dy.
//
// A block takes 32 columns of CHUNK rows, a warp every eighth row, so that warps read runs of memory; chunks are then summed in
// their order. With x and moments left out it sums columns alone, which is the gradient of a linear layer's bias.
// Grid: (ceil(width / 32), ceil(rows / CHUNK)), then ceil(width / 256).
#include "../../cuda/device.cuh"

struct LayerNormAffine {
    const storage* x;          // (rows, width); or none
    const storage* dy;         // (rows, width)
    const float2* moments;     // (rows): mean and reciprocal deviation, as the backward kernel leaves them
    float* partials;           // (chunks, 2, width)
    float *gain, *bias;        // (width): what comes is added; gain or none
    int rows, width;
};

constexpr int WARPS = 8, CHUNK = 128;

KERNEL(32 * WARPS, layer_norm_affine_partials, LayerNormAffine) {
    SHARED(float2, of_warps, 32 * WARPS);
    const int warp = threadIdx.x / 32, column = blockIdx.x * 32 + threadIdx.x % 32, first = blockIdx.y * CHUNK;
    const int end = min(first + CHUNK, a.rows);
    float2 sums = {0.0f, 0.0f};
    for (int row = first + warp; row < end && column < a.width; row += WARPS) {
        const size_t at = size_t(row) * a.width + column;
        const float dy = widen(a.dy[at]);
        if (a.x) sums.x = fmaf(dy, (widen(a.x[at]) - a.moments[row].x) * a.moments[row].y, sums.x);
        sums.y += dy;
    }
    of_warps[threadIdx.x] = sums;
    __syncthreads();  // every warp's sums are there
    if (warp > 0 || column >= a.width) return;
    for (int other = 1; other < WARPS; other++) {
        const float2 more = of_warps[other * 32 + threadIdx.x];
        sums.x += more.x, sums.y += more.y;
    }
    float* const partials = a.partials + size_t(blockIdx.y) * 2 * a.width + column;
    partials[0] = sums.x, partials[a.width] = sums.y;
}

KERNEL(256, layer_norm_affine_sum, LayerNormAffine) {
    const int column = blockIdx.x * 256 + threadIdx.x, chunks = (a.rows + CHUNK - 1) / CHUNK;
    if (column >= a.width) return;
    float gain = 0.0f, bias = 0.0f;
    for (int chunk = 0; chunk < chunks; chunk++) {
        const float* const partials = a.partials + size_t(chunk) * 2 * a.width + column;
        gain += partials[0], bias += partials[a.width];
    }
    if (a.gain) a.gain[column] += gain;
    a.bias[column] += bias;
}
