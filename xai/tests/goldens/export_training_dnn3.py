"""Writes thesis_training/: three steps of AdamW on the thesis's classifier behind a tiny ViT. See README.md.

    python export_training_dnn3.py

Starts from layouts/thesis (its largest matrices follow a formula); in float64, rounded once when stored. Of tensors with more than
5000 values every 61st is stored.
"""

import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from own_models import Thesis

HERE = Path(__file__).resolve().parent
LABELS = [1, 3, 0, 3, 6]
# An eps of the gradients' size: the biases before BatchNorm have no gradient but rounding, which must not be divided by itself.
ADAMW = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-4, "weight_decay": 0.05}
LARGE, EVERY = 5000, 61


def main():
    torch.set_num_threads(1)
    config = transformers.ViTConfig(
        hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, image_size=(8, 12), patch_size=4
    )
    model = Thesis(config, classes=7)
    model.spread_statistics(seed=72)
    stored = {name.removeprefix("module."): tensor for name, tensor in load_file(HERE / "layouts/thesis/model.safetensors").items()}
    left_out = model.load_state_dict(stored, strict=False)
    assert not left_out.unexpected_keys and all(name.startswith("vit.classifier.fc") for name in left_out.missing_keys)
    model = model.double().train()
    generator = torch.Generator().manual_seed(91)
    pixels = torch.rand((len(LABELS), 3, 8, 12), generator=generator) * 2.0 - 1.0
    optimiser, losses = torch.optim.AdamW(model.parameters(), **ADAMW), []
    for _ in range(3):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(pixels.double()), torch.tensor(LABELS))
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    print("losses", losses)
    assert losses[2] < losses[1] < losses[0], "three steps must lower the loss"
    with tempfile.TemporaryDirectory() as folder:
        model.vit.save_pretrained(folder)
        after = load_file(Path(folder) / "model.safetensors")
    tensors = {"pixel_values": pixels, "losses": torch.tensor(losses)}
    for name, tensor in after.items():
        if tensor.is_floating_point():
            tensors[f"after_3_steps.{name}"] = tensor if tensor.numel() <= LARGE else tensor.flatten()[::EVERY]
    (HERE / "thesis_training").mkdir(exist_ok=True)
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, HERE / "thesis_training/reference.safetensors")


if __name__ == "__main__":
    main()
