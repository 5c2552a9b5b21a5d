// Softmax attention forward with the log-sum-exp of every row, and on the way the maps of all heads fused into one: mean, largest
// or smallest.
//
// A block owns some queries of an image (64, 32 or 16) and goes through the heads. Two warps share 16 queries: of every tile of keys
// each takes one half, and at the end of a head they put their softmaxes together. A probability goes straight from the softmax into
// the operand of the second product, and stays there, in registers, until the head's log-sum-exp is known: then it is scaled and
// joins the map. Each thread adds to its own places of the map in shared memory, so that this needs no barrier.
//   1  cuda.cu, then cuda_map.cu: the scores and their powers are computed twice, Q and K are read twice
//   2  probabilities are held: neither again; 8 bytes of shared memory move for each probability. Not measured; predicted to cost
//      2 to 3 % of a forward pass at 145 tokens and 5 to 8 % at 577, against 4 and 15 % of version 1
//   3  copies add from row to row, keys and values together: 10 instructions a copy in the place of 28 (counted, not measured)
// It takes up to STAGES·KEYS tokens; which launches are worth it says `plan.rs`. Older architectures have neither the registers nor
// the shared memory.
// From sm_80 on.
// Grid: (ceil(tokens / queries), images), 4 threads a query; dynamic shared memory: (2·queries + 4·KEYS)·STRIDE values,
// 16 bytes a query, and 4 bytes for each of queries·(tokens, up to a multiple of 8).
#include "../../cuda/softmax.cuh"

struct AttentionFused {
    const storage* qkv;   // (images, tokens, 3·heads·WIDTH) as [q | k | v]
    storage* context;     // (images, tokens, heads·WIDTH)
    float* log_sum_exp;   // (images, tokens, heads), natural logarithm
    storage* map;         // (images, tokens, tokens)
    int tokens, heads;
    float scale;          // log2(e)/√WIDTH
    int fusion;           // a Fusion
};

enum Fusion { MEAN, MAX, MIN };
constexpr bool HALF = sizeof(storage) == 2;
constexpr int KEYS = HALF ? 64 : 32, TILES = KEYS / 16, STEPS = KEYS / 2 / DEPTH;  // of a stage; of a warp's half of it
constexpr float NOTHING_YET = -1e20f;  // above what hidden keys have, so that a half without any key has no share

struct alignas(16) Four { float values[4]; };
struct Softmax { float highest, sum; };

template <int WIDTH>
struct Block {
    const AttentionFused& a;
    storage* const memory;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = warp / 2, half = warp % 2;
    const int queries = blockDim.x / 4, first = blockIdx.x * queries, count = (a.tokens + KEYS - 1) / KEYS;
    const size_t width = size_t(a.heads) * WIDTH, start = size_t(blockIdx.y) * a.tokens;

    DEVICE storage* queries_of(int head) const { return memory + head % 2 * queries * STRIDE<WIDTH>; }
    DEVICE storage* keys(int turn) const { return memory + (2 * queries + turn % 2 * 2 * KEYS) * STRIDE<WIDTH>; }
    DEVICE Softmax* softmax(int of_half) const { return (Softmax*)(memory + (2 * queries + 4 * KEYS) * STRIDE<WIDTH>) + of_half * queries; }
    // The places of this thread in a tile of the map: rows g and g + 8, columns 2t and 2t + 1.
    DEVICE Four* map(int tile) const { return (Four*)softmax(2) + (tile * queries / 16 + group) * 32 + lane; }

    // As `copy_tile`, for as many threads as there are; with keys, their values go into the tile behind. Nothing of it is worth a register
    // that stays: those hold probabilities.
    template <int PARTS>
    DEVICE void copy(storage* to, const storage* from, int rows, int there) const {
        constexpr u32 PACKS = WIDTH / PACK;
        const u32 at_once = blockDim.x / PACKS, place = threadIdx.x % PACKS * PACK, apart = 3 * width;
        if (64 % PACKS && threadIdx.x / PACKS >= at_once) return;
#pragma unroll 1
        for (u32 row = threadIdx.x / PACKS; row < rows; row += at_once)
#pragma unroll
            for (int part = 0; part < PARTS; part++)
                copy_async(to + (part * KEYS + row) * STRIDE<WIDTH> + place, from + part * width + (row * apart + place), int(row) < there);
    }

