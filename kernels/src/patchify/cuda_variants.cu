// Variants of one prepared picture to rows of patches, made in place for every pass of a method: none of them is ever stored.
//
// A variant is the picture with noise that depends on seed, sample and value only (SmoothGrad: Philox 4x32-10, Salmon et al. 2011;
// Box and Muller 1958), or a point of the straight path from a baseline to it (integrated gradients). What changes from pass to pass
// lies in the device's memory, so that recorded launches serve all passes.
// Versions: 1, logarithm and angle of the whole uniform number: a deviate near zero was off by 10⁻⁴. 2, of its distance from one and
// from the nearest quarter turn, which f32 holds to its last digit; predicted to cost nothing beside the write; not measured.
// A row of a patch is `pitch` values long; what is beyond channels·size·size is zero. A thread takes four neighbours of the flattened
// picture: one block of the generator. Grid: (ceil(channels·height·width / 4 / 128), images). No shared memory.
#include "../../cuda/device.cuh"

struct Noise {
    u32 seed[2];
    u32 first_sample;  // image i is sample first_sample + i
    float deviation;
};

struct PatchVariants {
    const float* picture;   // (channels, rows·size, cols·size)
    const float* baseline;  // the same; or none
    const float* shares;    // (images, 2): of baseline and picture; or none
    const Noise* noise;     // (1); or none
    storage* patches;       // (images, rows·cols, pitch)
    int channels, rows, cols, size, pitch;
};

constexpr int THREADS = 128;

DEVICE void philox(u32* counter, u32 key, u32 second_key) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const u32 low = 0xD2511F53u * counter[0], high = __umulhi(0xD2511F53u, counter[0]);
        const u32 other_low = 0xCD9E8D57u * counter[2], other_high = __umulhi(0xCD9E8D57u, counter[2]);
        counter[0] = other_high ^ counter[1] ^ key, counter[1] = other_low;
        counter[2] = high ^ counter[3] ^ second_key, counter[3] = low;
        key += 0x9E3779B9u, second_key += 0xBB67AE85u;
    }
}

// √(−2·ln u) of u = (bits + ½)/2³²: the logarithm of what is nearer to one is taken of its distance from one.
DEVICE float radius(u32 bits) {
    const float logarithm = bits >> 31 ? log1pf((float(~bits) + 0.5f) * -0x1p-32f) : logf((float(bits) + 0.5f) * 0x1p-32f);
    return sqrtf(-2.0f * logarithm);
}

// Cosine and sine of (bits + ½)/2³² turns: of what is beyond the nearest quarter, turned by as many quarters.
DEVICE void direction(u32 bits, float& cosine, float& sine) {
    const u32 quarters = (bits + (1u << 29)) >> 30;
    const float half_turns = (float(int(bits - (quarters << 30))) + 0.5f) * 0x1p-31f;
    const float c = cospif(half_turns), s = sinpif(half_turns);
    cosine = quarters & 1 ? -s : c, sine = quarters & 1 ? c : s;
    if (quarters & 2) cosine = -cosine, sine = -sine;
}

DEVICE void deviates(const Noise& noise, u32 block, int image, float* to) {
    u32 bits[4] = {block, 0, noise.first_sample + image, 0};
    philox(bits, noise.seed[0], noise.seed[1]);
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
        const float length = radius(bits[i]);
        direction(bits[i + 1], to[i], to[i + 1]);
        to[i] *= length, to[i + 1] *= length;
    }
}

KERNEL(THREADS, patchify_variants, PatchVariants) {
    const int width = a.cols * a.size, area = a.size * a.size, count = a.channels * a.rows * a.size * width, image = blockIdx.y;
    const int block = blockIdx.x * THREADS + threadIdx.x, filling = a.pitch - a.channels * area;
    storage* const to = a.patches + size_t(image) * a.rows * a.cols * a.pitch;
    for (int i = block; i < a.rows * a.cols * filling; i += gridDim.x * THREADS)
        to[size_t(i / filling) * a.pitch + a.channels * area + i % filling] = stored(0.0f);
    if (block * 4 >= count) return;
    float deviates_of[4] = {0.0f, 0.0f, 0.0f, 0.0f}, deviation = 0.0f;
    if (a.noise) deviation = a.noise->deviation, deviates(*a.noise, block, image, deviates_of);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int index = block * 4 + i, x = index % width, line = index / width, y = line % (a.rows * a.size);
        if (index >= count) return;
        float value = a.picture[index];
        if (a.baseline) value = fmaf(a.shares[2 * image], a.baseline[index], a.shares[2 * image + 1] * value);
        const int place = (line / (a.rows * a.size) * a.size + y % a.size) * a.size + x % a.size;
        to[size_t(y / a.size * a.cols + x / a.size) * a.pitch + place] = stored(fmaf(deviation, deviates_of[i], value));
    }
}
