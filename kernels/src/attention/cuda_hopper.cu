// Softmax attention forward by warpgroups on sm_90a (wgmma), with the log-sum-exp of every row, for heads of 32, 64, 80 and 128 values:
// what `cuda.cu` has, with the same arguments and results.
//
// A warpgroup owns 64 queries of one head; up to three of them in a block share the tiles of 80 keys and values that stream through two
// stages of shared memory. Scores are a product of two tiles there; probabilities go from the registers of the one product to the next as
// its left factor, and values are read with their depth going from row to row.
//   1  a tile after the other: while a warpgroup softens, the tensor cores serve the others. Tiles of 80 keys make 145, 257 and 577 tokens
//      160, 320 and 640 (64 keys: 192, 320, 640; 128 keys: 256, 384, 640). Three warpgroups read keys and values once for 192 queries:
//      at 145 tokens and heads of 64 that is predicted at 2500 cycles of the second-level cache and 1900 of exponentials for a head,
//      where blocks of 64 queries would take 5600 cycles of the cache. All of this is predicted and not measured.
//   2  a thread's copies add from line to line: 8 instructions a copy of heads of 64 in the place of 40, 2 to 3 of heads of 80 in the
//      place of 43, whose copies met in a bank by fours and now in none (counted, not measured)
// Heads of 80 stand in panels of 32 bytes a row, those of 32 of 64 bytes, so that every tile is whole patterns of the hardware's.
// Grid: (ceil(tokens / (64·GROUPS)), heads, images), 128·GROUPS threads; dynamic shared memory: (64·GROUPS + 4·KEYS)·WIDTH values, and
// 1024 bytes to begin at a multiple of them.
//
// Storage: bf16, f16.
// Target: sm_90a.
#include "../../cuda/hopper.cuh"
#include "../../cuda/softmax.cuh"

struct AttentionForward {
    const storage* qkv;   // (images, tokens, 3·heads·WIDTH) as [q | k | v]
    storage* context;     // (images, tokens, heads·WIDTH)
    float* log_sum_exp;   // (images, tokens, heads), natural logarithm
    int tokens, heads;
    float scale;          // log2(e)/√WIDTH: scores are powers of two
};

constexpr int QUERIES = 64, KEYS = 80, TILES = KEYS / 8, MOST_THREADS = 384;

template <int WIDTH>
struct Block {
    typedef Swizzled<QUERIES, WIDTH> Queries;
    typedef Swizzled<KEYS, WIDTH> Keys;

    const AttentionForward& a;
    storage *const queries, *const stages;  // two of keys and values
    const int first, group;
    const size_t width, step;
    const storage* const of_head;
    const storage* coming;  // keys of the next tile
    Rows<WIDTH> rows;

    DEVICE Block(const AttentionForward& a, storage* memory)
        : a(a), queries(memory), stages(memory + blockDim.x / 128 * Queries::SIZE), first(blockIdx.x * (blockDim.x / 2)),
          group(threadIdx.x / 128), width(size_t(a.heads) * WIDTH), step(3 * width),
          of_head(a.qkv + blockIdx.z * a.tokens * step + blockIdx.y * WIDTH), coming(of_head + width) {
        clear<WIDTH / 8>(rows.context);
    }

    // Starts to copy a tile, and with keys their values behind it; lines that are not there become zero. A thread has one pack of each
    // panel's line and goes down the lines by whole patterns of eight, where packs change places alike: from line to line it only adds.
    // Eight neighbours fill 128 bytes of shared memory, whatever a panel's width, and so meet in no bank.
    template <class Tile, int PARTS>
    DEVICE void copy(storage* to, const storage* from, int there, u32 thread, u32 by) {
        const u32 at_once = by / Tile::PACKS, pack = thread % Tile::PACKS;
        int line = thread / Tile::PACKS;
        to += Tile::place(line, pack), from += line * step + pack * 8;
        for (; line < Tile::PANEL / Tile::ACROSS; line += at_once) {
#pragma unroll
            for (int i = 0; i < PARTS * WIDTH / Tile::ACROSS; i++) {
                const int part = i / (WIDTH / Tile::ACROSS), panel = i % (WIDTH / Tile::ACROSS);
                copy_async(to + i * Tile::PANEL, from + part * width + panel * Tile::ACROSS, line < there);
            }
            to += at_once * Tile::ACROSS, from += at_once * step;
        }
    }

