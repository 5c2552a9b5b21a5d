// The maps of all heads fused into one, (images, tokens, tokens), out of Q, K and the log-sum-exp: mean, largest or smallest.
//
//   1  maps of all heads in memory, then a reduction: 2·heads·tokens² values moved
//   2  a block owns 64 queries by KEYS keys of the fused map and goes through the heads: nothing of a single head is stored,
//      and the next head's tiles arrive while this one's are multiplied
//   3  copies as in version 4 of cuda.cu
//   4  where blocks fill the device: cuda_fused.cu, which makes the map on the way
// Grid: (ceil(tokens / QUERIES), ceil(tokens / KEYS), images); dynamic shared memory: 2·(QUERIES + KEYS)·STRIDE values.
#include "../../cuda/tensor.cuh"
#include "../../cuda/attention.cuh"

struct AttentionMap {
    const storage* qkv;         // (images, tokens, 3·heads·WIDTH)
    const float* log_sum_exp;   // (images, tokens, heads)
    storage* map;               // (images, tokens, tokens)
    int tokens, heads;
    float scale;                // log2(e)/√WIDTH
    int fusion;                 // a Fusion
};

enum Fusion { MEAN, MAX, MIN };

template <int WIDTH>
DEVICE void fused_map(const AttentionMap& a) {
    constexpr int COUNT = KEYS<WIDTH>, TILES = COUNT / 8, OWN = QUERIES<WIDTH>, STAGE = (OWN + COUNT) * STRIDE<WIDTH>;
    DYNAMIC_SHARED(memory);
    storage* const stages = (storage*)memory;  // two of queries and keys
    const int first = blockIdx.x * OWN, key = blockIdx.y * COUNT, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const size_t width = size_t(a.heads) * WIDTH, step = 3 * width, start = size_t(blockIdx.z) * a.tokens;
    const storage *queries_of_head = a.qkv + (start + first) * step, *keys_of_head = a.qkv + (start + key) * step + width;
    auto fetch = [&](int head) {
        storage* const stage = stages + head % 2 * STAGE;
        if (head < a.heads) {
            copy_tile<OWN, WIDTH, THREADS<WIDTH>>(stage, queries_of_head, step, a.tokens - first);
            copy_tile<COUNT, WIDTH, THREADS<WIDTH>>(stage + OWN * STRIDE<WIDTH>, keys_of_head, step, a.tokens - key);
        }
        queries_of_head += WIDTH, keys_of_head += WIDTH;
        commit_copies();
    };
    fetch(0);
    const int row = first + warp * 16 + lane / 4;
    float map[TILES][4];
#pragma unroll
    for (int i = 0; i < TILES * 4; i++) map[i / 4][i % 4] = a.fusion == MIN ? 2.0f : 0.0f;
    for (int head = 0; head < a.heads; head++) {
        fetch(head + 1);
        wait_for_copies<1>();
        __syncthreads();  // every thread's part of this head has landed
        const storage* const queries = stages + head % 2 * STAGE;
        float log_sum_exp[2], scores[TILES][4];
#pragma unroll
        for (int half = 0; half < 2; half++)
            log_sum_exp[half] = row + 8 * half < a.tokens ? a.log_sum_exp[(start + row + 8 * half) * a.heads + head] * LOG2_E : -LOWEST;
        clear<TILES>(scores);
        auto left = [&](int k, u32* to) { load_left(to, queries + warp * 16 * STRIDE<WIDTH> + k * DEPTH, STRIDE<WIDTH>); };
        times_turned<TILES, WIDTH>(scores, left, queries + OWN * STRIDE<WIDTH>);
#pragma unroll
        for (int i = 0; i < TILES * 4; i++) {
            const float value = power_of_two(fmaf(scores[i / 4][i % 4], a.scale, -log_sum_exp[i % 4 / 2]));
            float& so_far = map[i / 4][i % 4];
            so_far = a.fusion == MEAN ? so_far + value : a.fusion == MAX ? fmaxf(so_far, value) : fminf(so_far, value);
        }
        __syncthreads();  // all have read this stage before it is filled again
    }
    wait_for_copies<0>();
    const float share = a.fusion == MEAN ? 1.0f / a.heads : 1.0f;
#pragma unroll
    for (int i = 0; i < TILES * 4; i++) {
        const int query = row + i % 4 / 2 * 8, column = key + i / 4 * 8 + lane % 4 * 2 + i % 2;
        if (query < a.tokens && column < a.tokens) a.map[(start + query) * a.tokens + column] = stored(map[i / 4][i % 4] * share);
    }
}

#define BOUNDS THREADS<64>, sizeof(storage) == 2 ? 0 : 4  // in f32 four blocks a multiprocessor, or registers are spared and spilled
KERNEL(THREADS<32>, attention_map_32, AttentionMap) { fused_map<32>(a); }
KERNEL(BOUNDS, attention_map_64, AttentionMap) { fused_map<64>(a); }
KERNEL(THREADS<80>, attention_map_80, AttentionMap) { fused_map<80>(a); }
KERNEL(THREADS<128>, attention_map_128, AttentionMap) { fused_map<128>(a); }
