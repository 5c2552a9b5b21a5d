// Gradients at patches to maps of pixels: channels reduced, moments over samples, sums along a path with their completeness.
//
// Gradients come as the first layer's backward writes them, (images, patches, channels·size·size); sums and moments are f32 in the
// same order, so every pass adds to them with whole runs of memory, and only the map at the end goes from patches to pixels.
#include "../../cuda/device.cuh"

struct Saliency {
    const storage* gradients;  // (samples, count)
    const float* weights;      // (samples): of the sum along a path
    float *mean, *squares;     // (count): running mean and sum of squared differences from it
    float* sum;                // (count): running sum along a path
    const float* moved;        // (count): picture minus baseline
    float* partials;           // (blocks): of the completeness
    float* total;              // (1)
    int samples, before;       // samples of this call, and those that the moments hold already
    int count;                 // values of a picture
};

struct SaliencyMap {
    const float* values;       // (images, rows·cols, channels·size·size)
    float* map;                // (images, rows·size, cols·size)
    int images, channels, rows, cols, size;
    int reduction;             // a Reduction
};

enum Reduction { MAX_ABS, LENGTH, SUM };
constexpr int THREADS = 256;

// Welford (1962), sample by sample in their order: no two samples are ever stored side by side. Grid: ceil(count / 256).
KERNEL(THREADS, saliency_moments, Saliency) {
    const int i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    float mean = a.before ? a.mean[i] : 0.0f, squares = a.before ? a.squares[i] : 0.0f;
    for (int sample = 0; sample < a.samples; sample++) {
        const float value = widen(a.gradients[size_t(sample) * a.count + i]), off = value - mean;
        mean += off / (a.before + sample + 1);
        squares = fmaf(off, value - mean, squares);
    }
    a.mean[i] = mean, a.squares[i] = squares;
}

// sum += Σ weight·gradient, in the order of the samples; the first call replaces what was there. Grid: ceil(count / 256).
KERNEL(THREADS, saliency_along, Saliency) {
    const int i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    float sum = a.before ? a.sum[i] : 0.0f;
    for (int sample = 0; sample < a.samples; sample++) sum = fmaf(a.weights[sample], widen(a.gradients[size_t(sample) * a.count + i]), sum);
    a.sum[i] = sum;
}

// The sum of a block's values, in its first thread.
DEVICE float block_sum(float value) {
    SHARED(float, of_warps, THREADS / 32);
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
    __syncthreads();  // every warp's sum is there
    return warp_sum(threadIdx.x % 32 < THREADS / 32 ? of_warps[threadIdx.x % 32] : 0.0f);
}

// sum ← sum·(picture − baseline), and each block's part of its total. Grid: ceil(count / 256).
KERNEL(THREADS, saliency_attribute, Saliency) {
    const int i = blockIdx.x * THREADS + threadIdx.x;
    const float value = i < a.count ? a.sum[i] * a.moved[i] : 0.0f;
    if (i < a.count) a.sum[i] = value;
    const float part = block_sum(value);
    if (threadIdx.x == 0) a.partials[blockIdx.x] = part;
}

// What the attribution sums to, to be held against what the score gained. Grid: 1.
KERNEL(THREADS, saliency_total, Saliency) {
    const int blocks = (a.count + THREADS - 1) / THREADS;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < blocks; i += THREADS) sum += a.partials[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *a.total = sum;
}

// Grid: (ceil(rows·size·cols·size / 256), images).
KERNEL(THREADS, saliency_map, SaliencyMap) {
    const int width = a.cols * a.size, pixels = a.rows * a.size * width, pixel = blockIdx.x * THREADS + threadIdx.x;
    if (pixel >= pixels) return;
    const int x = pixel % width, y = pixel / width, area = a.size * a.size;
    const int patch = y / a.size * a.cols + x / a.size, place = y % a.size * a.size + x % a.size;
    const float* const values = a.values + (size_t(blockIdx.y) * a.rows * a.cols + patch) * a.channels * area + place;
    float result = 0.0f;
    for (int channel = 0; channel < a.channels; channel++) {
        const float value = values[channel * area];
        result = a.reduction == MAX_ABS ? fmaxf(result, fabsf(value)) : a.reduction == LENGTH ? fmaf(value, value, result) : result + value;
    }
    a.map[size_t(blockIdx.y) * pixels + pixel] = a.reduction == LENGTH ? sqrtf(result) : result;
}
