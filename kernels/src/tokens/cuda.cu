// Rows of tokens put together, cut and pooled: each value is moved once, 16 bytes at a time.
//
// Widths are multiples of a pack. A thread takes a pack of the result. Grid: ceil(values / PACK / 256), of `tokens_pool`
// ceil(images·parts·width / 256).
#include "../../cuda/device.cuh"

struct Join {
    const storage* patches;    // (images, tokens − special, width)
    const float* special_rows; // (special, width), positions added
    const float* positions;    // (tokens − special, width)
    storage* tokens;           // (images, tokens, width)
    int images, count, special, width;  // tokens of an image, and those before its patches
};

struct Cut {
    const storage* from;       // (images, from_tokens, width)
    storage* to;               // (images, to_tokens, width): from[first + t], zero beyond the end
    int images, from_tokens, to_tokens, first, width;
};

struct Pool {
    storage* tokens;           // (images, count, width); or their gradient
    float* pooled;             // (images, parts, width); or its gradient
    int images, count, width, parts;
    int first[2], length[2];   // of each part: the mean of `length` tokens
    float scale;               // of gradients at tokens
};

constexpr int THREADS = 256;

KERNEL(THREADS, tokens_join, Join) {
    const size_t at = (size_t(blockIdx.x) * THREADS + threadIdx.x) * PACK;
    if (at >= size_t(a.images) * a.count * a.width) return;
    const size_t row = at / a.width, image = row / a.count;
    const int column = at % a.width, token = row % a.count, patch = token - a.special;
    float values[PACK];
    if (patch >= 0) load_pack(a.patches + (image * (a.count - a.special) + patch) * a.width + column, values);
    const float* const added = patch < 0 ? a.special_rows + size_t(token) * a.width : a.positions + size_t(patch) * a.width;
#pragma unroll
    for (int i = 0; i < PACK; i++) values[i] = (patch < 0 ? 0.0f : values[i]) + added[column + i];
    store_pack(values, a.tokens + at);
}

KERNEL(THREADS, tokens_cut, Cut) {
    const size_t at = (size_t(blockIdx.x) * THREADS + threadIdx.x) * PACK;
    if (at >= size_t(a.images) * a.to_tokens * a.width) return;
    const size_t row = at / a.width, image = row / a.to_tokens;
    const int token = row % a.to_tokens + a.first;
    Pack pack = {};
    if (token < a.from_tokens) pack = *(const Pack*)(a.from + (image * a.from_tokens + token) * a.width + at % a.width);
    *(Pack*)(a.to + at) = pack;
}

// In the order of the tokens.
KERNEL(THREADS, tokens_pool, Pool) {
    const size_t at = size_t(blockIdx.x) * THREADS + threadIdx.x;
    if (at >= size_t(a.images) * a.parts * a.width) return;
    const int column = at % a.width, part = at / a.width % a.parts, length = a.length[part];
    const storage* const from = a.tokens + (at / a.width / a.parts * a.count + a.first[part]) * a.width + column;
    float sum = 0.0f;
    for (int token = 0; token < length; token++) sum += widen(from[size_t(token) * a.width]);
    a.pooled[at] = sum / length;
}

KERNEL(THREADS, tokens_pool_backward, Pool) {
    const size_t at = (size_t(blockIdx.x) * THREADS + threadIdx.x) * PACK;
    if (at >= size_t(a.images) * a.count * a.width) return;
    const size_t row = at / a.width, image = row / a.count;
    const int column = at % a.width, token = row % a.count;
    float values[PACK];
#pragma unroll
    for (int i = 0; i < PACK; i++) values[i] = 0.0f;
    for (int part = 0; part < a.parts; part++) {
        if (token < a.first[part] || token >= a.first[part] + a.length[part]) continue;
        const float* const from = a.pooled + (image * a.parts + part) * a.width + column;
#pragma unroll
        for (int i = 0; i < PACK; i++) values[i] = fmaf(from[i], a.scale / a.length[part], values[i]);
    }
    store_pack(values, a.tokens + at);
}
