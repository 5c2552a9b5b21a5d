// The functions between the two layers of an MLP, and their derivatives.
#pragma once

#include "device.cuh"

enum Activation { GELU, GELU_TANH, RELU };
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

// Does `work` for an activation that is known when it is compiled: one branch for a whole pack, whose values then overlap.
template <class Work>
DEVICE void for_activation(int activation, Work work) {
    if (activation == RELU) work(RELU);
    else if (activation == GELU_TANH) work(GELU_TANH);
    else work(GELU);
}
