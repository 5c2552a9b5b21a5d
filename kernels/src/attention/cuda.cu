// Softmax attention forward with the log-sum-exp of every row, for heads of 32, 64, 80 and 128 values.
//
// A block owns 64 (or 32) queries of one head, a warp 16 of them; tiles of keys and values stream through shared memory while the tile
// before is multiplied, and the softmax follows them (online: Milakov and Gimelshein 2018; tiled: Dao et al. 2022).
//   1  scores and probabilities in memory: tokens² values written and read for each head
//   2  online softmax: nothing of that size, probabilities go from registers to the second product
//   3  two stages of asynchronous copies: loads hide behind products
//   4  a thread keeps its place in a tile's rows: about 5 instructions a copy in the place of 24 (counted in bf16 for sm_80, not measured)
// Grid: (ceil(tokens / QUERIES), heads, images); dynamic shared memory: (QUERIES + 4·KEYS)·STRIDE values.
#include "../../cuda/softmax.cuh"
#include "../../cuda/attention.cuh"

struct AttentionForward {
    const storage* qkv;   // (images, tokens, 3·heads·WIDTH) as [q | k | v]
    storage* context;     // (images, tokens, heads·WIDTH)
    float* log_sum_exp;   // (images, tokens, heads), natural logarithm
    int tokens, heads;
    float scale;          // log2(e)/√WIDTH: scores are powers of two
};

template <int WIDTH>
DEVICE void forward(const AttentionForward& a) {
    constexpr int COUNT = KEYS<WIDTH>, TILES = COUNT / 8, TILE = COUNT * STRIDE<WIDTH>, OWN = QUERIES<WIDTH>;
    DYNAMIC_SHARED(memory);
    storage* const queries = (storage*)memory;
    storage* const stages = queries + OWN * STRIDE<WIDTH>;  // two of keys and values
    const int first = blockIdx.x * OWN, head = blockIdx.y, image = blockIdx.z, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const size_t width = size_t(a.heads) * WIDTH, step = 3 * width;
    const storage* const of_head = a.qkv + image * a.tokens * step + head * WIDTH;
    const storage* coming = of_head + width;  // keys of the next tile
    auto fetch = [&](int tile) {
        const int there = a.tokens - tile * COUNT;
        storage* const stage = stages + tile % 2 * 2 * TILE;
        if (there > 0) copy_tile<COUNT, WIDTH, THREADS<WIDTH>>(stage, coming, step, there);
        if (there > 0) copy_tile<COUNT, WIDTH, THREADS<WIDTH>>(stage + TILE, coming + width, step, there);
        coming += COUNT * step;
        commit_copies();
    };
    copy_tile<OWN, WIDTH, THREADS<WIDTH>>(queries, of_head + first * step, step, a.tokens - first);
    fetch(0);

    Rows<WIDTH> rows;
    clear<WIDTH / 8>(rows.context);
    u32 left[WIDTH / DEPTH][4];
    for (int tile = 0; tile * COUNT < a.tokens; tile++) {
        fetch(tile + 1);
        wait_for_copies<1>();
        __syncthreads();  // every thread's part of this tile has landed
        const storage *const keys = stages + tile % 2 * 2 * TILE, *const values = keys + TILE;
        if (tile == 0)
#pragma unroll
            for (int k = 0; k < WIDTH / DEPTH; k++) load_left(left[k], queries + warp * 16 * STRIDE<WIDTH> + k * DEPTH, STRIDE<WIDTH>);
        float scores[TILES][4];
        clear<TILES>(scores);
        times_turned<TILES, WIDTH>(scores, [&](int k, u32* to) { for (int i = 0; i < 4; i++) to[i] = left[k][i]; }, keys);
        if (a.tokens - tile * COUNT < COUNT) hide_from<TILES>(a.tokens - tile * COUNT, scores);
        rows.template soften<TILES>(scores, a.scale);
        times<TILES, WIDTH>(rows.context, scores, values);
        __syncthreads();  // all have read this stage before it is filled again
    }
    wait_for_copies<0>();
    float log_sum_exp[2];
    rows.finish(log_sum_exp);
    const int mine = first + warp * 16, row = mine + lane / 4;
    storage* const to = a.context + (size_t(image) * a.tokens + mine) * width + head * WIDTH;
    write_rows<WIDTH>(rows.context, queries + warp * 16 * STRIDE<WIDTH>, to, width, a.tokens - mine);
    for (int half = 0; half < 2; half++)
        if (lane % 4 == 0 && row + 8 * half < a.tokens)
            a.log_sum_exp[(size_t(image) * a.tokens + row + 8 * half) * a.heads + head] = log_sum_exp[half];
}

KERNEL(THREADS<32>, attention_forward_32, AttentionForward) { forward<32>(a); }
KERNEL(THREADS<64>, attention_forward_64, AttentionForward) { forward<64>(a); }
KERNEL(THREADS<80>, attention_forward_80, AttentionForward) { forward<80>(a); }
KERNEL(THREADS<128>, attention_forward_128, AttentionForward) { forward<128>(a); }
