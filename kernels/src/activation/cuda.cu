// Bias and activation between the two layers of an MLP, and the gradient through it: bound by memory, 16 bytes at a time.
//
// The erf form of GELU is exact here; the epilogues of libraries have the tanh form.
// Widths are multiples of a pack; a bias is aligned to 16 bytes. Grid: ceil(rows·width / PACK / 256).
#include "../../cuda/activation.cuh"

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

constexpr int THREADS = 256;

KERNEL(THREADS, bias_activation_forward, BiasActivation) {
    const long long first = (blockIdx.x * (long long)THREADS + threadIdx.x) * PACK;
    if (first >= a.count) return;
    float x[PACK], y[PACK], bias[PACK] = {};
    load_pack(a.x + first, x);
    if (a.bias) load_pack(a.bias + first % a.width, bias);
#pragma unroll
    for (int i = 0; i < PACK; i++) x[i] += bias[i];
    if (a.before) store_pack(x, a.before + first);
    for_activation(a.activation, [&](int which) {
#pragma unroll
        for (int i = 0; i < PACK; i++) y[i] = value(which, x[i]);
    });
    store_pack(y, a.y + first);
}

KERNEL(THREADS, activation_backward, ActivationBackward) {
    const long long first = (blockIdx.x * (long long)THREADS + threadIdx.x) * PACK;
    if (first >= a.count) return;
    float x[PACK], dy[PACK];
    load_pack(a.before + first, x);
    load_pack(a.dy + first, dy);
    for_activation(a.activation, [&](int which) {
#pragma unroll
        for (int i = 0; i < PACK; i++) dy[i] *= slope(which, x[i]);
    });
    store_pack(dy, a.dx + first);
}
