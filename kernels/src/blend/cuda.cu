// A small map over a picture: sampled between its values, scaled, coloured by a table, laid over the photograph. One launch.
//
// Storage: f32.
// A thread takes a pixel; map and table stay in the first cache. The ends of the colours, or none to find them here as the map's
// least and largest value, are the same for the whole picture: each block finds them again, which costs less than a launch.
// Grid: ceil(height·width / 256).
#include "../../cuda/device.cuh"

struct Blend {
    const float* map;        // (rows, cols)
    const u8* picture;       // (height, width, 3)
    const u8* colours;       // (256, 3)
    u8* out;                 // (height, width, 4)
    int rows, cols, height, width;
    float low, high;         // ends of the colours; low > high asks for the map's own
    float opacity;           // at the strongest value
    int strength;            // a Strength: what makes a value's colour opaque
};

enum Strength { EVEN, VALUE, FROM_MIDDLE };

constexpr int THREADS = 256;
struct Ends { float low, high; };

DEVICE Ends ends_of_map(const Blend& a) {
    SHARED(float, lowest, THREADS / 32);
    SHARED(float, highest, THREADS / 32);
    float low = -LOWEST, high = LOWEST;
    for (int i = threadIdx.x; i < a.rows * a.cols; i += THREADS) low = fminf(low, a.map[i]), high = fmaxf(high, a.map[i]);
    low = -warp_max(-low), high = warp_max(high);
    if (threadIdx.x % 32 == 0) lowest[threadIdx.x / 32] = low, highest[threadIdx.x / 32] = high;
    __syncthreads();  // every warp's ends are there
    const int other = threadIdx.x % (THREADS / 32);
    return {-warp_max(-lowest[other]), warp_max(highest[other])};
}

// Bilinear with half-pixel centres; edges are repeated.
DEVICE float sample(const Blend& a, int y, int x) {
    const float down = fminf(fmaxf((y + 0.5f) / a.height * a.rows - 0.5f, 0.0f), a.rows - 1.0f);
    const float across = fminf(fmaxf((x + 0.5f) / a.width * a.cols - 0.5f, 0.0f), a.cols - 1.0f);
    const int above = int(down), left = int(across), below = min(above + 1, a.rows - 1), right = min(left + 1, a.cols - 1);
    const float part = across - left, lower = down - above;
    const float upper_line = a.map[above * a.cols + left] * (1.0f - part) + a.map[above * a.cols + right] * part;
    const float lower_line = a.map[below * a.cols + left] * (1.0f - part) + a.map[below * a.cols + right] * part;
    return upper_line * (1.0f - lower) + lower_line * lower;
}

KERNEL(THREADS, blend, Blend) {
    Ends ends = {a.low, a.high};
    if (ends.low > ends.high) ends = ends_of_map(a);
    const int pixel = blockIdx.x * THREADS + threadIdx.x;
    if (pixel >= a.height * a.width) return;
    const float range = ends.high - ends.low;
    const float value = range > 0.0f ? fminf(fmaxf((sample(a, pixel / a.width, pixel % a.width) - ends.low) / range, 0.0f), 1.0f) : 0.0f;
    const u8* const colour = a.colours + 3 * int(value * 255.0f + 0.5f);
    const float strength = a.strength == EVEN ? 1.0f : a.strength == VALUE ? value : fabsf(2.0f * value - 1.0f);
    const float share = a.opacity * strength;
    for (int channel = 0; channel < 3; channel++)
        a.out[4 * pixel + channel] = u8(a.picture[3 * pixel + channel] * (1.0f - share) + colour[channel] * share + 0.5f);
    a.out[4 * pixel + 3] = 255;
}
