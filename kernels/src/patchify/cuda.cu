// Pictures of bytes to rows of normalised patches: what the first product reads, of what a decoder and a resize leave.
//
// What a byte stands for in a channel comes as a table that the preprocessor made, so a patch has the very bits that it would have
// of the prepared f32 picture, of which four times as many bytes would have to be uploaded.
// Versions: 1, gain and offset of each channel: rounded otherwise than by the preprocessor. 2, the table, 3 KiB that stay in the
// nearest cache: predicted to cost nothing beside the write; not measured.
// A row of a patch is `pitch` values long, at least channels·size·size, a multiple of a pack; what is beyond them is zero.
// A thread takes a value. Grid: (ceil(rows·cols·pitch / 256), images). No shared memory.
#include "../../cuda/device.cuh"

struct PatchBytes {
    const u8* pictures;   // (images, rows·size, cols·size, channels)
    const float* values;  // (channels, 256)
    storage* patches;     // (images, rows·cols, pitch)
    int channels, rows, cols, size, pitch;
};

constexpr int THREADS = 256;

KERNEL(THREADS, patchify, PatchBytes) {
    const int at = blockIdx.x * THREADS + threadIdx.x, place = at % a.pitch, patch = at / a.pitch, area = a.size * a.size;
    if (patch >= a.rows * a.cols) return;
    const int channel = place / area, y = patch / a.cols * a.size + place % area / a.size, x = patch % a.cols * a.size + place % a.size;
    const size_t pixel = (size_t(blockIdx.y) * a.rows * a.size + y) * a.cols * a.size + x;
    const float value = channel < a.channels ? a.values[channel * 256 + a.pictures[pixel * a.channels + channel]] : 0.0f;
    a.patches[size_t(blockIdx.y) * a.rows * a.cols * a.pitch + at] = stored(value);
}
