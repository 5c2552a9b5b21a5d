"""The PyTorch side of the speed comparison: a worker that answers commands. Protocol: README.md.

Timed is one attention rollout of one image as it is commonly written in Python:
the Hugging Face `transformers` model with eager attention and `output_attentions=True`, then
mean over heads, plus identity, rows renormalised, full N x N products over the layers, row of CLS.
Weights are random: time does not depend on them.
"""

import json
import os
import sys
import time

import torch
import transformers
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

EAGER = {"attn_implementation": "eager"}


def vit_large_patch32_384():
    config = ViTConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        image_size=384,
        patch_size=32,
        **EAGER,
    )
    return ViTModel(config, add_pooling_layer=False), 384


def vit_base_patch16_224():
    return ViTModel(ViTConfig(**EAGER), add_pooling_layer=False), 224


def dinov2_small():
    """Positions are learned for 518 pixels and resized inside every forward pass, as the library does."""
    config = Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14, **EAGER)
    return Dinov2Model(config), 224


MODELS = {build.__name__: build for build in (vit_large_patch32_384, vit_base_patch16_224, dinov2_small)}


def main():
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    say(
        ready="PyTorch",
        threads=torch.get_num_threads(),
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
    )
    loaded, model, pixel_values = None, None, None
    for line in sys.stdin:
        command = json.loads(line)
        name = command["model"]
        if name not in MODELS:
            say(error=f"no model {name!r}; there are {', '.join(MODELS)}")
            continue
        if name != loaded:
            model = None  # One model in memory at a time.
            model, size = MODELS[name]()
            model, loaded = model.eval(), name
            pixel_values = torch.randn(1, 3, size, size)
        for _ in range(command["run"]):
            start = time.perf_counter()
            cls_row = explain(model, pixel_values)
            say(model=name, milliseconds=1e3 * (time.perf_counter() - start), patches=len(cls_row))
        say(done=name)


@torch.inference_mode()
def explain(model, pixel_values):
    """Pixels (1, 3, H, W) to the rollout map of CLS, one number a patch."""
    return rollout(model(pixel_values, output_attentions=True).attentions).tolist()


def rollout(attentions):
    identity = torch.eye(attentions[0].shape[-1])
    product = identity
    for attention in attentions:  # (1, H, N, N)
        fused = attention[0].mean(dim=0) + identity
        fused = fused / fused.sum(dim=-1, keepdim=True)
        product = fused @ product
    return product[0, 1:]


def say(**message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
