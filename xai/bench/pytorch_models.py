"""The models of the benchmark as Hugging Face `transformers` builds them, with random weights and a head of seven classes."""

from transformers import Dinov2Config, Dinov2ForImageClassification, ViTConfig, ViTForImageClassification

HEAD = {"num_labels": 7}


def vit_large_patch32_384():
    config = ViTConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        image_size=384,
        patch_size=32,
        **HEAD,
    )
    return ViTForImageClassification(config), 384


def vit_base_patch16_224():
    return ViTForImageClassification(ViTConfig(**HEAD)), 224


def dinov2_small():
    """Positions are learned for 518 pixels and resized inside every forward pass, as the library does."""
    config = Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14, **HEAD)
    return Dinov2ForImageClassification(config), 224


MODELS = {build.__name__: build for build in (vit_large_patch32_384, vit_base_patch16_224, dinov2_small)}


def build(name):
    """The model without gradients of its parameters, which no explanation needs, and the side of its pictures."""
    model, side = MODELS[name]()
    return model.eval().requires_grad_(False), side
