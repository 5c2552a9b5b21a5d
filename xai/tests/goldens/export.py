"""Writes the reference values that the Rust engine is compared with. See README.md.

    python export.py            rewrites hf_vit/, hf_vit_training/, dinov2/ and dinov2_no_head/

Weights and pixels are float32 numbers; everything derived from them is computed in float64
and stored as float32, so that the reference is better than what it judges.
"""

import copy
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

import checks
import definitions
import recorded_attention
from tiny_models import pixels, save, tiny_dinov2, tiny_vit
from training import training_reference

HERE = Path(__file__).resolve().parent
CLASS, AGAINST = 1, 3
TARGETS = {
    "predicted": lambda logits: logits.max(dim=1).values,
    f"class_{CLASS}": lambda logits: logits[:, CLASS],
    f"contrast_{CLASS}_{AGAINST}": lambda logits: logits[:, CLASS] - logits[:, AGAINST],
}
FIXED_TARGETS = [name for name in TARGETS if name != "predicted"]
ROLLOUTS = {
    "mean": {"fusion": "mean"},
    "max": {"fusion": "max"},
    "min": {"fusion": "min"},
    "mean_start_1": {"fusion": "mean", "start_layer": 1},
    "fixed.mean_discard_0.9": {"fusion": "mean", "discard": 0.9},
    "fixed.max_discard_0.9": {"fusion": "max", "discard": 0.9},
    "compat.mean_discard_0.9": {"fusion": "mean", "discard": 0.9, "compat": True},
    "compat.max_discard_0.9": {"fusion": "max", "discard": 0.9, "compat": True},
}


def main():
    torch.set_num_threads(1)
    export_vit(HERE)
    export_dinov2(HERE)


def export_vit(root):
    model, pixel_values = tiny_vit(seed=12), pixels(seed=13, height=6, width=21)
    save(model, root / "hf_vit", 6, 21)
    exact = in_float64(model)
    tensors = {"pixel_values": pixel_values} | explained(exact, exact.vit, pixel_values.double())
    checks.eager_agrees(model, pixel_values, tensors)
    write(tensors, root / "hf_vit")
    write(training_reference(exact, pixel_values.double()), root / "hf_vit_training")


def export_dinov2(root):
    height, width, patch = 12, 18, 3
    model, pixel_values = tiny_dinov2(seed=21), pixels(seed=22, height=height, width=width)
    save(model, root / "dinov2", height, width)
    save(model.dinov2, root / "dinov2_no_head", height, width)
    table = positions(model.dinov2.embeddings, height // patch, width // patch)  # (1, 1 + rows * cols, D)
    checks.library_interpolation_agrees(model.dinov2.embeddings, table, height, width)
    exact = in_float64(model)
    # The library resizes positions in float32; the reference takes the float64 table instead.
    exact.dinov2.embeddings.interpolate_pos_encoding = lambda *_: table
    tensors = {"pixel_values": pixel_values, "position_embeddings": table}
    tensors |= explained(exact, exact.dinov2, pixel_values.double())
    checks.eager_agrees(model, pixel_values, tensors)
    few = {"rollout.mean", "rollout.fixed.max_discard_0.9"}  # the other conventions are judged on hf_vit
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("rollout.") or name in few}
    write(tensors, root / "dinov2")
    kept = ["pixel_values", "last_hidden_state"] + [name for name in tensors if name.startswith("attention.")]
    write({name: tensors[name] for name in kept}, root / "dinov2_no_head")


def explained(model, backbone, pixel_values):
    """Everything there is to say about a batch: outputs, attention, gradients, explanations."""
    pixel_values = pixel_values.requires_grad_(True)
    hidden, _ = recorded_attention.run(backbone, pixel_values)
    output, attentions = recorded_attention.run(model, pixel_values)
    tensors = {"logits": output.logits, "last_hidden_state": hidden.last_hidden_state}
    tensors |= {f"attention.{layer}": attention for layer, attention in enumerate(attentions)}
    for target, score in TARGETS.items():
        # Images do not mix, so the gradient of the sum holds the gradient of each image.
        wanted = [pixel_values, *attentions]
        to_pixels, *to_attention = torch.autograd.grad(score(output.logits).sum(), wanted, retain_graph=True)
        checks.finite_differences(model, pixel_values, score, to_pixels, to_attention)
        tensors[f"pixel_gradient.{target}"] = to_pixels
        if target in FIXED_TARGETS:
            tensors[f"gradient_x_input.{target}"] = to_pixels * pixel_values
            tensors |= {f"attention_gradient.{layer}.{target}": g for layer, g in enumerate(to_attention)}
            tensors[f"chefer_iccv21.{target}"] = per_image(definitions.chefer_iccv21, attentions, to_attention)
    for name, convention in ROLLOUTS.items():
        tensors[f"rollout.{name}"] = per_image(lambda maps: definitions.rollout(maps, **convention), attentions)
    checks.sane(tensors)
    return tensors


def per_image(definition, *per_layer):
    """Applies a numpy definition to each image: lists over layers of (B, H, N, N) in, (B, N, N) out."""
    arrays = [[layer.detach().numpy() for layer in layers] for layers in per_layer]
    batch = arrays[0][0].shape[0]
    images = [definition(*[[layer[image] for layer in layers] for layers in arrays]) for image in range(batch)]
    return torch.from_numpy(np.stack(images))


def positions(embeddings, rows, cols):
    """The position table resized to another grid, in float64; CLS keeps its own row."""
    table = embeddings.position_embeddings.detach().double()[0].numpy()
    side = int(round((len(table) - 1) ** 0.5))
    grid = definitions.bicubic(table[1:].reshape(side, side, -1), rows, cols)
    return torch.from_numpy(np.concatenate([table[:1], grid.reshape(rows * cols, -1)]))[None]


def in_float64(model):
    exact = copy.deepcopy(model).double()
    exact.set_attn_implementation(recorded_attention.NAME)
    return exact


def write(tensors, folder):
    folder.mkdir(exist_ok=True)
    stored = {name: as_stored(tensor) for name, tensor in tensors.items()}
    # One entry only: the order of several entries in the header is not the same on every run.
    made_by = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}, export.py"
    save_file(stored, folder / "reference.safetensors", metadata={"made_by": made_by})
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder.name}: {len(stored)} reference tensors, folder of {size / 1024:.0f} KiB")


def as_stored(tensor):
    tensor = tensor.detach().contiguous()
    return tensor.float() if tensor.is_floating_point() else tensor


if __name__ == "__main__":
    main()
