"""One tiny model for every layout, with what is stored of it and how it is run.

A case says: the module, the tensors as that library's users store them, the configuration beside them (or none),
what goes in, and how logits, tokens, pooled features and attention maps come out.
"""

import json
from dataclasses import dataclass, field
from typing import Callable

import timm
import torch
import transformers
import vit_pytorch
from timm.models.deit import VisionTransformerDistilled
from torch import nn
from torch.nn import functional

import recorded_attention
from own_models import Dinov2, OlderVitPytorch, Recorder, Thesis
from tiny_models import LABELS, labels, redraw

CLASSES = 5


@dataclass
class Case:
    name: str
    model: nn.Module
    stored: dict
    config: dict | None
    size: tuple[int, int, int]  # channels, height, width
    run: Callable  # (model, pixels) -> logits or None, tokens, features
    special: int  # tokens before the patches
    start: str = "cls"  # where rows start: cls, pair (class and distillation token), patches, tokens
    recorder: str | None = None  # the modules whose output are maps; none where Hugging Face's interface records them
    left_out: list = field(default_factory=list)  # tensors that a test makes by itself


def cases():
    return [*hugging_face(), *timm_models(), *dinov2_own(), *vit_pytorch_models(), thesis()]


def as_stored(state, prefix=""):
    return {prefix + name: tensor.clone().contiguous() for name, tensor in state.items()}


# Hugging Face


def hf_run(pool):
    def run(model, pixels):
        backbone = getattr(model, model.base_model_prefix)
        tokens = backbone(pixels).last_hidden_state
        recorded_attention.maps.clear()
        return model(pixels).logits, tokens, pool(tokens)

    return run


def cls(tokens):
    return tokens[:, 0]


def pair(tokens):
    return torch.cat([tokens[:, 0], tokens[:, 1]], 1)


def cls_and_mean(special):
    return lambda tokens: torch.cat([tokens[:, 0], tokens[:, special:].mean(1)], 1)


def on_disk(model):
    """The names that save_pretrained writes."""
    import tempfile

    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/model.safetensors")


def config_of(model):
    written = json.loads(model.config.to_json_string())
    return {key: value for key, value in written.items() if key not in ("transformers_version", "dtype")}


def hugging_face():
    size = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "patch_size": 4}
    vit = transformers.ViTConfig(**size, intermediate_size=20, image_size=(8, 12), num_channels=1, hidden_act="relu", qkv_bias=False, **labels())
    vit = redraw(transformers.ViTForImageClassification(vit), 31)
    yield Case("hf5_vit_relu_grey", vit, as_stored(vit.state_dict(), "module."), config_of(vit), (1, 8, 12), hf_run(cls), 1)

    deit = transformers.DeiTConfig(**size, intermediate_size=20, image_size=(8, 12), **labels())
    teacher = redraw(transformers.DeiTForImageClassificationWithTeacher(deit), 32)
    yield Case("hf4_deit_distilled", teacher, on_disk(teacher), config_of(teacher), (3, 8, 12), hf_run(pair), 2, "pair")

    deit.hidden_act = "gelu_new"
    single = redraw(transformers.DeiTForImageClassification(deit), 33)
    yield Case("hf5_deit_tanh", single, as_stored(single.state_dict(), "state_dict.model."), config_of(single), (3, 8, 12), hf_run(cls), 2)

    dinov2 = transformers.Dinov2Config(**size, mlp_ratio=2, image_size=12, use_swiglu_ffn=False, **labels())
    dinov2 = redraw(transformers.Dinov2ForImageClassification(dinov2), 34)
    yield Case("hf5_dinov2", dinov2, as_stored(dinov2.state_dict()), config_of(dinov2), (3, 12, 12), hf_run(cls_and_mean(1)), 1)

    registers = transformers.Dinov2WithRegistersConfig(
        **size, mlp_ratio=2, image_size=20, num_register_tokens=3, use_swiglu_ffn=False, **labels()
    )
    registers = redraw(transformers.Dinov2WithRegistersForImageClassification(registers), 35)
    # Positions learnt on 5 x 5 patches, used on 2 x 3: here the antialiasing shows.
    yield Case("hf4_dinov2_registers", registers, on_disk(registers), config_of(registers), (3, 8, 12), hf_run(cls_and_mean(4)), 4)


# timm


def timm_run(features):
    def run(model, pixels):
        tokens = model.forward_features(pixels)
        return model.forward_head(tokens), tokens, features(model, tokens)

    return run


def pre_logits(model, tokens):
    return model.forward_head(tokens, pre_logits=True)


