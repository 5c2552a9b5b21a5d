// Layer normalisation of rows of up to 1536 values, forward (with the residual sum before it) and backward.
//
// A warp owns a row and keeps it in registers, so each value is read once and the variance is taken around the mean.
//   1  a lane for each value: 4-byte or 2-byte loads
//   2  packs of 16 bytes, a warp a row, no barrier: bound by memory alone
//   3  gain and bias 16 bytes at a time too: a quarter of the loads that they took
// Widths are multiples of a pack (4 values of f32, 8 of bf16). Gain and bias are f32, aligned to 16 bytes. Grid: ceil(rows / WARPS).
#include "../../cuda/device.cuh"

constexpr int WARPS = 4;

struct LayerNormForward {
    const storage* x;         // (rows, width)
    const storage* branch;    // (rows, width), added to x; or none
    const float *gain, *bias; // (width)
    storage* sum;             // (rows, width): x + branch; or none
    storage* y;               // (rows, width)
    float2* moments;          // (rows): mean and reciprocal deviation; or none
    int rows, width;
    float eps;
};

struct LayerNormBackward {
    const storage *x, *dy;    // (rows, width)
    const float* gain;        // (width)
    storage* dx;              // (rows, width): what comes back is added
    float2* moments;          // (rows): mean and reciprocal deviation; or none
    int rows, width;
    float eps;
};

// A lane's share of a row: pack i begins at value (32·i + lane)·PACK.
template <int PACKS>
struct Row {
    float values[PACKS][PACK];

    template <class Work>
    DEVICE void for_each_pack(int width, Work work) {
#pragma unroll
        for (int i = 0; i < PACKS; i++) {
            const int first = (32 * i + int(threadIdx.x % 32)) * PACK;
            if (first < width) work(i, first, values[i]);
        }
    }

    DEVICE float2 moments(int width, float eps) {
        float sum = 0.0f, squares = 0.0f;
        for_each_pack(width, [&](int, int, float* v) {
#pragma unroll
            for (int j = 0; j < PACK; j++) sum += v[j];
        });
        const float mean = warp_sum(sum) / width;
        for_each_pack(width, [&](int, int, float* v) {
#pragma unroll
            for (int j = 0; j < PACK; j++) squares += (v[j] - mean) * (v[j] - mean);
        });
        return {mean, 1.0f / sqrtf(warp_sum(squares) / width + eps)};
    }
};

template <int PACKS>
DEVICE void forward(const LayerNormForward& a) {
    const int index = blockIdx.x * WARPS + threadIdx.x / 32;
    if (index >= a.rows) return;
    const size_t start = size_t(index) * a.width;
    Row<PACKS> row;
    row.for_each_pack(a.width, [&](int, int first, float* v) {
        load_pack(a.x + start + first, v);
        if (!a.branch) return;
        float branch[PACK];
        load_pack(a.branch + start + first, branch);
#pragma unroll
        for (int j = 0; j < PACK; j++) v[j] += branch[j];
        if (a.sum) store_pack(v, a.sum + start + first);
    });
    const float2 moments = row.moments(a.width, a.eps);
    row.for_each_pack(a.width, [&](int, int first, float* v) {
        float gain[PACK], bias[PACK];
        load_pack(a.gain + first, gain);
        load_pack(a.bias + first, bias);
#pragma unroll
        for (int j = 0; j < PACK; j++) v[j] = fmaf((v[j] - moments.x) * moments.y, gain[j], bias[j]);
        store_pack(v, a.y + start + first);
    });
    if (a.moments && threadIdx.x % 32 == 0) a.moments[index] = moments;
}

// With n = (x − mean)·rstd and g = dy·gain: dx += rstd·(g − mean(g) − n·mean(g·n)).
template <int PACKS>
DEVICE void backward(const LayerNormBackward& a) {
    const int index = blockIdx.x * WARPS + threadIdx.x / 32;
    if (index >= a.rows) return;
    const size_t start = size_t(index) * a.width;
    Row<PACKS> x, g;
    x.for_each_pack(a.width, [&](int, int first, float* v) { load_pack(a.x + start + first, v); });
    const float2 moments = x.moments(a.width, a.eps);
    if (a.moments && threadIdx.x % 32 == 0) a.moments[index] = moments;
    float of_g = 0.0f, of_gn = 0.0f;
    g.for_each_pack(a.width, [&](int i, int first, float* v) {
        float gain[PACK], *n = x.values[i];
        load_pack(a.dy + start + first, v);
        load_pack(a.gain + first, gain);
#pragma unroll
        for (int j = 0; j < PACK; j++) {
            v[j] *= gain[j];
            n[j] = (n[j] - moments.x) * moments.y;
            of_g += v[j];
            of_gn += v[j] * n[j];
        }
    });
    const float mean_g = warp_sum(of_g) / a.width, mean_gn = warp_sum(of_gn) / a.width;
    g.for_each_pack(a.width, [&](int i, int first, float* v) {
        const float* n = x.values[i];
        float dx[PACK];
        load_pack(a.dx + start + first, dx);
#pragma unroll
        for (int j = 0; j < PACK; j++) dx[j] += moments.y * (v[j] - mean_g - n[j] * mean_gn);
        store_pack(dx, a.dx + start + first);
    });
}

#define OF_WIDTH(most)                                                                                  \
    KERNEL(32 * WARPS, layer_norm_forward_##most, LayerNormForward) { forward<most / (32 * PACK)>(a); } \
    KERNEL(32 * WARPS, layer_norm_backward_##most, LayerNormBackward) { backward<most / (32 * PACK)>(a); }

OF_WIDTH(512)
OF_WIDTH(1024)
OF_WIDTH(1536)
