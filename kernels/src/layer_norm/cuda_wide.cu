// Layer normalisation of rows of any width, forward and backward, as cuda.cu has it for rows of up to 1536 values.
//
// A block owns a row and reads it again for mean, variance and result, out of the first cache; sums go over warps in their order.
// Widths are multiples of a pack; gain and bias are f32, aligned to 16 bytes. Grid: rows.
#include "../../cuda/device.cuh"

constexpr int WARPS = 8, THREADS = 32 * WARPS;

struct LayerNormForward {
    const storage* x;         // (rows, width)
    const storage* branch;    // none: rows this wide have no residual sum
    const float *gain, *bias; // (width)
    storage* sum;             // none
    storage* y;               // (rows, width)
    float2* moments;          // none
    int rows, width;
    float eps;
};

struct LayerNormBackward {
    const storage *x, *dy;    // (rows, width)
    const float* gain;        // (width)
    storage* dx;              // (rows, width): what comes back is added
    float2* moments;          // none
    int rows, width;
    float eps;
};

// Two sums over the block, in every thread.
DEVICE float2 block_sums(float first, float second) {
    SHARED(float2, of_warps, WARPS);
    first = warp_sum(first), second = warp_sum(second);
    __syncthreads();  // the sums before are read
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = {first, second};
    __syncthreads();  // every warp's sums are there
    float2 all = {0.0f, 0.0f};
    for (int warp = 0; warp < WARPS; warp++) all.x += of_warps[warp].x, all.y += of_warps[warp].y;
    return all;
}

template <class Work>
DEVICE void for_each_pack(int width, Work work) {
    for (int first = threadIdx.x * PACK; first < width; first += THREADS * PACK) work(first);
}

DEVICE float2 moments_of(const storage* x, int width, float eps) {
    float sum = 0.0f, squares = 0.0f, v[PACK];
    for_each_pack(width, [&](int first) {
        load_pack(x + first, v);
        for (int j = 0; j < PACK; j++) sum += v[j];
    });
    const float mean = block_sums(sum, 0.0f).x / width;
    for_each_pack(width, [&](int first) {
        load_pack(x + first, v);
        for (int j = 0; j < PACK; j++) squares += (v[j] - mean) * (v[j] - mean);
    });
    return {mean, 1.0f / sqrtf(block_sums(squares, 0.0f).x / width + eps)};
}

KERNEL(THREADS, layer_norm_forward_wide, LayerNormForward) {
    const storage* const x = a.x + size_t(blockIdx.x) * a.width;
    const float2 moments = moments_of(x, a.width, a.eps);
    for_each_pack(a.width, [&](int first) {
        float v[PACK], gain[PACK], bias[PACK];
        load_pack(x + first, v);
        load_pack(a.gain + first, gain);
        load_pack(a.bias + first, bias);
        for (int j = 0; j < PACK; j++) v[j] = fmaf((v[j] - moments.x) * moments.y, gain[j], bias[j]);
        store_pack(v, a.y + size_t(blockIdx.x) * a.width + first);
    });
}

// With n = (x − mean)·rstd and g = dy·gain: dx += rstd·(g − mean(g) − n·mean(g·n)).
KERNEL(THREADS, layer_norm_backward_wide, LayerNormBackward) {
    const size_t start = size_t(blockIdx.x) * a.width;
    const float2 moments = moments_of(a.x + start, a.width, a.eps);
    float n[PACK], g[PACK], of_g = 0.0f, of_gn = 0.0f;
    auto load = [&](int first) {
        float gain[PACK];
        load_pack(a.gain + first, gain);
        load_pack(a.x + start + first, n);
        load_pack(a.dy + start + first, g);
        for (int j = 0; j < PACK; j++) n[j] = (n[j] - moments.x) * moments.y, g[j] *= gain[j];
    };
    for_each_pack(a.width, [&](int first) {
        load(first);
        for (int j = 0; j < PACK; j++) of_g += g[j], of_gn += g[j] * n[j];
    });
    const float2 sums = block_sums(of_g, of_gn);
    for_each_pack(a.width, [&](int first) {
        float dx[PACK];
        load(first);
        load_pack(a.dx + start + first, dx);
        for (int j = 0; j < PACK; j++) dx[j] += moments.y * (g[j] - sums.x / a.width - n[j] * (sums.y / a.width));
        store_pack(dx, a.dx + start + first);
    });
}
