//! How the images of a batch share the processor.

use gemm::Parallelism;
use rayon::prelude::*;

/// Calls `work(image, its part of output, threads for it)` for every image of a batch.
///
/// With at least as many images as threads the images run side by side, one thread each;
/// otherwise one after the other, each with every thread.
/// Products are taken per image in both cases, so an image's bits do not depend on its batch.
pub(crate) fn for_each_image<T: Send>(output: &mut [T], images: usize, work: impl Fn(usize, &mut [T], Parallelism) + Sync) {
    if images == 0 || output.is_empty() {
        return;
    }
    let per_image = output.len() / images;
    if images >= rayon::current_num_threads() {
        output.par_chunks_mut(per_image).enumerate().for_each(|(image, part)| work(image, part, Parallelism::None));
    } else {
        output.chunks_mut(per_image).enumerate().for_each(|(image, part)| work(image, part, Parallelism::Rayon(0)));
    }
}
