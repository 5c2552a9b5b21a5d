//! Models that are known and not supported: refused by name, so that nobody has to read a list of missing tensors.

use super::super::tensors::Tensors;

const SIGLIP: &str = "a SigLIP model, which is planned and not supported yet";
const DINOV3: &str = "a DINOv3 model, which is planned and not supported yet";
const BEIT: &str = "a BEiT model, which is planned and not supported yet";
const EVA: &str = "an EVA model, which is not supported";
const CLIP: &str = "a CLIP model, which is not supported";
const SWIN: &str = "a Swin transformer, which is planned and not supported yet";
const MAE: &str = "a masked autoencoder with its decoder, which is not supported; save its encoder alone, or a fine-tuned classifier";
const SWIGLU: &str = "a model with SwiGLU in its MLPs (as DINOv2 giant has), which is not supported yet";
const SIMPLE_VIT: &str = "a SimpleViT of vit-pytorch, whose positions are computed and not stored; it is not supported";
const QK_NORM: &str = "a model that normalises queries and keys, which is not supported";

/// A piece of a name that only this model has; the first that is found counts.
const BY_TENSOR: [(&str, &str); 22] = [
    ("layers.0.blocks.0.attn", SWIN),
    ("layers.0.blocks.0.attention", SWIN),
    ("relative_position_bias_table", BEIT),
    ("layer.0.lambda_1", BEIT),
    ("layers.0.lambda_1", BEIT),
    ("attn.q_bias", EVA),
    ("rope_embed.periods", DINOV3),
    ("storage_tokens", DINOV3),
    ("model.layer.0.attention", DINOV3),
    ("embeddings.class_embedding", CLIP),
    ("transformer.resblocks.0", CLIP),
    ("norm_pre.", CLIP),
    ("pre_layrnorm.", CLIP),
    ("attn_pool.", SIGLIP),
    ("encoder.layers.0.self_attn", SIGLIP),
    ("decoder_blocks.0", MAE),
    ("decoder_embed.", MAE),
    ("mlp.w12.", SWIGLU),
    ("mlp.weights_in.", SWIGLU),
    ("mlp.gate_proj.", SWIGLU),
    ("attn.q_norm.", QK_NORM),
    ("attention.q_norm.", QK_NORM),
];

/// The same for a `model_type` of Hugging Face or an architecture of timm, by a piece of its name.
const BY_TYPE: [(&str, &str); 7] =
    [("siglip", SIGLIP), ("dinov3", DINOV3), ("beit", BEIT), ("swin", SWIN), ("clip", CLIP), ("vit_mae", MAE), ("eva", EVA)];

/// What a recognised model is; nothing for those that may be supported.
pub(super) fn by_names(tensors: &Tensors) -> Option<String> {
    let names = || tensors.names().keys();
    let pieces = BY_TENSOR.iter().find(|(piece, _)| names().any(|name| name.contains(piece))).map(|(_, what)| *what);
    let some_ends = |ending: &str| names().any(|name| name.ends_with(ending));
    let without_positions = |sign: &str, positions: &str| some_ends(sign) && !some_ends(positions);
    let what = pieces
        .or_else(|| names().any(|name| name.starts_with("layer.0.attention.q_proj")).then_some(DINOV3))
        .or_else(|| without_positions("blocks.0.attn.qkv.weight", "pos_embed").then_some(DINOV3))
        .or_else(|| without_positions("transformer.layers.0.0.to_qkv.weight", "pos_embedding").then_some(SIMPLE_VIT))?;
    Some(format!("this is {what}"))
}

/// What a named kind of model is; nothing for those that may be supported.
pub(in super::super) fn by_type(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    BY_TYPE.iter().find(|(piece, _)| name.contains(piece)).map(|(_, what)| format!("`{name}` is {what}"))
}
