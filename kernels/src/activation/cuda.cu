// Bias and activation between the two layers of an MLP, and the gradient through it: bound by memory, 16 bytes at a time.
//
// The erf form of GELU is exact here; the epilogues of libraries have the tanh form.
// Widths are multiples of a pack. Grid: ceil(rows·width / PACK / 256).
#include "../../cuda/device.cuh"

struct BiasActivation {
    const storage* x;     // (rows, width)
    const float* bias;    // (width); or none
    storage* before;      // (rows, width): x + bias, which the gradient needs; or none
    storage* y;           // (rows, width)
    long long count;      // rows·width
    int width;
    int activation;       // an Activation
};

struct ActivationBackward {
    const storage* before;  // (rows, width)
    const storage* dy;      // (rows, width)
    storage* dx;            // (rows, width); may be dy
    long long count;
    int activation;
};

enum Activation { GELU, GELU_TANH, RELU };
constexpr int THREADS = 256;
constexpr float ROOT_HALF = 0.7071067811865476f, ROOT_2_OVER_PI = 0.7978845608028654f, DENSITY = 0.3989422804014327f, CUBIC = 0.044715f;

// 1 / (1 + e^-x).
DEVICE float logistic(float x) { return 1.0f / (1.0f + expf(-x)); }

DEVICE float value(int activation, float x) {
    if (activation == RELU) return x < 0.0f ? 0.0f : x;  // NaN stays NaN
    if (activation == GELU_TANH) return x * logistic(2.0f * ROOT_2_OVER_PI * fmaf(CUBIC * x * x, x, x));
    return 0.5f * x * (1.0f + erff(x * ROOT_HALF));
}

DEVICE float slope(int activation, float x) {
    if (activation == RELU) return x > 0.0f ? 1.0f : 0.0f;
    if (activation == GELU_TANH) {
        const float s = logistic(2.0f * ROOT_2_OVER_PI * fmaf(CUBIC * x * x, x, x));
        return s + x * s * (1.0f - s) * 2.0f * ROOT_2_OVER_PI * fmaf(3.0f * CUBIC * x, x, 1.0f);
    }
    return fmaf(x * DENSITY, expf(-0.5f * x * x), 0.5f * (1.0f + erff(x * ROOT_HALF)));
}

KERNEL(THREADS, bias_activation_forward, BiasActivation) {
    const long long first = (blockIdx.x * (long long)THREADS + threadIdx.x) * PACK;
    if (first >= a.count) return;
    float x[PACK], y[PACK];
    load_pack(a.x + first, x);
    const int column = first % a.width;
#pragma unroll
    for (int i = 0; i < PACK; i++) x[i] += a.bias ? a.bias[column + i] : 0.0f;
    if (a.before) store_pack(x, a.before + first);
#pragma unroll
    for (int i = 0; i < PACK; i++) y[i] = value(a.activation, x[i]);
    store_pack(y, a.y + first);
}

KERNEL(THREADS, activation_backward, ActivationBackward) {
    const long long first = (blockIdx.x * (long long)THREADS + threadIdx.x) * PACK;
    if (first >= a.count) return;
    float x[PACK], dy[PACK];
    load_pack(a.before + first, x);
    load_pack(a.dy + first, dy);
#pragma unroll
    for (int i = 0; i < PACK; i++) dy[i] *= slope(a.activation, x[i]);
    store_pack(dy, a.dx + first);
}
