"""Checks of the references themselves; export.py writes nothing that fails them."""

import copy
import re

import torch
from torch.nn import functional
from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

import recorded_attention


def sane(tensors):
    """Finite; attention and rollout rows sum to one; gradients, maps and classes differ from each other."""
    for name, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), name
        if name.startswith("attention.") or (name.startswith("rollout.") and ".compat." not in name):
            close(name + " row sums", tensor.sum(-1), torch.ones_like(tensor.sum(-1)), 1e-12)
        if "gradient" in name:
            # In the last layer only the row of CLS reaches a CLS head, so most entries may be zero.
            assert tensor.abs().amax() > 0.05 and tensor.abs().mean() > 1e-3, f"{name} is nearly zero"
    attention = tensors["attention.0"]
    print(f"  attention.0 from {attention.min():.1e} to {attention.max():.3f}, uniform {1 / attention.shape[-1]:.3f}")
    assert attention.max() > 4.0 / attention.shape[-1], "attention is nearly uniform"
    logits = tensors["logits"]
    top = logits.topk(2, dim=1)
    print(f"  logits {logits.min():.2f} to {logits.max():.2f}, predicted {top.indices[:, 0].tolist()}")
    assert (top.values[:, 0] - top.values[:, 1]).min() > 0.05, "the predicted class hangs by a thread"
    assert (logits[0] - logits[1]).abs().max() > 0.1, "both images look alike"
    for name in ("mean", "max"):
        fixed, compat = tensors[f"rollout.fixed.{name}_discard_0.9"], tensors[f"rollout.compat.{name}_discard_0.9"]
        assert (fixed - compat).abs().max() > 1e-2, f"the defects do not show with {name} fusion"
    discard_is_clear(tensors, ratio=0.9)


def discard_is_clear(tensors, ratio):
    """No two fused entries at the edge of the discard lie so close that float32 could swap them."""
    for name, tensor in tensors.items():
        if name.startswith("attention."):
            for fused in (tensor.mean(1), tensor.amax(1)):
                ordered = fused.flatten(1).sort(dim=1).values
                edge = int(ordered.shape[1] * ratio)
                gap = (ordered[:, edge] - ordered[:, edge - 1]).min().item()
                assert gap > 1e-5, f"{name}: the discard hangs on a difference of {gap:.1e}"


def eager_agrees(model, pixel_values, tensors):
    """The untouched float32 model with the library's own eager attention gives the same numbers."""
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    with torch.inference_mode():
        output = eager(pixel_values, output_attentions=True)
    close("float32 logits", output.logits.double(), tensors["logits"], 2e-5)
    for layer, attention in enumerate(output.attentions):
        close(f"float32 attention.{layer}", attention.double(), tensors[f"attention.{layer}"], 2e-5)


def library_interpolation_agrees(embeddings, table, height, width):
    """Our float64 bicubic table beside what the library's own embedding layer makes."""
    tokens = torch.zeros((1, table.shape[1], table.shape[2]))
    with torch.inference_mode():
        close("positions", embeddings.interpolate_pos_encoding(tokens, height, width).double(), table, 1e-6)
    side = int(round((embeddings.position_embeddings.shape[1] - 1) ** 0.5))
    rows, cols = height // embeddings.patch_size, width // embeddings.patch_size
    grid = embeddings.position_embeddings.detach()[:, 1:].double().reshape(1, side, side, -1).permute(0, 3, 1, 2)
    exact = functional.interpolate(grid, size=(rows, cols), mode="bicubic", align_corners=False)
    close("positions in float64", exact.permute(0, 2, 3, 1).reshape(1, rows * cols, -1), table[:, 1:], 1e-12)
    assert (rows, cols) != (side, side), "nothing was resized"


@torch.no_grad()
def finite_differences(model, pixel_values, score, to_pixels, to_attention, step=1e-5):
    """Central differences along one random direction per gradient."""
    generator = torch.Generator().manual_seed(3)
    direction = torch.randn(pixel_values.shape, generator=generator).double()
    along = lambda sign: score(recorded_attention.run(model, pixel_values + sign * step * direction)[0].logits).sum()
    close("pixel gradient", (to_pixels * direction).sum(), (along(1) - along(-1)) / (2 * step), 1e-6)
    for layer, gradient in enumerate(to_attention):
        direction = torch.randn(gradient.shape, generator=generator).double()
        sides = []
        for sign in (1, -1):
            recorded_attention.nudge[layer] = sign * step * direction
            sides.append(score(recorded_attention.run(model, pixel_values)[0].logits).sum())
        recorded_attention.nudge.clear()
        close(f"attention gradient {layer}", (gradient * direction).sum(), (sides[0] - sides[1]) / (2 * step), 1e-6)


@torch.no_grad()
def own_dinov2_agrees(own, pixel_values):
    """DINOv2 as written here beside Hugging Face's, with the same weights, registers included."""
    state = own.backbone.state_dict()
    layers = len({name.split(".attn.")[0] for name in state if ".attn.qkv.weight" in name})
    width, heads = state["norm.weight"].shape[0], next(m.heads for m in own.modules() if hasattr(m, "heads"))
    config = Dinov2WithRegistersConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, mlp_ratio=state["blocks.0.0.mlp.fc1.bias"].shape[0] // width,
        image_size=12, patch_size=4, num_register_tokens=state["register_tokens"].shape[1], use_swiglu_ffn=False,
    )
    names = {
        "patch_embed.proj": "embeddings.patch_embeddings.projection", "pos_embed": "embeddings.position_embeddings", "attn.proj": "attention.o_proj",
        "ls1.gamma": "layer_scale1.lambda1", "ls2.gamma": "layer_scale2.lambda1", "cls_token": "embeddings.cls_token",
        "mask_token": "embeddings.mask_token", "register_tokens": "embeddings.register_tokens",
    }
    renamed = {}
    for name, tensor in state.items():
        name = re.sub(r"^blocks\.\d+\.(\d+)\.", r"encoder.layer.\1.", name)
        name = "layer" + name if name.startswith("norm.") else name
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        if ".attn.qkv." in name:
            renamed |= {name.replace("attn.qkv", f"attention.{part}_proj"): third for part, third in zip("qkv", tensor.chunk(3))}
        else:
            renamed[name] = tensor
    theirs = Dinov2WithRegistersModel(config).eval()
    theirs.load_state_dict(renamed)
    close("own DINOv2", own(pixel_values)[1].double(), theirs(pixel_values).last_hidden_state.double(), 1e-5)


def close(name, got, expected, tolerance):
    """Relative to the largest expected value; NaN fails."""
    error = ((got - expected).abs().max() / expected.abs().max().clamp(min=1.0)).item()
    assert error <= tolerance, f"{name}: {error:.2e} is more than {tolerance:.0e}"
    if not name.startswith(("pixel gradient", "attention")):
        print(f"  {name}: {error:.1e}")
