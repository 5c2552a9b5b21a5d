// Attention rollout: one row pushed down through the fused maps of all layers, `r ← r·N(w·I + (1 − w)·F)`, in one launch.
//
// A block owns an image. A warp takes rows of the map in turn and keeps one in registers: its sum is known before its share is
// added to the warp's part of the new row, so every map is read once. The warps' parts are then summed in a fixed order.
//   1  a launch for each layer, and another for the sums of rows: maps read twice
//   2  the whole chain in one launch, maps read once, a row in flight for each warp
// Maps of up to 1408 tokens (a grid of 37 by 37). Grid: images; dynamic shared memory: (2 + warps / 2)·tokens·4 bytes.
#include "../../cuda/device.cuh"

struct Rollout {
    const storage* maps;  // (layers, images, tokens, tokens), fused over heads
    float* row;           // (images, tokens): where the head reads; replaced by the row of the product
    int layers, images, tokens;
    float residual;       // w
    int normalise;        // a Normalise
};

enum Normalise { ROWS, COLUMNS_BY_ROW_SUMS, NOTHING };

template <int MOST, int WARPS>
DEVICE void rollout(const Rollout& a) {
    constexpr int CHUNKS = MOST / 32;
    DYNAMIC_SHARED(memory);
    float* const row = (float*)memory;        // the row as it is
    float* const sums = row + a.tokens;       // of the rows of w·I + (1 − w)·F
    float* const parts = sums + a.tokens;     // of half of the warps
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, tokens = a.tokens;
    float* const of_image = a.row + size_t(blockIdx.x) * tokens;
    for (int i = threadIdx.x; i < tokens; i += 32 * WARPS) row[i] = of_image[i];
    __syncthreads();  // the row is there
    for (int layer = a.layers - 1; layer >= 0; layer--) {
        const storage* const map = a.maps + (size_t(layer) * a.images + blockIdx.x) * tokens * tokens;
        float pushed[CHUNKS];
#pragma unroll
        for (int k = 0; k < CHUNKS; k++) pushed[k] = 0.0f;
        for (int i = warp; i < tokens; i += WARPS) {
            float line[CHUNKS], sum = 0.0f;
#pragma unroll
            for (int k = 0; k < CHUNKS; k++) {
                const int j = 32 * k + lane;
                line[k] = j < tokens ? widen(map[size_t(i) * tokens + j]) : 0.0f;
                sum += line[k];
            }
            sum = a.residual + (1.0f - a.residual) * warp_sum(sum);
            if (lane == 0) sums[i] = sum;
            const float weight = a.normalise == ROWS ? row[i] / sum : row[i];
#pragma unroll
            for (int k = 0; k < CHUNKS; k++)
                pushed[k] += weight * ((1.0f - a.residual) * line[k] + (32 * k + lane == i ? a.residual : 0.0f));
        }
        for (int half = WARPS / 2; half; half /= 2) {
            __syncthreads();  // the parts of the round before are read
            if (warp >= half && warp < 2 * half)
#pragma unroll
                for (int k = 0; k < CHUNKS; k++)
                    if (32 * k + lane < tokens) parts[(warp - half) * tokens + 32 * k + lane] = pushed[k];
            __syncthreads();  // the parts of this round are written
            if (warp < half)
#pragma unroll
                for (int k = 0; k < CHUNKS; k++)
                    if (32 * k + lane < tokens) pushed[k] += parts[warp * tokens + 32 * k + lane];
        }
        if (warp == 0)
#pragma unroll
            for (int k = 0; k < CHUNKS; k++) {
                const int j = 32 * k + lane;
                if (j < tokens) row[j] = a.normalise == COLUMNS_BY_ROW_SUMS ? pushed[k] / sums[j] : pushed[k];
            }
        __syncthreads();  // the new row is there
    }
    for (int i = threadIdx.x; i < tokens; i += 32 * WARPS) of_image[i] = row[i];
}

KERNEL(1024, rollout_256, Rollout) { rollout<256, 32>(a); }
KERNEL(1024, rollout_640, Rollout) { rollout<640, 32>(a); }
KERNEL(512, rollout_1408, Rollout) { rollout<1408, 16>(a); }