def timm_config(model, architecture, size, **more):
    channels, height, width = size
    return {
        "architecture": architecture,
        "num_classes": CLASSES,
        "num_features": model.num_features,
        "global_pool": model.global_pool,
        "model_args": {"img_size": list(model.patch_embed.img_size), "num_heads": model.blocks[0].attn.num_heads, **more},
        "pretrained_cfg": {
            "input_size": [channels, height, width],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "crop_mode": "squash",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }


def timm_models():
    size = {"patch_size": 4, "num_classes": CLASSES, "embed_dim": 12, "depth": 2, "num_heads": 2, "mlp_ratio": 2.0}
    vit = redraw(timm.models.VisionTransformer(img_size=(8, 12), **size), 41)
    config = timm_config(vit, "vit_tiny_patch16_224", (3, 8, 12)) | {"label_names": LABELS}
    yield Case("timm_vit", vit, as_stored(vit.state_dict()), config, (3, 8, 12), timm_run(pre_logits), 1, "cls", "attn_drop")

    gap = {"class_token": False, "global_pool": "avg", "reg_tokens": 2, "init_values": 0.5, "qkv_bias": False, "dynamic_img_size": True}
    gap = redraw(timm.models.VisionTransformer(img_size=20, **gap, **size), 42)
    config = timm_config(gap, "vit_little_patch16_reg4_gap_256", (3, 8, 12))
    yield Case("timm_gap_registers", gap, as_stored(gap.state_dict()), config, (3, 8, 12), timm_run(pre_logits), 2, "patches", "attn_drop")

    deit3 = {"no_embed_class": True, "reg_tokens": 1, "init_values": 0.5, "global_pool": "avg", "act_layer": "gelu_tanh"}
    deit3 = redraw(timm.models.VisionTransformer(img_size=(8, 12), **deit3, **size), 43)
    config = timm_config(deit3, "deit3_small_patch16_224", (3, 8, 12), act_layer="gelu_tanh")
    yield Case("timm_no_embed_class", deit3, as_stored(deit3.state_dict()), config, (3, 8, 12), timm_run(pre_logits), 2, "patches", "attn_drop")

    distilled = redraw(VisionTransformerDistilled(img_size=(8, 12), **size), 44)
    config = timm_config(distilled, "deit_tiny_distilled_patch16_224", (3, 8, 12))
    features = lambda _, tokens: pair(tokens)
    yield Case(
        "timm_deit_distilled", distilled, as_stored(distilled.state_dict(), "model."), config, (3, 8, 12), timm_run(features), 2, "pair", "attn_drop"
    )


# DINOv2's own


def dinov2_own():
    size = {"width": 12, "layers": 4, "heads": 3, "hidden": 24, "side": 3, "patch": 4}
    run = lambda model, pixels: model(pixels)
    chunked = redraw(Dinov2(**size, registers=2, chunks=2, classes=CLASSES), 51)
    yield Case("dinov2_own_chunked", chunked, as_stored(chunked.state_dict()), {"num_attention_heads": 3}, (3, 12, 12), run, 3, "cls", "record")
    plain = redraw(Dinov2(**size, registers=0, chunks=0, classes=0), 52)
    stored = as_stored(plain.backbone.state_dict(), "teacher.backbone.")
    yield Case("dinov2_own", plain, stored, {"num_attention_heads": 3}, (3, 12, 12), run, 1, "cls", "record")


# vit-pytorch


def vit_pytorch_models():
    older = OlderVitPytorch(channels=1, size=(8, 12), patch=4, width=10, layers=2, heads=4, head_width=3, hidden=16, classes=CLASSES)
    older = redraw(older, 61)
    run = lambda model, pixels: model(pixels)
    config = {"num_attention_heads": 4, "hidden_act": "relu", "image_size": [8, 12]}
    yield Case("vit_pytorch_older", older, as_stored(older.state_dict()), config, (1, 8, 12), run, 1, "cls", "record")
    older = OlderVitPytorch(channels=3, size=(8, 12), patch=4, width=10, layers=2, heads=2, head_width=5, hidden=0, classes=CLASSES, pool="mean")
    older = redraw(older, 62)
    config = {"num_attention_heads": 2, "image_size": [8, 12], "pool": "mean"}
    yield Case("vit_pytorch_attention_alone", older, as_stored(older.state_dict()), config, (3, 8, 12), run, 1, "tokens", "record")

    size = {"image_size": (8, 12), "patch_size": 4, "num_classes": CLASSES, "dim": 10, "depth": 2, "heads": 2, "dim_head": 6, "mlp_dim": 16}
    for name, pool, seed in [("vit_pytorch_newer_cls", "cls", 63), ("vit_pytorch_newer_mean", "mean", 64)]:
        newer = redraw(vit_pytorch.ViT(pool=pool, **size), seed)
        config = {"num_attention_heads": 2, "image_size": [8, 12]}
        start = "cls" if pool == "cls" else "patches"
        yield Case(name, newer, as_stored(newer.state_dict()), config, (3, 8, 12), newer_run, int(pool == "cls"), start, "dropout")


def newer_run(model, pixels):
    kept = {}
    hook = model.transformer.register_forward_hook(lambda _, __, tokens: kept.update(tokens=tokens))
    logits = model(pixels)
    hook.remove()
    tokens = kept["tokens"]
    return logits, tokens, tokens.mean(1) if model.pool == "mean" else tokens[:, 0]


# The thesis's


def thesis():
    config = transformers.ViTConfig(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, image_size=(8, 12), patch_size=4)
    model = redraw(Thesis(config, classes=7), 71)
    model.spread_statistics(seed=72)
    large = [name for name, tensor in model.state_dict().items() if tensor.numel() > 5000]

    def run(model, pixels):
        tokens = model.vit.vit(pixels).last_hidden_state
        recorded_attention.maps.clear()
        return model(pixels), tokens, tokens[:, 0]

    stored = as_stored(model.state_dict(), "module.")
    beside = {"num_attention_heads": 3, "image_size": [8, 12], "model_type": "vit"}
    return Case("thesis", model, stored, beside, (3, 8, 12), run, 1, left_out=[f"module.{name}" for name in large])
