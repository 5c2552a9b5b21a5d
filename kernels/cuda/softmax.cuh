// The softmax that follows tiles of scores (online: Milakov and Gimelshein 2018; tiled: Dao et al. 2022).
#pragma once

#include "tensor.cuh"

// What a warp keeps of its 16 queries: rows g and g + 8 of a lane.
template <int WIDTH>
struct Rows {
    float context[WIDTH / 8][4];
    float highest[2] = {LOWEST, LOWEST};
    float sum[2] = {0.0f, 0.0f};  // of this lane's columns

    // Scores become probabilities beside the highest score so far; what was gathered before is brought to the same scale.
    template <int TILES>
    DEVICE void soften(float (*scores)[4], float scale) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float most = LOWEST;
#pragma unroll
            for (int tile = 0; tile < TILES; tile++) most = fmaxf(most, fmaxf(scores[tile][2 * half], scores[tile][2 * half + 1]));
            most = fmaxf(highest[half], row_max(most) * scale);
            const float shrink = power_of_two(highest[half] - most);
            highest[half] = most;
            sum[half] *= shrink;
#pragma unroll
            for (int tile = 0; tile < WIDTH / 8; tile++) context[tile][2 * half] *= shrink, context[tile][2 * half + 1] *= shrink;
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    scores[tile][i] = power_of_two(fmaf(scores[tile][i], scale, -most));
                    sum[half] += scores[tile][i];
                }
        }
    }

    // Divides by the sums; returns the log-sum-exp of the row that this lane writes, if it writes one.
    DEVICE void finish(float* log_sum_exp) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float whole = row_sum(sum[half]), share = 1.0f / whole;
            log_sum_exp[half] = (highest[half] + log2f(whole)) * LN_2;
#pragma unroll
            for (int tile = 0; tile < WIDTH / 8; tile++) context[tile][2 * half] *= share, context[tile][2 * half + 1] *= share;
        }
    }
};
