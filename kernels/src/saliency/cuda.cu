// Gradients at patches to maps of pixels: channels reduced, moments over samples, sums along a path with their completeness.
//
// Gradients come as the first layer's backward writes them, (images, patches, pitch), where a patch's values are followed by zeros up
// to a pack; sums and moments are f32 in the same order, so every pass adds to them with whole runs of memory, and only the map at the
// end goes from patches to pixels. What changes from pass to pass (`before`, `weights`, `kept`) lies in the device's memory, so that
// recorded launches serve all passes.
// Versions: 1, a number of the structure for what was gathered before: a recording served one pass. 2, that number in memory.
#include "../../cuda/device.cuh"

struct Saliency {
    const storage* gradients;  // (samples, count)
    const float* weights;      // (samples): of the sum along a path
    const int* before;         // (1): samples that were gathered already
    float *mean, *squares;     // (count): running mean and sum of squared differences from it
    float* sum;                // (count): running sum along a path
    const float* moved;        // (count): picture minus baseline
    float* partials;           // (samples, PARTS)
    float* totals;             // (samples)
    storage* const* kept;      // (1): where gradients (samples, count) are kept
    int samples, count;
    float unscale;             // of gradients
};

struct SaliencyMap {
    const storage* gradients;  // (images, rows·cols, pitch); or none
    const float* values;       // the same as f32: a mean, or an attribution
    const float* squares;      // the same: sums of squared differences from the mean
    const float* times;        // the same: what values are multiplied with; or none
    float* map;                // (images, rows·size, cols·size)
    int channels, rows, cols, size, pitch;
    int statistic, reduction;  // a Statistic, a Reduction
    float unscale;             // of gradients
    float share;               // of squares: one over the number of samples
};

enum Statistic { MEAN, MEAN_SQUARE, VARIANCE };
enum Reduction { MAX_ABS, LENGTH, SUM };
constexpr int THREADS = 256, PARTS = 32;  // PARTS as in cuda.rs

// Welford (1962), sample by sample in their order: no two samples are ever stored side by side. Grid: ceil(count / 256).
KERNEL(THREADS, saliency_moments, Saliency) {
    const int i = blockIdx.x * THREADS + threadIdx.x, before = *a.before;
    if (i >= a.count) return;
    float mean = before ? a.mean[i] : 0.0f, squares = before ? a.squares[i] : 0.0f;
    for (int sample = 0; sample < a.samples; sample++) {
        const float value = widen(a.gradients[size_t(sample) * a.count + i]) * a.unscale, off = value - mean;
        mean += off / (before + sample + 1);
        squares = fmaf(off, value - mean, squares);
    }
    a.mean[i] = mean, a.squares[i] = squares;
}

// sum += Σ weight·gradient, in the order of the samples; the first call replaces what was there. Grid: ceil(count / 256).
KERNEL(THREADS, saliency_along, Saliency) {
    const int i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    float sum = *a.before ? a.sum[i] : 0.0f;
    for (int sample = 0; sample < a.samples; sample++)
        sum = fmaf(a.weights[sample], widen(a.gradients[size_t(sample) * a.count + i]) * a.unscale, sum);
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

// Keeps gradients for weights that are not known yet, with parts of each one's slope along the path, Σ gradient·(picture − baseline).
// Grid: (32, samples).
KERNEL(THREADS, saliency_keep, Saliency) {
    const storage* const from = a.gradients + size_t(blockIdx.y) * a.count;
    storage* const to = *a.kept + size_t(blockIdx.y) * a.count;
    float slope = 0.0f;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.count; i += PARTS * THREADS) {
        const storage value = from[i];
        to[i] = value;
        slope = fmaf(widen(value) * a.unscale, a.moved[i], slope);
    }
    slope = block_sum(slope);
    if (threadIdx.x == 0) a.partials[blockIdx.y * PARTS + blockIdx.x] = slope;
}

// sum ← sum·(picture − baseline), and parts of what that sums to. Grid: 32.
KERNEL(THREADS, saliency_attribute, Saliency) {
    float part = 0.0f;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.count; i += PARTS * THREADS) {
        const float value = a.sum[i] * a.moved[i];
        a.sum[i] = value, part += value;
    }
    part = block_sum(part);
    if (threadIdx.x == 0) a.partials[blockIdx.x] = part;
}

// Slopes, or what the attribution sums to, of their parts. Grid: samples.
KERNEL(PARTS, saliency_totals, Saliency) {
    const float total = warp_sum(a.partials[blockIdx.x * PARTS + threadIdx.x]);
    if (threadIdx.x == 0) a.totals[blockIdx.x] = total;
}

DEVICE float value_of(const SaliencyMap& a, size_t i) {
    float value = a.gradients ? widen(a.gradients[i]) * a.unscale : a.values[i];
    if (a.statistic == MEAN_SQUARE) value = fmaf(value, value, a.squares[i] * a.share);
    if (a.statistic == VARIANCE) value = a.squares[i] * a.share;
    return a.times ? value * a.times[i] : value;
}

// What is no number stays none, whatever the reduction. Grid: (ceil(rows·size·cols·size / 256), images).
KERNEL(THREADS, saliency_map, SaliencyMap) {
    const int width = a.cols * a.size, pixels = a.rows * a.size * width, pixel = blockIdx.x * THREADS + threadIdx.x;
    if (pixel >= pixels) return;
    const int x = pixel % width, y = pixel / width, area = a.size * a.size;
    const int patch = y / a.size * a.cols + x / a.size, place = y % a.size * a.size + x % a.size;
    const size_t first = (size_t(blockIdx.y) * a.rows * a.cols + patch) * a.pitch + place;
    float result = 0.0f;
    for (int channel = 0; channel < a.channels; channel++) {
        const float value = value_of(a, first + channel * area), size = fabsf(value);
        if (a.reduction == MAX_ABS) result = size > result || size != size ? size : result;
        else result = a.reduction == LENGTH ? fmaf(value, value, result) : result + value;
    }
    a.map[size_t(blockIdx.y) * pixels + pixel] = a.reduction == LENGTH ? sqrtf(result) : result;
}
