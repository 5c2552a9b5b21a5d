"""Tiny seeded vision transformers whose numbers are far from trivial.

Library defaults (weights of deviation 0.02, zero biases, unit norms) give nearly uniform
attention and gradients near zero: an engine could swap two heads and still agree.
Everything here is drawn wide enough that each tensor matters.
"""

import json
from pathlib import Path

import torch
from transformers import (
    Dinov2Config,
    Dinov2ForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

LABELS = ["nevus", "melanoma", "seborrheic keratosis", "basal cell carcinoma", "actinic keratosis"]


def tiny_vit(seed: int) -> ViTForImageClassification:
    """Three layers, three heads of width 6, an image 6 high and 21 wide: 2 x 7 patches, 15 tokens."""
    config = ViTConfig(
        hidden_size=18,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=32,
        image_size=(6, 21),
        patch_size=3,
        **labels(),
    )
    return redraw(ViTForImageClassification(config), seed)


def tiny_dinov2(seed: int) -> Dinov2ForImageClassification:
    """Two layers, two heads of width 8; positions learned on 5 x 5 patches, used below on 4 x 6."""
    config = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=15,
        patch_size=3,
        use_swiglu_ffn=False,
        **labels(),
    )
    return redraw(Dinov2ForImageClassification(config), seed)


def pixels(seed: int, height: int, width: int) -> torch.Tensor:
    """Two images, (2, 3, height, width), uniform in [-1, 1] as after normalisation with 0.5 and 0.5."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((2, 3, height, width), generator=generator) * 2.0 - 1.0


def save(model: torch.nn.Module, folder: Path, height: int, width: int) -> None:
    """Writes config.json, model.safetensors and preprocessor_config.json."""
    model.save_pretrained(folder)
    preprocessor = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "ViTImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": height, "width": width},
    }
    text = json.dumps(preprocessor, indent=2) + "\n"
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")


def labels() -> dict:
    return {
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: index for index, label in enumerate(LABELS)},
    }


@torch.no_grad()
def redraw(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Replaces every parameter; which distribution it gets is decided by what the parameter does."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name and name.endswith("weight"):
            parameter.copy_(1.0 + 0.3 * noise)
        elif "lambda1" in name:
            parameter.copy_(0.6 + 0.3 * noise)
        elif name.endswith("bias"):
            parameter.copy_(0.2 * noise)
        elif "_token" in name or "position" in name:
            parameter.copy_(0.5 * noise)
        else:
            parameter.copy_(0.3 * noise)
    return model.eval()
