// Batch normalisation of the columns of a batch with its own statistics, ReLU behind it where asked, and the gradients.
//
// A block owns 32 columns, a warp every eighth row, so that warps read runs of memory; sums of warps are added in their order. Forward
// reads x three times (mean, squares around the mean, result), backward x, y and dy twice: rows are pictures, so the first read leaves
// them in the first cache. One version: bound by launching, not by memory. Speed is not measured.
//   forward   reads x, gain, bias; writes y, moments, and adds its share of mean and unbiased variance to what running ones follow
//   backward  reads x, y, dy, moments, gain; writes dx, and adds the gradients of gain and bias
// Storage: f32.
// Two rows or more. Grid: ceil(width / 32). Shared memory: 2 KiB.
#include "../../cuda/device.cuh"

struct BatchNorm {
    const float* x;            // (rows, width)
    const float *gain, *bias;  // (width)
    float* y;                  // (rows, width); read on the way back where there is a ReLU
    float2* moments;           // (width): mean and reciprocal deviation, written forward and read backward
    float *mean, *variance;    // (width): added, of the batch times share; forward
    const float* dy;           // (rows, width); backward
    float* dx;                 // (rows, width); may be dy
    float *dgain, *dbias;      // (width): added; backward
    int rows, width;
    int relu;                  // 1 where y = max(y, 0)
    float eps, share;
};

constexpr int WARPS = 8;

// The sums of all warps in every thread: each column's, in the order of the warps.
DEVICE float2 over_warps(float2* of_warps, float2 sums) {
    __syncthreads();  // the sums before are read
    of_warps[threadIdx.x] = sums;
    __syncthreads();  // every warp's sums are there
    float2 total = of_warps[threadIdx.x % 32];
    for (int warp = 1; warp < WARPS; warp++) {
        const float2 more = of_warps[warp * 32 + threadIdx.x % 32];
        total.x += more.x, total.y += more.y;
    }
    return total;
}

// Calls `work` with the place of each value that is this thread's.
template <class Work>
DEVICE void for_each_row(const BatchNorm& a, int column, Work work) {
    for (int row = threadIdx.x / 32; row < a.rows && column < a.width; row += WARPS) work(size_t(row) * a.width + column);
}

KERNEL(32 * WARPS, batch_norm_forward, BatchNorm) {
    SHARED(float2, of_warps, 32 * WARPS);
    const int column = blockIdx.x * 32 + threadIdx.x % 32;
    float2 sum = {0.0f, 0.0f}, around = {0.0f, 0.0f};
    for_each_row(a, column, [&](size_t at) { sum.x += a.x[at]; });
    const float mean = over_warps(of_warps, sum).x / a.rows;
    for_each_row(a, column, [&](size_t at) { around.x = fmaf(a.x[at] - mean, a.x[at] - mean, around.x); });
    const float squares = over_warps(of_warps, around).x, rstd = 1.0f / sqrtf(squares / a.rows + a.eps);
    for_each_row(a, column, [&](size_t at) {
        const float y = fmaf((a.x[at] - mean) * rstd, a.gain[column], a.bias[column]);
        // What is not a number stays one.
        a.y[at] = a.relu && y < 0.0f ? 0.0f : y;
    });
    if (threadIdx.x / 32 > 0 || column >= a.width) return;
    a.moments[column] = {mean, rstd};
    // A product that is rounded before it is added: so it is the same number where it is added elsewhere.
    a.mean[column] += fmaf(a.share, mean, 0.0f);
    a.variance[column] += fmaf(a.share, squares / (a.rows - 1), 0.0f);
}

// With n = (x − mean)·rstd: dx = gain·rstd·(dy − mean(dy) − n·mean(dy·n)).
KERNEL(32 * WARPS, batch_norm_backward, BatchNorm) {
    SHARED(float2, of_warps, 32 * WARPS);
    const int column = blockIdx.x * 32 + threadIdx.x % 32;
    const float2 moments = column < a.width ? a.moments[column] : float2{0.0f, 0.0f};
    const auto through = [&](size_t at) { return a.relu && a.y[at] <= 0.0f ? 0.0f : a.dy[at]; };
    float2 sums = {0.0f, 0.0f};
    for_each_row(a, column, [&](size_t at) {
        const float dy = through(at);
        sums.x = fmaf(dy, (a.x[at] - moments.x) * moments.y, sums.x), sums.y += dy;
    });
    const float2 total = over_warps(of_warps, sums);
    for_each_row(a, column, [&](size_t at) {
        const float n = (a.x[at] - moments.x) * moments.y;
        a.dx[at] = a.gain[column] * moments.y * (through(at) - total.y / a.rows - n * (total.x / a.rows));
    });
    if (threadIdx.x / 32 > 0 || column >= a.width) return;
    a.dgain[column] += total.x, a.dbias[column] += total.y;
}