    // Starts to copy keys and values of a stage, and with a head's first ones its queries.
    DEVICE void fetch(int head, int stage) const {
        const int key = stage * KEYS, turn = head * count + stage;
        const storage* const of_head = a.qkv + start * 3 * width + head * WIDTH;
        if (head < a.heads) {
            if (stage == 0) copy<1>(queries_of(head), of_head + first * 3 * width, queries, a.tokens - first);
            copy<2>(keys(turn), of_head + width + key * 3 * width, KEYS, a.tokens - key);
        }
        commit_copies();
    }

    // A map to which nothing was added.
    DEVICE void clear_map() const {
        const float none = a.fusion == MIN ? 2.0f : 0.0f;
#pragma unroll 1
        for (int tile = 0; tile * 8 < a.tokens; tile++)
            if (tile / TILES % 2 == half) *map(tile) = {none, none, none, none};
    }

    // Four probabilities of a tile join the map, brought to the scale of the whole row.
    DEVICE void join(int tile, const float* values, const float* scales) const {
        if (tile * 8 >= a.tokens) return;
        Four so_far = *map(tile);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float value = values[i] * scales[i / 2];
            float& to = so_far.values[i];
            if (a.fusion == MEAN) to += value;
            else to = a.fusion == MAX ? fmaxf(to, value) : fminf(to, value);
        }
        *map(tile) = so_far;
    }

    // The map leaves in rows, so that neighbouring lanes write neighbouring values.
    DEVICE void write_map() const {
        const float share = a.fusion == MEAN ? 1.0f / a.heads : 1.0f;
        const Four* const all = (const Four*)softmax(2);
        for (int row = warp; row < queries && first + row < a.tokens; row += blockDim.x / 32)
#pragma unroll 1
            for (int column = lane; column < a.tokens; column += 32) {
                const Four& four = all[(column / 8 * queries / 16 + row / 16) * 32 + row % 8 * 4 + column % 8 / 2];
                a.map[(start + first + row) * a.tokens + column] = stored(four.values[row % 16 / 8 * 2 + column % 2] * share);
            }
    }
};

// One of the two numbers in a word of a 16-bit operand.
DEVICE float part(u32 word, int i, float) { return 0.0f; }
template <class Half>
DEVICE float part(u32 word, int i, Half) { return widen(Half{(unsigned short)(word >> 16 * i)}); }

// A step of an operand as the tiles of results that it was made of: two, or one in f32.
DEVICE void opened(const u32* held, float (*tiles)[4]) {
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (HALF) tiles[i / 2][i % 2 * 2] = part(held[i], 0, storage()), tiles[i / 2][i % 2 * 2 + 1] = part(held[i], 1, storage());
        else tiles[0][i % 2 * 2 + i / 2] = __uint_as_float(held[i]);
}

