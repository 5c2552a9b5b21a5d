// Attention rollout of one row through one layer's fused map, for maps of any size and for few images: `r ← r·N(w·I + (1 − w)·F)`.
//
// cuda.cu takes all layers in one launch and gives an image to one block; here the rows of a map go to many, a launch for the parts
// and one for their sum. A block takes ROWS rows: first their sums, a warp a row, then their share of every column, a thread a column,
// so that the second reading comes out of the caches. Parts are added in their order.
// Grid: (ceil(tokens / ROWS), images), then (ceil(tokens / 256), images).
#include "../../cuda/device.cuh"

struct RolloutRows {
    const storage* map;   // (images, tokens, tokens), fused over heads
    const float* row;     // (images, tokens)
    float* next;          // (images, tokens): the row pushed on
    float* parts;         // (images, blocks, tokens)
    float* sums;          // (images, tokens): of the rows of w·I + (1 − w)·F
    int tokens;
    float residual;       // w
    int normalise;        // a Normalise
};

enum Normalise { ROWS_BY_SUMS, COLUMNS_BY_ROW_SUMS, NOTHING };
constexpr int ROWS = 32, THREADS = 256;

KERNEL(THREADS, rollout_rows_parts, RolloutRows) {
    SHARED(float, weights, ROWS);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first = blockIdx.x * ROWS, tokens = a.tokens;
    const size_t image = blockIdx.y;
    const storage* const map = a.map + (image * tokens + first) * tokens;
    for (int i = warp; i < ROWS; i += THREADS / 32) {
        float sum = 0.0f;
        for (int j = lane; j < tokens && first + i < tokens; j += 32) sum += widen(map[size_t(i) * tokens + j]);
        sum = a.residual + (1.0f - a.residual) * warp_sum(sum);
        const float value = first + i < tokens ? a.row[image * tokens + first + i] : 0.0f;
        if (lane == 0) weights[i] = a.normalise == ROWS_BY_SUMS ? value / sum : value;
        if (lane == 0 && first + i < tokens) a.sums[image * tokens + first + i] = sum;
    }
    __syncthreads();  // the rows' weights are there
    const int count = min(ROWS, tokens - first);
    for (int j = threadIdx.x; j < tokens; j += THREADS) {
        float pushed = 0.0f;
        for (int i = 0; i < count; i++) pushed = fmaf(weights[i], widen(map[size_t(i) * tokens + j]), pushed);
        pushed *= 1.0f - a.residual;
        if (j >= first && j < first + count) pushed = fmaf(a.residual, weights[j - first], pushed);
        a.parts[(image * gridDim.x + blockIdx.x) * tokens + j] = pushed;
    }
}

KERNEL(THREADS, rollout_rows_sum, RolloutRows) {
    const int j = blockIdx.x * THREADS + threadIdx.x, blocks = (a.tokens + ROWS - 1) / ROWS;
    const size_t image = blockIdx.y, at = image * a.tokens + j;
    if (j >= a.tokens) return;
    float sum = 0.0f;
    for (int block = 0; block < blocks; block++) sum += a.parts[(image * blocks + block) * a.tokens + j];
    a.next[at] = a.normalise == COLUMNS_BY_ROW_SUMS ? sum / a.sums[at] : sum;
}

KERNEL(THREADS, rollout_rows_copy, RolloutRows) {
    const int j = blockIdx.x * THREADS + threadIdx.x;
    const size_t at = size_t(blockIdx.y) * a.tokens + j;
    if (j < a.tokens) a.next[at] = a.row[at];
}
