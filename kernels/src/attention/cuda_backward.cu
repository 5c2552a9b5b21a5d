// Gradients of attention at Q, K and V, and a row of relevance (Chefer et al. 2021), rollout or LeGrad on the way.
//
// With dA = dO·Vᵀ and dS = A ∘ (dA − dO·O): dV = Aᵀ·dO, dK = dSᵀ·Q/√d, dQ = dS·K/√d, and for a row r
// step_j = E_h Σ_i r_i·f(A_ij, dA_ij), where f is (A·dA)⁺, A or (dA)⁺. A is made again from the log-sum-exp; neither A nor dA is ever stored.
//
// A block keeps ROWS keys (or queries) of one head and the queries (or keys) stream by; a warp keeps 16 rows. Keys and queries
// are two launches of one text: 7 products in the place of 5, but no sum depends on the order of blocks.
//   1  maps of all heads in memory: 4·tokens² values for each head
//   2  tiles in shared memory, A and dS go from registers to the next product
//   3  two stages of asynchronous copies; the row costs some operations a value, and no memory
//   4  what queries bring beside their vectors is read before a tile's products and stored behind them: nobody waits for memory there.
//      Copies as in version 4 of cuda.cu. Not measured
// Grid: (ceil(tokens / ROWS), heads, images), ROWS / 16 warps; `attention_dots` goes before, `attention_row_step` after.
#include "../../cuda/tensor.cuh"

struct AttentionBackward {
    const storage *qkv, *context, *dcontext;  // (images, tokens, 3·width), (images, tokens, width) twice
    const float* log_sum_exp;                 // (images, tokens, heads)
    float* dots;                              // (images, tokens, heads): dO·O
    storage* dqkv;                            // (images, tokens, 3·width)
    const float* row;                         // (images, tokens): as it is above this layer; or none
    float* row_steps;                         // (images, heads, tokens)
    const float* base;                        // (images, tokens): what the step is added to
    float* next_row;                          // (images, tokens): both
    int images, tokens, heads;
    float scale;                              // log2(e)/√WIDTH
    float unscale;                            // of the step, where gradients come scaled
    int rule;                                 // what the row gathers: relevance, attention, positive gradients
};

constexpr bool HALF = sizeof(storage) == 2;
// Tiles fit 64 KiB of shared memory on architectures that have no more.
template <int WIDTH>
constexpr int ROWS = HALF || WIDTH <= 64 ? 64 : BEFORE_AMPERE ? (WIDTH > 80 ? 16 : 32) : WIDTH > 80 ? 32 : 64;
#ifdef TURING
constexpr int COUNT_OF_80 = 32;  // more would spill registers
#else
constexpr int COUNT_OF_80 = 48;
#endif
template <int WIDTH>
constexpr int COUNT = !HALF || WIDTH > 80 ? 16 : WIDTH > 64 ? COUNT_OF_80 : 64;  // of the tiles that stream

// What a query brings beside its vectors, in shared memory.
struct Query { float log_sum_exp, dot, weight; };

template <int WIDTH, bool OF_KEYS>
struct Tiles {
    static constexpr int THREADS = ROWS<WIDTH> * 2, FIXED = ROWS<WIDTH> * STRIDE<WIDTH>, STREAM = COUNT<WIDTH> * STRIDE<WIDTH>;
    const AttentionBackward& a;
    storage* const memory;
    const size_t width = size_t(a.heads) * WIDTH, start = size_t(blockIdx.z) * a.tokens;
    const storage* coming[2] = {source(!OF_KEYS, 0), source(!OF_KEYS, 1)};  // of the next tile that streams

    DEVICE storage* fixed(int part) { return memory + part * FIXED; }
    DEVICE storage* stream(int tile, int part) { return memory + 2 * FIXED + (tile % 2 * 2 + part) * STREAM; }
    DEVICE Query* queries(int tile) { return (Query*)(memory + 2 * FIXED + 4 * STREAM) + tile % 2 * 64; }

