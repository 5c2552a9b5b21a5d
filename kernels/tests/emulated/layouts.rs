//! Structures of arguments are the same bytes in Rust as in CUDA.

use kernels::activation::cuda as activation;
use kernels::adamw::cuda as adamw;
use kernels::attention::cuda as attention;
use kernels::batch_norm::cuda as batch_norm;
use kernels::cross_entropy::cuda as cross_entropy;
use kernels::cuda::{Arguments, Storage};
use kernels::layer_norm::cuda as layer_norm;
use kernels::linear::{cuda as linear, cuda_bias as linear_bias};
use kernels::patchify::cuda as patchify;
use kernels::rollout::{cuda as rollout, cuda_explicit as rollout_explicit};
use kernels::saliency::cuda as saliency;
use kernels::tokens::cuda as tokens;

use crate::emulator::{Library, source};

/// Size and offsets of a structure as the C++ compiler has them, beside those of Rust.
fn assert_same<A: Arguments>(file: &str) {
    assert_same_of::<A>(file, Storage::F32);
}

fn assert_same_of<A: Arguments>(file: &str, storage: Storage) {
    let offsets = A::FIELDS.iter().map(|(field, _)| format!(", offsetof({}, {field})", A::NAME));
    let table = format!("\nextern \"C\" size_t layout[] = {{sizeof({}){}}};\n", A::NAME, offsets.collect::<String>());
    let text = format!("#include <stddef.h>\n{}{table}", source(file));
    let Some(library) = Library::compile(file, &text, storage) else { return };
    let found = library.numbers("layout", 1 + A::FIELDS.len());
    let expected: Vec<usize> = [size_of::<A>()].into_iter().chain(A::FIELDS.iter().map(|(_, at)| *at)).collect();
    assert_eq!(found, expected, "{} of {file}: size, then {:?}", A::NAME, A::FIELDS);
}

#[test]
fn arguments_have_the_layout_of_their_twins() {
    assert_same::<activation::BiasActivation>("activation/cuda.cu");
    assert_same::<activation::ActivationBackward>("activation/cuda.cu");
    assert_same::<adamw::AdamW>("adamw/cuda.cu");
    assert_same::<adamw::Length>("adamw/cuda_length.cu");
    assert_same::<batch_norm::BatchNorm>("batch_norm/cuda.cu");
    assert_same::<cross_entropy::CrossEntropy>("cross_entropy/cuda.cu");
    assert_same::<layer_norm::LayerNormAffine>("layer_norm/cuda_affine.cu");
    assert_same::<attention::AttentionForward>("attention/cuda.cu");
    assert_same::<attention::AttentionMap>("attention/cuda_map.cu");
    assert_same::<attention::AttentionFused>("attention/cuda_fused.cu");
    assert_same::<attention::AttentionBackward>("attention/cuda_backward.cu");
    assert_same::<layer_norm::LayerNormForward>("layer_norm/cuda.cu");
    assert_same::<layer_norm::LayerNormForward>("layer_norm/cuda_wide.cu");
    assert_same::<layer_norm::LayerNormBackward>("layer_norm/cuda.cu");
    assert_same::<layer_norm::LayerNormBackward>("layer_norm/cuda_wide.cu");
    assert_same::<linear::Linear>("linear/cuda.cu");
    assert_same_of::<linear::Linear>("linear/cuda_hopper.cu", Storage::Bf16);
    assert_same_of::<attention::AttentionForward>("attention/cuda_hopper.cu", Storage::Bf16);
    assert_same::<patchify::PatchBytes>("patchify/cuda.cu");
    assert_same::<linear_bias::RoundedBias>("linear/cuda_bias.cu");
    assert_same::<patchify::PatchValues>("patchify/cuda_values.cu");
    assert_same::<patchify::PatchVariants>("patchify/cuda_variants.cu");
    assert_same::<patchify::Noise>("patchify/cuda_variants.cu");
    assert_same::<rollout::Rollout>("rollout/cuda.cu");
    assert_same::<rollout::RolloutRows>("rollout/cuda_rows.cu");
    assert_same::<rollout_explicit::RolloutProduct>("rollout/cuda_explicit.cu");
    assert_same::<saliency::Saliency>("saliency/cuda.cu");
    assert_same::<saliency::SaliencyMap>("saliency/cuda.cu");
    assert_same::<tokens::Join>("tokens/cuda.cu");
    assert_same::<tokens::Cut>("tokens/cuda.cu");
    assert_same::<tokens::Pool>("tokens/cuda.cu");
}
