// Softmax cross-entropy and its gradient at the logits, a warp for each image; a row is read twice, from the first cache.
//
// Rows may be wider than the classes; the gradient is zero behind them.
// Storage: f32.
// Grid: ceil(images / 4).
#include "../../cuda/device.cuh"

struct CrossEntropy {
    const float* logits;         // (images, stride)
    const int* labels;           // (images)
    const float* class_weights;  // (classes); or none
    float* losses;               // (images): each image's share of the loss
    float* gradient;             // (images, stride)
    int images, classes, stride;
    float share;                 // what an image counts: 1 / images of the whole batch
};

KERNEL(128, cross_entropy, CrossEntropy) {
    const int image = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (image >= a.images) return;
    const float* const logits = a.logits + size_t(image) * a.stride;
    float* const gradient = a.gradient + size_t(image) * a.stride;
    float highest = LOWEST, total = 0.0f;
    for (int i = lane; i < a.classes; i += 32) highest = fmaxf(highest, logits[i]);
    highest = warp_max(highest);
    for (int i = lane; i < a.classes; i += 32) total += expf(logits[i] - highest);
    total = warp_sum(total);
    const int label = a.labels[image];
    const float weight = (a.class_weights ? a.class_weights[label] : 1.0f) * a.share, part = 1.0f / total;
    for (int i = lane; i < a.stride; i += 32) {
        const float probability = i < a.classes ? expf(logits[i] - highest) * part : 0.0f;
        gradient[i] = weight * (probability - (i == label ? 1.0f : 0.0f));
    }
    if (lane == 0) a.losses[image] = weight * (highest - logits[label] + logf(total));
}
