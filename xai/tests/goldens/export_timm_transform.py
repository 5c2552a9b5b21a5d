"""Writes timm_transform/: a picture, and what timm's evaluation transform makes of it. See README.md.

    python export_timm_transform.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform

HERE = Path(__file__).resolve().parent / "timm_transform"
SIDE = 12
COMMON = {"input_size": [3, SIDE, SIDE], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
CASES = {
    "center": COMMON | {"interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center"},
    "squash": COMMON | {"interpolation": "bilinear", "crop_pct": 0.875, "crop_mode": "squash"},
    "whole": COMMON | {"interpolation": "bicubic", "crop_pct": 1.0, "mean": [0.5] * 3, "std": [0.5] * 3},
}


def main():
    HERE.mkdir(exist_ok=True)
    rows, cols = np.mgrid[0:22, 0:31]
    noise = np.random.default_rng(3).integers(0, 60, (22, 31, 3))
    picture = (np.stack([8 * rows, 6 * cols, 3 * (rows + cols)], -1) + noise).clip(0, 255).astype(np.uint8)
    tensors = {"picture": torch.from_numpy(picture).float()}
    for name, case in CASES.items():
        transform = create_transform(**{"crop_mode": "center"} | case)
        tensors[f"pixels.{name}"] = transform(Image.fromarray(picture))[None]
    save_file(tensors, HERE / "reference.safetensors")
    (HERE / "cases.json").write_text(json.dumps(CASES, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
