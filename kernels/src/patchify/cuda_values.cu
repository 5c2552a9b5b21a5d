// Prepared pictures of numbers to rows of patches, and gradients at patches back to pixels: a move of each value.
//
// A row of a patch is `pitch` values long, at least channels·size·size, a multiple of a pack; what is beyond them is zero.
// A thread takes a value. Grid: (ceil(rows·cols·pitch / 256), images); of `unpatchify_values`, of the pixels.
#include "../../cuda/device.cuh"

struct PatchValues {
    float* pixels;     // (images, channels, rows·size, cols·size)
    storage* patches;  // (images, rows·cols, pitch)
    int images, channels, rows, cols, size, pitch;
    float scale;       // of pixels that come back
};

constexpr int THREADS = 256;

KERNEL(THREADS, patchify_values, PatchValues) {
    const int at = blockIdx.x * THREADS + threadIdx.x, place = at % a.pitch, patch = at / a.pitch, area = a.size * a.size;
    if (patch >= a.rows * a.cols) return;
    const int channel = place / area, y = patch / a.cols * a.size + place % area / a.size, x = patch % a.cols * a.size + place % a.size;
    const size_t line = (size_t(blockIdx.y) * a.channels + channel) * a.rows * a.size + y;
    const float value = channel < a.channels ? a.pixels[line * a.cols * a.size + x] : 0.0f;
    a.patches[size_t(blockIdx.y) * a.rows * a.cols * a.pitch + at] = stored(value);
}

KERNEL(THREADS, unpatchify_values, PatchValues) {
    const int width = a.cols * a.size, height = a.rows * a.size, at = blockIdx.x * THREADS + threadIdx.x;
    const int x = at % width, y = at / width % height, channel = at / width / height;
    if (channel >= a.channels) return;
    const int patch = y / a.size * a.cols + x / a.size, place = (channel * a.size + y % a.size) * a.size + x % a.size;
    const storage value = a.patches[(size_t(blockIdx.y) * a.rows * a.cols + patch) * a.pitch + place];
    a.pixels[size_t(blockIdx.y) * a.channels * height * width + at] = widen(value) * a.scale;
}
