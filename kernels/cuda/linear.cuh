// A linear layer's product as kernels take it, how its factors come in, and what becomes of its sums on the way out: bias, activation,
// residual sum, or the way back through an activation. To be included after tensor.cuh or hopper.cuh, which have the copies.
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

// What a thread copies of one factor's tiles, which follow each other along the depth: LINES lines of PACKS packs, which stand in shared
// memory at Tile::place. A line is a row of the factor's matrix; TURNED, one for each value of the depth. All threads copy PASS whole
// lines at a time, so a thread has the same pack of every PASSth line: a copy takes an addition and a comparison, a step little more.
template <class Tile, int LINES, int PACKS, int THREADS, bool TURNED>
struct Copies {
    static constexpr int PASS = THREADS / PACKS, CHUNK = TURNED ? LINES : PACKS * PACK;  // lines, values of the depth
    static_assert(THREADS % PACKS == 0 && LINES % PASS == 0, "passes are whole lines, and a tile is whole passes");
    static_assert(PASS % 8 == 0, "packs that change places within eight lines do so alike in every pass");

    const int line = threadIdx.x / PACKS, pack = threadIdx.x % PACKS;  // of the first pass
    const u32 across;     // values of a line in memory
    const int lines;      // that the factor has from this thread's first one on; TURNED, none or enough
    const storage* from;  // this thread's first pack of the next tile

    // For `length` rows or columns of the result those from `first` on, and values from `k` on of the depth.
    DEVICE Copies(const storage* factor, int length, int first, int depth, int k)
        : across(TURNED ? length : depth), lines(!TURNED ? length - first - line : first + pack * PACK < length ? LINES : 0),
          from(factor + size_t((TURNED ? k : first) + line) * across + (TURNED ? first : k) + pack * PACK) {}

    // Starts to copy the next tile, whose depth ends after `left` values; what is not there becomes zero.
    DEVICE void next(storage* to, int left) {
        const int there = TURNED ? min(lines, left - line) : pack * PACK < left ? lines : 0;
        storage* const at = to + Tile::place(line, pack);
#pragma unroll
        for (int i = 0; i < LINES; i += PASS) copy_async(at + Tile::place(i, 0), from + size_t(i) * across, i < there);
        from += TURNED ? size_t(CHUNK) * across : CHUNK;
    }
};

// A warp's 16 rows of sums in shared memory, between fragments and packs. Two values a lane are written, eight rows at once, and a pack a
// lane is read: with rows eight values farther apart than they are long and groups of four in exchanged places, no bank is met twice.
template <int COLUMNS>
struct Leaving {
    static constexpr int PITCH = COLUMNS + 8, SIZE = 16 * PITCH, AT_ONCE = 32 * PACK / COLUMNS;  // rows that a warp reads
    static_assert(COLUMNS % 32 == 0 && AT_ONCE > 0, "a lane has the same columns of every row that it reads");

    DEVICE static int place(int row, int column) { return row * PITCH + (column ^ (COLUMNS < 64 ? row : column / 32) % 2 * 4); }

    DEVICE static void put(float* memory, const float (*sums)[4]) {
        const int row = threadIdx.x % 32 / 4, column = threadIdx.x % 4 * 2;
        float* const at[] = {memory + place(row, column), memory + place(row, column + 32) - 32};
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++)
#pragma unroll
            for (int i = 0; i < 4; i += 2) *(float2*)(at[j / 4 % 2] + 4 * i * PITCH + 8 * j) = {sums[j][i], sums[j][i + 1]};
    }

    DEVICE static int first_row() { return threadIdx.x % 32 * PACK / COLUMNS; }
    DEVICE static int column() { return threadIdx.x % 32 * PACK % COLUMNS; }
    DEVICE static void take(const float* memory, int row, float* to) {
#pragma unroll
        for (int i = 0; i < PACK; i += 4) {
            const SixteenBytes<float> four = *(const SixteenBytes<float>*)(memory + place(row, column() + i));
            to[i] = four.values[0], to[i + 1] = four.values[1], to[i + 2] = four.values[2], to[i + 3] = four.values[3];
        }
    }
};

enum Then { STORE, ACTIVATE, GATE, GATHER };

// Does `work` for each value of a pack: what is decided before it is decided once, and values overlap.
template <class Work>
DEVICE void each(float* values, Work work) {
#pragma unroll
    for (int i = 0; i < PACK; i++) work(values[i], i);
}

// What is added to PACK columns, which are multiples of a pack: those of f32 arrays lie at multiples of 16 bytes too.
DEVICE void load_bias(const Linear& a, int column, float* bias) {
    if (a.bias && column < a.columns) load_pack(a.bias + column, bias);
}

// What the way out reads of a place: what entered the activation, what is added to, or nothing.
DEVICE const storage* other_of(const Linear& a) { return a.then == GATE ? a.before : a.residual; }
DEVICE void load_other(const Linear& a, size_t at, float* other) {
    if (a.then == GATHER) load_pack(a.wide + at, other);
    else if (other_of(a)) load_pack(other_of(a) + at, other);
}

// What becomes of PACK sums from place `at` on.
DEVICE void finish(const Linear& a, const float* bias, const float* other, float* sums, size_t at) {
    const bool gate = a.then == GATE, gather = a.then == GATHER, activate = a.then == ACTIVATE;
    if (a.bias) each(sums, [&](float& sum, int i) { sum += bias[i]; });
    if (gate) for_activation(a.activation, [&](int which) { each(sums, [&](float& sum, int i) { sum *= slope(which, other[i]); }); });
    else if (gather || a.residual) each(sums, [&](float& sum, int i) { sum += other[i]; });
    if (activate && a.before) store_pack(sums, a.before + at);
    if (activate) for_activation(a.activation, [&](int which) { each(sums, [&](float& sum, int) { sum = value(which, sum); }); });
    if (a.wide) store_pack(sums, a.wide + at);
    else store_pack(sums, a.y + at);
}
