"""Writes one of the benchmark's models as ONNX: `python export_onnx.py MODEL BATCH FILE`."""

import sys

import torch

from pytorch_models import build


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model(pixels).logits


def main():
    name, batch, file = sys.argv[1:]
    torch.manual_seed(0)
    model, side = build(name)
    model.set_attn_implementation("sdpa")
    pixels = torch.randn(int(batch), 3, side, side)
    torch.onnx.export(Logits(model), (pixels,), file, input_names=["pixels"], output_names=["logits"], dynamo=True)


if __name__ == "__main__":
    main()
