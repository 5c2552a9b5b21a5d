// One AdamW step (Loshchilov and Hutter 2019) on one tensor: 16 bytes read and 12 written for each weight.
//
// Gradient, moments and weights are f32; where weights are also kept in a storage that products read, they are written along.
// Grid: any; some blocks for each multiprocessor.
#include "../../cuda/device.cuh"

struct AdamW {
    const float* gradient;     // (count), to be multiplied by scale
    float *weights, *first, *second;  // (count): weights and moments
    storage* copy;             // (count): the new weights in the storage; or none
    long long count;
    float keep;                // 1 − rate·decay
    float beta1, beta2;
    float pace;                // rate / (1 − β1ᵗ)
    float correction;          // 1 / √(1 − β2ᵗ)
    float eps;
    float scale;
};

// Neighbouring threads take neighbouring weights, so every access of a warp is one run of memory.
KERNEL(256, adamw, AdamW) {
    const long long step = gridDim.x * 256ll;
    for (long long i = blockIdx.x * 256ll + threadIdx.x; i < a.count; i += step) {
        const float g = a.scale * a.gradient[i];
        const float first = fmaf(a.beta1, a.first[i], (1.0f - a.beta1) * g);
        const float second = fmaf(a.beta2, a.second[i], (1.0f - a.beta2) * g * g);
        const float weight = a.keep * a.weights[i] - a.pace * first / (sqrtf(second) * a.correction + a.eps);
        a.first[i] = first, a.second[i] = second, a.weights[i] = weight;
        if (a.copy) a.copy[i] = stored(weight);
    }
}
