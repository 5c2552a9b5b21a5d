"""Writes layouts/NAME: one tiny model for every layout of checkpoints, and what PyTorch says about it. See README.md.

    python export_layouts.py

Weights and pixels are float32 numbers, everything else is computed in float64 and rounded once.
"""

import copy
import json
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from safetensors.torch import save_file
from torch.nn import functional

import checks
import definitions
import recorded_attention
from layout_cases import cases
from own_models import Recorder

HERE = Path(__file__).resolve().parent / "layouts"
TARGETS = {"class_1": lambda logits: logits[:, 1], "contrast_1_3": lambda logits: logits[:, 1] - logits[:, 3]}


def main():
    torch.set_num_threads(1)
    for case in cases():
        folder = HERE / case.name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        stored = {name: tensor for name, tensor in case.stored.items() if name not in case.left_out}
        write(folder / "model.safetensors", stored)
        if case.config is not None:
            (folder / "config.json").write_text(json.dumps(case.config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        write(folder / "reference.safetensors", reference(case))
        if case.name == "dinov2_own_chunked":
            checks.own_dinov2_agrees(copy.deepcopy(case.model).eval(), torch.rand((2, *case.size)))
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{case.name}: {len(stored)} tensors, folder of {size / 1024:.0f} KiB")


def reference(case):
    generator = torch.Generator().manual_seed(len(case.name))
    pixels = torch.rand((2, *case.size), generator=generator) * 2.0 - 1.0
    exact = in_float64(case)
    wide = pixels.double().requires_grad_(True)
    logits, tokens, features, maps = run(case, exact, wide)
    tensors = {"pixel_values": pixels, "last_hidden_state": tokens, "features": features}
    tensors |= {f"attention.{layer}": attention for layer, attention in enumerate(maps)}
    start = start_rows(case, maps[0].shape[-1])
    tensors["attention_map"] = shown(case, start, maps[-1].mean(1))
    product = per_image(lambda maps: definitions.rollout(maps, "mean"), maps)
    tensors["rollout_map"] = shown(case, start, product)
    if logits is not None:
        tensors["logits"] = logits
        for target, score in TARGETS.items():
            to_pixels, *to_maps = torch.autograd.grad(score(logits).sum(), [wide, *maps], retain_graph=True)
            product = per_image(definitions.chefer_iccv21, maps, to_maps)
            tensors[f"pixel_gradient.{target}"] = to_pixels
            tensors[f"chefer_map.{target}"] = shown(case, start, product)
    check(case, pixels, tensors)
    return tensors


def in_float64(case):
    exact = copy.deepcopy(case.model).double().eval()
    for module in exact.modules():
        if case.recorder and hasattr(module, case.recorder) and hasattr(module, "heads" if case.recorder == "dropout" else case.recorder):
            setattr(module, case.recorder, Recorder())
        if hasattr(module, "fused_attn"):
            module.fused_attn = False
        if isinstance(module, transformers.PreTrainedModel):
            module.set_attn_implementation(recorded_attention.NAME)
        if hasattr(module, "interpolate_pos_encoding"):
            widen(module)
    return exact


def widen(embeddings):
    """The library resizes positions in float32; the reference does the same in float64."""
    if not hasattr(embeddings, "register_tokens"):
        return
    table, patch = embeddings.position_embeddings, embeddings.patch_size[0] if isinstance(embeddings.patch_size, tuple) else embeddings.patch_size
    side = int(round((table.shape[1] - 1) ** 0.5))

    def resized(_, height, width):
        grid = table[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        grid = functional.interpolate(grid, size=(height // patch, width // patch), mode="bicubic", antialias=True)
        return torch.cat([table[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    embeddings.interpolate_pos_encoding = resized


def run(case, model, pixels):
    Recorder.maps.clear()
    recorded_attention.maps.clear()
    logits, tokens, features = case.run(model, pixels)
    maps = Recorder.maps if case.recorder else recorded_attention.maps
    return logits, tokens, features, list(maps)


def start_rows(case, tokens):
    """Where the head reads, as weights over tokens that sum to one."""
    start = np.zeros(tokens)
    if case.start == "patches":
        start[case.special :] = 1.0 / (tokens - case.special)
    elif case.start == "tokens":
        start[:] = 1.0 / tokens
    elif case.start == "pair":
        start[:2] = 0.5
    else:
        start[0] = 1.0
    return torch.from_numpy(start)


def shown(case, start, product):
    """(B, N, N) to what a map shows, (B, patches)."""
    return torch.einsum("n,bnm->bm", start, product)[:, case.special :]


def per_image(definition, *per_layer):
    arrays = [[layer.detach().numpy() for layer in layers] for layers in per_layer]
    images = [definition(*[[layer[image] for layer in layers] for layers in arrays]) for image in range(arrays[0][0].shape[0])]
    return torch.from_numpy(np.stack(images))


def check(case, pixels, tensors):
    """Finite, lively, and as the untouched float32 model has it."""
    layers = sum(name.startswith("attention.") for name in tensors)
    assert layers >= 2, f"{case.name}: only {layers} layers were recorded"
    for name, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), f"{case.name}: {name}"
        if name.startswith("attention."):
            assert (tensor.sum(-1) - 1).abs().max() < 1e-12, f"{case.name}: {name} has rows that do not sum to one"
        if "gradient" in name:
            assert tensor.abs().mean() > 1e-3, f"{case.name}: {name} is nearly zero"
    if "logits" in tensors:
        with torch.inference_mode():
            plain = case.run(copy.deepcopy(case.model).eval(), pixels)[0].double()
        worst = (plain - tensors["logits"]).abs().max().item()
        assert worst < 1e-4, f"{case.name}: the float32 model differs by {worst:.1e}"
        print(f"  float32 logits {worst:.1e}, logits {plain.min():.2f} to {plain.max():.2f}")


def write(path, tensors):
    stored = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    stored = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored.items()}
    made_by = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}, timm {timm.__version__}, export_layouts.py"
    save_file(stored, path, metadata={"made_by": made_by})


if __name__ == "__main__":
    main()
