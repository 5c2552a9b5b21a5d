"""The models of the GPU benchmark as Hugging Face `transformers` builds them, with random weights and a head of seven classes."""

from transformers import ViTConfig, ViTForImageClassification

import pytorch_models


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
DEFAULT = ["vit_large_patch32_384", "vit_base_patch16_384", "vit_huge_patch14_224", "vit_base_patch16_224", "dinov2_small"]


def build(name):
    """The model without gradients of its parameters, which no explanation needs, and the side of its pictures."""
    model, side = MODELS[name]()
    return model.eval().requires_grad_(False), side