    // Q and dO, or K and V, of this image and head; how far their tokens lie apart.
    DEVICE const storage* source(bool keys, int part) const {
        const storage* const qkv = a.qkv + start * 3 * width;
        return (keys ? qkv + (1 + part) * width : part ? a.dcontext + start * width : qkv) + blockIdx.y * WIDTH;
    }
    DEVICE size_t step(bool keys, int part) const { return keys || part == 0 ? 3 * width : width; }

    DEVICE void fetch_fixed(int first) {
#pragma unroll
        for (int part = 0; part < 2; part++) {
            const size_t apart = step(OF_KEYS, part);
            copy_tile<ROWS<WIDTH>, WIDTH, THREADS>(fixed(part), source(OF_KEYS, part) + first * apart, apart, a.tokens - first);
        }
    }

    DEVICE void next(int tile) {
        const int there = a.tokens - tile * COUNT<WIDTH>;
#pragma unroll
        for (int part = 0; part < 2; part++) {
            const size_t apart = step(!OF_KEYS, part);
            if (there > 0) copy_tile<COUNT<WIDTH>, WIDTH, THREADS>(stream(tile, part), coming[part], apart, there);
            coming[part] += COUNT<WIDTH> * apart;
        }
        commit_copies();
    }

    // What the query of this thread brings, of those from `first` on; one that is not there has no share in anything.
    DEVICE Query load_query(int first) const {
        const int query = first + threadIdx.x;
        const bool there = query < a.tokens;
        const size_t token = start + query, at = token * a.heads + blockIdx.y;
        return there ? Query{a.log_sum_exp[at], a.dots[at], a.row ? a.row[token] : 0.0f} : Query{-LOWEST, 0.0f, 0.0f};
    }

    DEVICE void store_query(Query* to, Query query) const {
        query.log_sum_exp *= LOG2_E;
        to[threadIdx.x] = query;
    }
};

DEVICE float gathered(int rule, float a, float da) { return rule == 0 ? fmaxf(a * da, 0.0f) : rule == 1 ? a : fmaxf(da, 0.0f); }