template <int WIDTH, bool LONG>
DEVICE void forward(const AttentionFused& a) {
    constexpr int MOST = WIDTH > 80 ? (HALF ? 8 : 5) : WIDTH > 64 && !HALF ? 9 : 10;  // as many as registers can hold
    constexpr int STAGES = LONG ? MOST : WIDTH > 64 ? 5 : 4;
    DYNAMIC_SHARED(memory);
    const Block<WIDTH> block = {a, (storage*)memory};
    const int lane = block.lane, row = block.group * 16 + lane / 4;
    block.clear_map();
    block.fetch(0, 0);
    for (int head = 0; head < a.heads; head++) {
        Rows<WIDTH> rows;
        clear<WIDTH / 8>(rows.context);
        rows.highest[0] = rows.highest[1] = NOTHING_YET;
        u32 held[STAGES][STEPS][4];
        float levels[STAGES][2];  // the highest scores that the probabilities of a stage stand beside
        storage* const queries = block.queries_of(head) + block.group * 16 * STRIDE<WIDTH>;
        auto left = [&](int k, u32* to) { load_left(to, queries + k * DEPTH, STRIDE<WIDTH>); };
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++) {
            if (stage >= block.count) break;
            const bool ends = stage + 1 == block.count;
            block.fetch(ends ? head + 1 : head, ends ? 0 : stage + 1);
            wait_for_copies<1>();
            __syncthreads();  // every thread's part of this stage has landed
            const storage* const keys = block.keys(head * block.count + stage) + block.half * (KEYS / 2) * STRIDE<WIDTH>;
            const int there = a.tokens - stage * KEYS - block.half * (KEYS / 2);
            float scores[TILES][4];
            clear<TILES>(scores);
            times_turned<TILES, WIDTH>(scores, left, keys);
            if (there < KEYS / 2) hide_from<TILES>(there, scores);
            rows.template soften<TILES>(scores, a.scale);
            levels[stage][0] = rows.highest[0], levels[stage][1] = rows.highest[1];
#pragma unroll
            for (int step = 0; step < STEPS; step++) {
                as_left(held[stage][step], scores, step);
                times_step<WIDTH>(rows.context, held[stage][step], keys + (KEYS + step * DEPTH) * STRIDE<WIDTH>);
            }
            __syncthreads();  // all have read this stage before it is filled again
        }

        float log_sum_exp[2], scales[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const float sum = row_sum(rows.sum[i]);
            if (lane % 4 == 0) block.softmax(block.half)[row + 8 * i] = {rows.highest[i], sum};
            scales[i] = sum;
        }
        __syncthreads();  // both halves' softmaxes are there
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const Softmax other = block.softmax(1 - block.half)[row + 8 * i];
            const float most = fmaxf(rows.highest[i], other.highest);
            const float whole = scales[i] * power_of_two(rows.highest[i] - most) + other.sum * power_of_two(other.highest - most);
            log_sum_exp[i] = most + log2f(whole);
            scales[i] = power_of_two(rows.highest[i] - log_sum_exp[i]);
        }
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++) {
            if (stage >= block.count) break;
            float of_stage[2];
            for (int i = 0; i < 2; i++) of_stage[i] = power_of_two(levels[stage][i] - log_sum_exp[i]);
#pragma unroll
            for (int step = 0; step < STEPS; step++) {
                float tiles[TILES / STEPS][4];
                opened(held[stage][step], tiles);
#pragma unroll
                for (int i = 0; i < TILES / STEPS; i++)
                    block.join(stage * (KEYS / 8) + block.half * TILES + step * (TILES / STEPS) + i, tiles[i], of_stage);
            }
        }
        // The stage that was read last is filled again only after the next barrier: the halves' contexts meet there.
        Four* const meeting = (Four*)block.keys(head * block.count + block.count - 1) + block.group * WIDTH / 8 * 32 + lane;
#pragma unroll
        for (int i = 0; i < WIDTH / 2; i++) rows.context[i / 4][i % 4] *= scales[i % 4 / 2];
        if (block.half == 1)
#pragma unroll
            for (int tile = 0; tile < WIDTH / 8; tile++)
#pragma unroll
                for (int i = 0; i < 4; i++) meeting[tile * 32].values[i] = rows.context[tile][i];
        __syncthreads();  // the second halves' contexts are there
        const int mine = block.first + block.group * 16;
        if (block.half == 0) {
#pragma unroll
            for (int tile = 0; tile < WIDTH / 8; tile++)
#pragma unroll
                for (int i = 0; i < 4; i++) rows.context[tile][i] += meeting[tile * 32].values[i];
            storage* const to = a.context + (block.start + mine) * block.width + head * WIDTH;
            write_rows<WIDTH>(rows.context, queries, to, block.width, a.tokens - mine);
            for (int i = 0; i < 2; i++)
                if (lane % 4 == 0 && block.first + row + 8 * i < a.tokens)
                    a.log_sum_exp[(block.start + block.first + row + 8 * i) * a.heads + head] = log_sum_exp[i] * LN_2;
        }
        __syncthreads();  // the contexts were read before their place is filled again
    }
    wait_for_copies<0>();
    block.write_map();
}

#define BOUNDS 256, HALF ? 0 : 1  // threads; in f32 one block a multiprocessor, whose registers it needs
#define OF_WIDTH(width)                                                                     \
    KERNEL(BOUNDS, attention_fused_##width, AttentionFused) { forward<width, false>(a); }          \
    KERNEL(BOUNDS, attention_fused_long_##width, AttentionFused) { forward<width, true>(a); }

OF_WIDTH(32)
OF_WIDTH(64)
OF_WIDTH(80)
OF_WIDTH(128)
