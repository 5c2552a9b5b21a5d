"""Operations of a forward pass, and what the processor can do."""

import json
import shlex
import subprocess

# Layers, width, MLP width, tokens, patch side.
SHAPES = {
    "vit_large_patch32_384": (24, 1024, 4096, 145, 32),
    "vit_base_patch16_224": (12, 768, 3072, 197, 16),
    "dinov2_small": (12, 384, 1536, 257, 14),
}


def with_flops(model, batch):
    """Multiplications and additions of a forward pass: products with weights, and attention's two products."""
    layers, width, hidden, tokens, patch = SHAPES[model]
    weights = 2 * tokens * (4 * width * width + 2 * width * hidden) * layers
    attention = 4 * tokens * tokens * width * layers
    patches = 2 * (tokens - 1) * 3 * patch * patch * width
    return {"forward_gflop": batch * (weights + attention + patches) / 1e9, "fused_maps_bytes": batch * layers * tokens * tokens * 4}


def fma_peak(command):
    """GFLOP/s of loops that only multiply and add, by instruction set; nothing without the program that measures it."""
    if not command:
        return {}
    return json.loads(subprocess.run(shlex.split(command), check=True, capture_output=True, text=True).stdout)
