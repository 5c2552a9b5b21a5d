"""The PyTorch worker: forward pass, rollout, relevance and saliency in float32 and bfloat16. Protocol: README.md."""

import argparse
import os

import torch
import transformers

import answers
from pytorch_models import build
from pytorch_recipes import ATTENTION, TASKS

PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda:N; pictures come from the processor's memory in every run")
    device = torch.device(parser.parse_args().device)
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    tasks = {precision: list(TASKS) for precision in PRECISIONS}
    if device.type == "cuda":
        versions["device"] = torch.cuda.get_device_name(device)
    answers.answer("PyTorch", torch.get_num_threads(), versions, tasks, lambda *wanted: load(device, *wanted))


def load(device, name, batch, precision):
    model, side = build(name)
    model = model.to(device, PRECISIONS[precision])
    pixel_values = torch.randn(batch, 3, side, side).to(PRECISIONS[precision])

    def ready(task):
        model.set_attn_implementation(ATTENTION[task])
        # The list waits for the device.
        return lambda: sum(map(len, TASKS[task](model, pixel_values.to(device)).flatten(1).float().tolist()))

    return ready


if __name__ == "__main__":
    main()
