"""The PyTorch worker: forward pass, rollout, relevance and saliency in float32 and bfloat16. Protocol: README.md."""

import os

import torch
import transformers

import answers
from pytorch_models import build
from pytorch_recipes import ATTENTION, TASKS

PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16}


def main():
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    tasks = {precision: list(TASKS) for precision in PRECISIONS}
    answers.answer("PyTorch", torch.get_num_threads(), versions, tasks, load)


def load(name, batch, precision):
    model, side = build(name)
    model = model.to(PRECISIONS[precision])
    pixel_values = torch.randn(batch, 3, side, side).to(PRECISIONS[precision])

    def ready(task):
        model.set_attn_implementation(ATTENTION[task])
        return lambda: sum(map(len, TASKS[task](model, pixel_values).flatten(1).float().tolist()))

    return ready


if __name__ == "__main__":
    main()