template <int WIDTH, bool OF_KEYS>
DEVICE void backward(const AttentionBackward& a) {
    constexpr int TILES = COUNT<WIDTH> / 8;
    DYNAMIC_SHARED(memory);
    Tiles<WIDTH, OF_KEYS> tiles = {a, (storage*)memory};
    const int first = blockIdx.x * ROWS<WIDTH>, warp = threadIdx.x / 32, lane = threadIdx.x % 32, own = warp * 16 * STRIDE<WIDTH>;
    constexpr int QUERIES = OF_KEYS ? COUNT<WIDTH> : ROWS<WIDTH>;
    const bool brings = threadIdx.x < QUERIES;  // a query to the others
    tiles.fetch_fixed(first);
    tiles.next(0);
    if (brings) tiles.store_query(tiles.queries(0), tiles.load_query(OF_KEYS ? 0 : first));

    float of_values[WIDTH / 8][4], gradient[WIDTH / 8][4], relevance[2] = {0.0f, 0.0f};
    clear<WIDTH / 8>(of_values);
    clear<WIDTH / 8>(gradient);
    auto left = [&](int part) {
        return [=, &tiles](int k, u32* to) { load_left(to, tiles.fixed(part) + own + k * DEPTH, STRIDE<WIDTH>); };
    };
    for (int tile = 0; tile * COUNT<WIDTH> < a.tokens; tile++) {
        tiles.next(tile + 1);
        Query coming;  // read now and stored when this tile is done, so that nobody waits for memory
        if (OF_KEYS && brings) coming = tiles.load_query((tile + 1) * COUNT<WIDTH>);
        wait_for_copies<1>();
        __syncthreads();  // every thread's part of this tile has landed
        float map[TILES][4], slope[TILES][4];
        clear<TILES>(map);
        clear<TILES>(slope);
        times_turned<TILES, WIDTH>(map, left(0), tiles.stream(tile, 0));
        times_turned<TILES, WIDTH>(slope, left(1), tiles.stream(tile, 1));
        hide_from<TILES>(a.tokens - tile * COUNT<WIDTH>, map);
        const Query* const queries = tiles.queries(OF_KEYS ? tile : 0);
#pragma unroll
        for (int i = 0; i < TILES * 4; i++) {
            float &probability = map[i / 4][i % 4], &change = slope[i / 4][i % 4];
            const Query query = queries[OF_KEYS ? i / 4 * 8 + lane % 4 * 2 + i % 2 : warp * 16 + lane / 4 + i % 4 / 2 * 8];
            probability = power_of_two(fmaf(probability, a.scale, -query.log_sum_exp));
            if (OF_KEYS) relevance[i % 4 / 2] += query.weight * gathered(a.rule, probability, change);
            change = probability * (change - query.dot);
        }
        if (OF_KEYS) times<TILES, WIDTH>(of_values, map, tiles.stream(tile, 1));
        times<TILES, WIDTH>(gradient, slope, tiles.stream(tile, 0));
        if (OF_KEYS && brings) tiles.store_query(tiles.queries(tile + 1), coming);
        __syncthreads();  // all have read this stage before it is filled again
    }
    wait_for_copies<0>();
    const size_t width = size_t(a.heads) * WIDTH;
    const int mine = first + warp * 16;
    storage* const to = a.dqkv + (size_t(blockIdx.z) * a.tokens + mine) * 3 * width + blockIdx.y * WIDTH;
#pragma unroll
    for (int i = 0; i < WIDTH / 2; i++) gradient[i / 4][i % 4] *= a.scale * LN_2;
    write_rows<WIDTH>(gradient, tiles.fixed(0) + own, to + (OF_KEYS ? width : 0), 3 * width, a.tokens - mine);
    if (!OF_KEYS) return;
    write_rows<WIDTH>(of_values, tiles.fixed(1) + own, to + 2 * width, 3 * width, a.tokens - mine);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = row_sum(relevance[half]);
        const int key = mine + lane / 4 + 8 * half;
        if (a.row && lane % 4 == 0 && key < a.tokens) a.row_steps[(size_t(blockIdx.z) * a.heads + blockIdx.y) * a.tokens + key] = sum;
    }
}

// dO·O for each token and head, a warp for each. Grid: ceil(images·tokens·heads / 4).
template <int WIDTH>
DEVICE void dots(const AttentionBackward& a) {
    const size_t index = size_t(blockIdx.x) * 4 + threadIdx.x / 32;
    if (index >= size_t(a.images) * a.tokens * a.heads) return;
    float sum = 0.0f;
    for (int i = threadIdx.x % 32; i < WIDTH; i += 32) sum += widen(a.context[index * WIDTH + i]) * widen(a.dcontext[index * WIDTH + i]);
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) a.dots[index] = sum;
}

// The row with the mean of the heads' steps, in the order of the heads. Grid: ceil(images·tokens / 128).
KERNEL(128, attention_row_step, AttentionBackward) {
    const size_t index = size_t(blockIdx.x) * 128 + threadIdx.x, image = index / a.tokens, token = index % a.tokens;
    if (image >= a.images) return;
    float sum = 0.0f;
    for (int head = 0; head < a.heads; head++) sum += a.row_steps[(image * a.heads + head) * a.tokens + token];
    a.next_row[index] = a.base[index] + sum / a.heads * a.unscale;
}

#define OF_WIDTH(width)                                                                                                   \
    KERNEL(128, attention_dots_##width, AttentionBackward) { dots<width>(a); }                                            \
    KERNEL(ROWS<width> * 2, attention_backward_keys_##width, AttentionBackward) { backward<width, true>(a); }             \
    KERNEL(ROWS<width> * 2, attention_backward_queries_##width, AttentionBackward) { backward<width, false>(a); }

OF_WIDTH(32)
OF_WIDTH(64)
OF_WIDTH(80)
OF_WIDTH(128)
