"""The models of the GPU benchmark with random weights and a head of seven classes: as `transformers` builds them, and as timm does."""

import torch
from transformers import ViTConfig, ViTForImageClassification

import pytorch_models

CLASSES = pytorch_models.HEAD["num_labels"]


def vit_base_patch16_384():
    return ViTForImageClassification(ViTConfig(image_size=384, **pytorch_models.HEAD)), 384


def vit_huge_patch14_224():
    config = ViTConfig(
        hidden_size=1280,
        num_hidden_layers=32,
        num_attention_heads=16,
        intermediate_size=5120,
        patch_size=14,
        **pytorch_models.HEAD,
    )
    return ViTForImageClassification(config), 224


def tiny():
    """Two blocks on 16 patches: shows that a recipe works, not how fast."""
    config = ViTConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=88,
        image_size=16,
        patch_size=4,
        **pytorch_models.HEAD,
    )
    return ViTForImageClassification(config), 16


MODELS = pytorch_models.MODELS | {build.__name__: build for build in (vit_base_patch16_384, vit_huge_patch14_224, tiny)}
# Those that targets need come first: a visit may run out of time.
DEFAULT = ["vit_large_patch32_384", "vit_base_patch16_384", "vit_huge_patch14_224", "vit_base_patch16_224", "dinov2_small"]

# Side, patch, width, blocks, heads and the MLP's width over the model's. timm's DINOv2 has another head, so it is no twin of ours.
TIMM = {
    "vit_large_patch32_384": (384, 32, 1024, 24, 16, 4),
    "vit_base_patch16_384": (384, 16, 768, 12, 12, 4),
    "vit_huge_patch14_224": (224, 14, 1280, 32, 16, 4),
    "vit_base_patch16_224": (224, 16, 768, 12, 12, 4),
    "tiny": (16, 4, 64, 2, 2, 88 / 64),
}


def build(library, name, device, number):
    """The model in these numbers without gradients of its parameters, which no explanation needs, and the side of its pictures."""
    # Random weights of 600 million parameters take a processor some ten seconds.
    with torch.device(device):
        model, side = timms(name) if library == "timm" else MODELS[name]()
    return model.to(device, number).eval().requires_grad_(False), side


def timms(name):
    """timm's own: one product for queries, keys and values, fused attention."""
    from timm.models.vision_transformer import VisionTransformer

    if name not in TIMM:
        raise NotImplementedError(f"timm has no {name} with this head")
    side, patch, width, blocks, heads, ratio = TIMM[name]
    sizes = {"embed_dim": width, "depth": blocks, "num_heads": heads, "mlp_ratio": ratio}
    return VisionTransformer(img_size=side, patch_size=patch, num_classes=CLASSES, **sizes), side