    // Each warpgroup its own.
    DEVICE void fetch_queries() {
        const int row = first + group * QUERIES;
        copy<Queries, 1>(queries + group * Queries::SIZE, of_head + row * step, a.tokens - row, threadIdx.x % 128, 128);
    }

    DEVICE void fetch(int tile) {
        const int there = a.tokens - tile * KEYS;
        if (there > 0) copy<Keys, 2>(stages + tile % 2 * 2 * Keys::SIZE, coming, there, threadIdx.x, blockDim.x);
        coming += KEYS * step;
        commit_copies();
    }

    // scores (64, KEYS) = queries·keysᵀ.
    DEVICE void score(float (*scores)[4], const storage* keys) {
        settle<KEYS / 2>(scores[0]);
        fence_registers();
#pragma unroll
        for (int k = 0; k < WIDTH; k += 16) {
            const u64 left = Queries::lines(queries + group * Queries::SIZE, 0, k);
            Instruction<KEYS, storage, false>::of_shared(scores[0], left, Keys::lines(keys, 0, k), k > 0);
        }
        commit_products();
        wait_for_products<0>();
        settle<KEYS / 2>(scores[0]);
    }

    // context (64, WIDTH) += probabilities·values.
    DEVICE void gather(const float (*probabilities)[4], const storage* values) {
        u32 left[KEYS / 16][4];
#pragma unroll
        for (int i = 0; i < KEYS / 16; i++) as_left(left[i], probabilities, i);
        settle<KEYS / 4>(left[0]);
        settle<WIDTH / 2>(rows.context[0]);
        fence_registers();
#pragma unroll
        for (int i = 0; i < KEYS / 16; i++)
            Instruction<WIDTH, storage, true>::of_registers(rows.context[0], left[i], Keys::turned(values, 16 * i), true);
        commit_products();
        wait_for_products<0>();
        settle<WIDTH / 2>(rows.context[0]);
    }

    DEVICE void run() {
        fetch_queries();
        fetch(0);
        for (int tile = 0; tile * KEYS < a.tokens; tile++) {
            wait_for_copies<0>();
            fence_copies();
            __syncthreads();  // this tile has landed, and all are done with the one before
            fetch(tile + 1);
            const storage* const keys = stages + tile % 2 * 2 * Keys::SIZE;
            float scores[TILES][4];
            score(scores, keys);
            if (a.tokens - tile * KEYS < KEYS) hide_from<TILES>(a.tokens - tile * KEYS, scores);
            rows.template soften<TILES>(scores, a.scale);
            gather(scores, keys + Keys::SIZE);
        }
        wait_for_copies<0>();
        __syncthreads();  // all are done with the last tile: its memory is free
        write();
    }

    DEVICE void write() {
        const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, mine = first + warp * 16, row = mine + lane / 4;
        float log_sum_exp[2];
        rows.finish(log_sum_exp);
        storage* const to = a.context + (size_t(blockIdx.z) * a.tokens + mine) * width + blockIdx.y * WIDTH;
        write_rows<WIDTH>(rows.context, stages + warp * 16 * STRIDE<WIDTH>, to, width, a.tokens - mine);
        for (int half = 0; half < 2; half++)
            if (lane % 4 == 0 && row + 8 * half < a.tokens)
                a.log_sum_exp[(size_t(blockIdx.z) * a.tokens + row + 8 * half) * a.heads + blockIdx.y] = log_sum_exp[half];
    }
};

template <int WIDTH>
DEVICE void forward(const AttentionForward& a) {
    DYNAMIC_SHARED(memory);
    static_assert(MOST_THREADS / 2 * STRIDE<WIDTH> <= 4 * KEYS * WIDTH, "rows leave through the memory of the stages");
    Block<WIDTH> block(a, aligned(memory));
    block.run();
}

KERNEL(MOST_THREADS, attention_hopper_forward_32, AttentionForward) { forward<32>(a); }
KERNEL(MOST_THREADS, attention_hopper_forward_64, AttentionForward) { forward<64>(a); }
KERNEL(MOST_THREADS, attention_hopper_forward_80, AttentionForward) { forward<80>(a); }
KERNEL(MOST_THREADS, attention_hopper_forward_128, AttentionForward) { forward<128>(a); }
