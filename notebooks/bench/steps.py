"""The cells that each kernel is given; the same work in every language, as far as it can do it."""

from pathlib import Path

MODEL = Path(__file__).resolve().parents[2] / "workbench" / "models" / "vit_drawn"

PELLUCID = {
    "nothing": "1;",
    "first": 'let model = load("drawn")?;\nlet lesion = drawn::lesion(7, LesionClass::Melanoma);\nmodel.explain(&lesion, Method::rollout())?',
    "sum warm": "1+1",
    "sum": "2+2",
    "call warm": "model.explain(&drawn::lesion(8, LesionClass::Nevus), Method::rollout())?",
    "call": "model.explain(&drawn::lesion(9, LesionClass::Nevus), Method::rollout())?",
    "frame warm": 'let frame = df!("class" => ["nevus", "melanoma", "nevus"], "area" => [3.0, 5.0, 4.0])?;',
    "frame": 'frame.clone().lazy().group_by([col("class")]).agg([col("area").mean()]).sort(["class"], Default::default()).collect()?',
}

# evcxr knows no types of a library that it did not build, so variables of ours name them.
EVCXR = PELLUCID | {
    "first": 'let model: pellucid::Model = load("drawn")?;\nlet lesion: pellucid::Lesion = drawn::lesion(7, LesionClass::Melanoma);\n'
    "model.explain(&lesion, Method::rollout())?",
    "frame warm": 'let frame: DataFrame = df!("class" => ["nevus", "melanoma", "nevus"], "area" => [3.0, 5.0, 4.0])?;',
}

# Without the workbench: with it, stock evcxr builds it anew at every start, for minutes.
STOCK = {"nothing": "1;", "sum warm": "1+1", "sum": "2+2"}

PYTHON = {
    "nothing": "1;",
    "first": f"""
import numpy as np, torch
from matplotlib import pyplot as plt
from transformers import ViTForImageClassification
model = ViTForImageClassification.from_pretrained({str(MODEL)!r}, attn_implementation="eager", dtype=torch.float32).eval()
def explain(seed):
    y, x = np.mgrid[-1:1:168j, -1:1:168j]
    noise = np.random.default_rng(seed).normal(0, 0.03, (168, 168, 3))
    picture = np.clip(np.where((x**2 + y**2 < 0.25)[..., None], [0.4, 0.25, 0.2], [0.85, 0.65, 0.55]) + noise, 0, 1)
    pixels = torch.tensor((picture - 0.5) / 0.5, dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.no_grad():
        maps = model(pixels, output_attentions=True).attentions
    rolled = torch.eye(maps[0].shape[-1])
    for a in maps:
        a = a.mean(1)[0] / 2 + torch.eye(a.shape[-1]) / 2
        rolled = a / a.sum(-1, keepdim=True) @ rolled
    figure, axes = plt.subplots(1, 2)
    axes[0].imshow(picture)
    axes[1].imshow(picture)
    axes[1].imshow(rolled[0, 1:].reshape(12, 12), alpha=0.5, extent=(0, 168, 168, 0))
    plt.show()
explain(7)
""",
    "sum warm": "1+1",
    "sum": "2+2",
    "call warm": "explain(8)",
    "call": "explain(9)",
    "frame warm": 'import pandas\nframe = pandas.DataFrame({"class": ["nevus", "melanoma", "nevus"], "area": [3.0, 5.0, 4.0]})',
    "frame": 'frame.groupby("class").area.mean().sort_index()',
}
