// A linear layer's product as kernels take it, and what becomes of its sums on the way out: bias, activation, residual sum, or the way
// back through an activation.
#pragma once

#include "activation.cuh"

struct Linear {
    const storage *left, *right;  // (rows, depth) and (columns, depth); turned, (depth, rows) and (depth, columns)
    storage* y;                   // (rows, columns)
    float* wide;                  // the same as f32, in place of y; or none
    const float* bias;            // (columns); or none
    const storage* residual;      // (rows, columns), to be added, may be y; or none
    storage* before;              // (rows, columns): what enters the activation, written or (GATE) read; or none
    float* partials;              // (splits, rows, columns)
    int rows, columns, depth;
    int splits;
    int then;                     // a Then
    int activation;               // an Activation
};

enum Then { STORE, ACTIVATE, GATE, GATHER };

// What becomes of PACK sums from place `at` on.
DEVICE void finish(const Linear& a, float* sums, size_t at, int column) {
    float other[PACK];
    if (a.then == GATE) load_pack(a.before + at, other);
    else if (a.residual) load_pack(a.residual + at, other);
#pragma unroll
    for (int i = 0; i < PACK; i++) {
        if (a.bias) sums[i] += a.bias[column + i];
        if (a.then == GATE) sums[i] *= slope(a.activation, other[i]);
        else if (a.residual) sums[i] += other[i];
    }
    if (a.then == ACTIVATE && a.before) store_pack(sums, a.before + at);
#pragma unroll
    for (int i = 0; i < PACK; i++) {
        if (a.then == ACTIVATE) sums[i] = value(a.activation, sums[i]);
        if (a.wide) a.wide[at + i] = a.then == GATHER ? a.wide[at + i] + sums[i] : sums[i];
    }
    if (!a.wide) store_pack(sums, a.y + at);
}
