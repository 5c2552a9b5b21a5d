"""Writes a checkpoint as the thesis saves one, in small, and what PyTorch says about it. See README.md.

    python thesis.py            rewrites thesis/

A ViT inside a module of the thesis's own, wrapped in DataParallel; behind it the classifier of three hidden layers with
BatchNorm1d, whose running statistics matter. Names are those of transformers 4. Half precision, because the classifier's own
widths (512, 256, 64) do not shrink with the model.
"""

import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTModel

from tiny_models import pixels, redraw

FOLDER = Path(__file__).resolve().parent / "thesis"
WIDTH = 8
CLASSES = [
    "nevus",
    "melanoma",
    "seborrheic keratosis",
    "basal cell carcinoma",
    "pigmented benign keratosis",
    "actinic keratosis",
    "squamous cell carcinoma",
]
HEIGHT, PATCH = 12, 4


class Classifier(torch.nn.Module):
    """Dense layers of 512, 256 and 64 with BatchNorm and ReLU between, then the classes."""

    def __init__(self):
        super().__init__()
        widths = [WIDTH, 512, 256, 64]
        for layer in (1, 2, 3):
            setattr(self, f"fc{layer}", torch.nn.Linear(widths[layer - 1], widths[layer]))
            setattr(self, f"bn{layer}", torch.nn.BatchNorm1d(widths[layer]))
        self.out = torch.nn.Linear(64, len(CLASSES))

    def forward(self, values):
        for layer in (1, 2, 3):
            values = torch.relu(getattr(self, f"bn{layer}")(getattr(self, f"fc{layer}")(values)))
        return self.out(values)


def main():
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    vit, classifier = models()
    state = {f"module.vit.vit.{name}": tensor for name, tensor in names_of_transformers_4(vit).items()}
    state |= {f"module.vit.classifier.{name}": halved(tensor) for name, tensor in classifier.state_dict().items()}
    torch.save(state, FOLDER / "thesis.pth")
    batch = pixels(seed=31, height=HEIGHT, width=HEIGHT)
    with torch.no_grad():
        exact, tokens = classifier.double(), vit.double()(batch.double()).last_hidden_state
        logits = exact(tokens[:, 0])
    reference = {"pixel_values": batch, "features": tokens[:, 0], "logits": logits}
    save_file({name: tensor.float().contiguous() for name, tensor in reference.items()}, FOLDER / "reference.safetensors")
    (FOLDER / "config.json").write_text(json.dumps(config_json(vit), indent=2) + "\n")


def models():
    """Both with numbers that half precision holds, so that the file and the reference say the same."""
    config = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=HEIGHT, patch_size=PATCH
    )
    vit, classifier = redraw(ViTModel(config, add_pooling_layer=False), seed=29), redraw(Classifier(), seed=30)
    generator = torch.Generator().manual_seed(32)
    for name, values in sorted(classifier.named_buffers()):
        if name.endswith("running_mean"):
            values.copy_(0.5 * torch.randn(values.shape, generator=generator))
        elif name.endswith("running_var"):
            values.copy_(0.3 + 2.0 * torch.rand(values.shape, generator=generator))
        else:
            values.fill_(1234)
    return vit.half().float(), classifier.half().float()


def names_of_transformers_4(vit):
    """The library writes them to disk, although its classes are named otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        vit.save_pretrained(folder)
        return {name: halved(tensor) for name, tensor in load_file(Path(folder) / "model.safetensors").items()}


def halved(tensor):
    return tensor.half() if tensor.is_floating_point() else tensor.clone()


def config_json(vit):
    sizes = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size", "patch_size", "layer_norm_eps"]
    return {"model_type": "vit"} | {name: getattr(vit.config, name) for name in sizes} | {"id2label": dict(enumerate(CLASSES))}


if __name__ == "__main__":
    main()
