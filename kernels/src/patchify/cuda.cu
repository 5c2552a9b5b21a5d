// Pictures of bytes to rows of normalised patches: what the first product reads, made in place for every pass of a method.
//
// An image of the batch is a picture, moved on the straight path from a baseline (integrated gradients), with noise that depends
// on seed, sample and value only (SmoothGrad: Philox 4x32-10, Salmon et al. 2011; Box and Muller 1958). Noisy or moved pictures
// are never stored. A thread takes four neighbours of the flattened picture (channels, height, width): one block of the generator.
// Grid: (ceil(channels·height·width / 4 / 128), images).
#include "../../cuda/device.cuh"

struct Patchify {
    const u8* pictures;        // (pictures, height, width, channels)
    storage* patches;          // (images, rows·cols, channels·size·size)
    const float* along;        // (images): place on the path, 0 at the baseline, 1 at the picture; or none
    const float* deviations;   // (pictures): of the noise; or none
    float gain[4], offset[4];  // of each channel: value = byte·gain + offset
    float baseline[4];         // of each channel, normalised
    u32 seed[2];
    int first_sample;          // image i is picture i / copies with sample first_sample + i % copies
    int copies, channels, rows, cols, size;
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

// Half a step away from zero, so that the logarithm is finite.
DEVICE float uniform(u32 bits) { return (bits + 0.5f) * 0x1p-32f; }

DEVICE void deviates(const Patchify& a, u32 block, int sample, float* to) {
    u32 bits[4] = {block, 0, u32(sample), 0};
    philox(bits, a.seed[0], a.seed[1]);
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
        const float radius = sqrtf(-2.0f * logf(uniform(bits[i]))), turns = 2.0f * uniform(bits[i + 1]);
        to[i] = radius * cospif(turns);
        to[i + 1] = radius * sinpif(turns);
    }
}

KERNEL(THREADS, patchify, Patchify) {
    const int height = a.rows * a.size, width = a.cols * a.size, count = a.channels * height * width;
    const int block = blockIdx.x * THREADS + threadIdx.x, image = blockIdx.y, picture = image / a.copies;
    if (block * 4 >= count) return;
    float noise[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const float deviation = a.deviations ? a.deviations[picture] : 0.0f, along = a.along ? a.along[image] : 1.0f;
    if (a.deviations) deviates(a, block, a.first_sample + image % a.copies, noise);
    const u8* const from = a.pictures + size_t(picture) * count;
    storage* const to = a.patches + size_t(image) * count;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int index = block * 4 + i, x = index % width, y = index / width % height, channel = index / width / height;
        if (index >= count) return;
        const float value = fmaf(from[(y * width + x) * a.channels + channel], a.gain[channel], a.offset[channel]);
        const float moved = fmaf(along, value - a.baseline[channel], a.baseline[channel]);
        const int patch = y / a.size * a.cols + x / a.size, place = (channel * a.size + y % a.size) * a.size + x % a.size;
        to[size_t(patch) * a.channels * a.size * a.size + place] = stored(fmaf(deviation, noise[i], a.along ? moved : value));
    }
}
