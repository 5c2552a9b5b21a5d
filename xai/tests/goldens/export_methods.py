"""Writes what PyTorch and captum say about the methods that weigh attention, sample, or integrate. See README.md.

    python export_methods.py        rewrites hf_vit_methods/ and dinov2_methods/

The models and pixels are those of export.py, which comes first; everything derived from them is float64 and stored as float32.
"""

from pathlib import Path

import captum
import numpy as np
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency
from safetensors.torch import load_file, save_file
from transformers import Dinov2ForImageClassification, ViTForImageClassification

import checks
import recorded_attention
from export import AGAINST, CLASS, as_stored, in_float64, positions

HERE = Path(__file__).resolve().parent
TARGETS = {f"class_{CLASS}": {CLASS: 1.0}, f"contrast_{CLASS}_{AGAINST}": {CLASS: 1.0, AGAINST: -1.0}}
STEPS = (5, 50)
FINE = 20_000  # midpoints of the reference integral
SAMPLES = 6


def main():
    torch.set_num_threads(1)
    for name, kind in (("hf_vit", ViTForImageClassification), ("dinov2", Dinov2ForImageClassification)):
        model = in_float64(kind.from_pretrained(HERE / name).eval())
        pixel_values = load_file(HERE / name / "reference.safetensors")["pixel_values"].double()
        if name == "dinov2":
            # As in export.py: the library resizes positions in float32, the reference takes the float64 table.
            rows, cols = (side // model.config.patch_size for side in pixel_values.shape[2:])
            table = positions(model.dinov2.embeddings.float(), rows, cols)
            model.double().dinov2.embeddings.interpolate_pos_encoding = lambda *_: table
        write(explained(model, pixel_values), HERE / f"{name}_methods")


def explained(model, pixel_values):
    tensors = {"noise": torch.randn((SAMPLES, *pixel_values.shape[1:]), generator=torch.Generator().manual_seed(41)).float()}
    for target, weights in TARGETS.items():
        score = Score(model, weights)
        for fixed in (True, False):
            name = f"gradient_rollout.{'fixed' if fixed else 'compat'}.{target}"
            tensors[name] = gradient_rollouts(model, pixel_values, score, fixed)
        tensors |= smooth_grads(score, pixel_values, tensors["noise"].double(), target)
        tensors |= integrals(score, pixel_values, target)
    clear_discards(model, pixel_values)
    for name, tensor in tensors.items():
        assert torch.isfinite(tensor).all() and (name.startswith("gap.") or tensor.abs().max() > 1e-3), name
    return tensors


class Score(torch.nn.Module):
    """A weighted sum of logits for each image: the target of every method here."""

    def __init__(self, model, weights):
        super().__init__()
        self.model, self.weights = model, weights

    def forward(self, pixel_values):
        return self.of(recorded_attention.run(self.model, pixel_values)[0].logits)

    def of(self, logits):
        return sum(weight * logits[:, index] for index, weight in self.weights.items())


def gradient_rollouts(model, pixel_values, score, fixed):
    """The whole product for every image, (B, N, N), as its source writes it and as it is meant."""
    output, attentions = recorded_attention.run(model, pixel_values)
    gradients = torch.autograd.grad(score.of(output.logits).sum(), attentions)
    pairs = zip(attentions, gradients if fixed else reversed(gradients), strict=True)
    pairs = [(attention.detach(), gradient) for attention, gradient in pairs]
    images = [gradient_rollout([(a[image], g[image]) for a, g in pairs], fixed) for image in range(len(pixel_values))]
    return torch.stack(images)


def gradient_rollout(pairs, fixed, discard=0.9):
    """F = max(0, mean over heads of attention * gradient), the lowest dropped, (F + I) / 2, normalised, multiplied."""
    tokens = pairs[0][0].shape[-1]
    product = torch.eye(tokens).double()
    for attention, gradient in pairs:
        fused = (attention * gradient).mean(0).clamp(min=0.0)
        lowest = fused.flatten().sort(stable=True).indices[: int(tokens * tokens * discard)]
        dropped = torch.zeros(tokens * tokens, dtype=torch.bool)
        dropped[lowest] = True
        dropped = dropped.view(tokens, tokens)
        if fixed:
            dropped[:, 0] = False
        layer = (fused.masked_fill(dropped, 0.0) + torch.eye(tokens)) / 2.0
        sums = layer.sum(-1, keepdim=True)
        layer = layer / (sums if fixed else sums.T)
        product = layer @ product
    return product


def clear_discards(model, pixel_values):
    """No entry on the edge of a discard is so close to its neighbour that float32 could swap them."""
    output, attentions = recorded_attention.run(model, pixel_values)
    for weights in TARGETS.values():
        gradients = torch.autograd.grad(Score(model, weights).of(output.logits).sum(), attentions, retain_graph=True)
        for order in (gradients, gradients[::-1]):
            for attention, gradient in zip(attentions, order):
                ordered = (attention * gradient).mean(1).clamp(min=0.0).flatten(1).sort(dim=1).values
                edge = int(ordered.shape[1] * 0.9)
                close = ((ordered[:, edge] - ordered[:, edge - 1]) / ordered[:, -1])[ordered[:, edge] > 0]
                assert close.numel() == 0 or close.min() > 1e-6, f"a discard hangs on {close.min():.1e}"


def smooth_grads(score, pixel_values, noise, target):
    """Mean, mean square and variance of gradients over the same deviates for every image, 15 % of its own range."""
    spread = 0.15 * (pixel_values.amax((1, 2, 3)) - pixel_values.amin((1, 2, 3)))
    gradients = []
    for deviates in noise:
        noisy = (pixel_values + spread.view(-1, 1, 1, 1) * deviates).requires_grad_(True)
        gradients.append(torch.autograd.grad(score(noisy).sum(), noisy)[0])
    gradients = torch.stack(gradients)
    mean = gradients.mean(0)
    captum_agrees_in_the_mean(score, pixel_values, spread)
    return {
        f"smooth_grad.mean.{target}": mean,
        f"smooth_grad.mean_square.{target}": gradients.square().mean(0),
        f"smooth_grad.variance.{target}": (gradients - mean).square().mean(0),
    }


def captum_agrees_in_the_mean(score, pixel_values, spread, samples=4_000):
    """captum draws noise of its own; over many samples both means must meet within what chance allows."""
    one = pixel_values[:1]
    torch.manual_seed(1)
    tunnel = NoiseTunnel(Saliency(score))
    ask = {"nt_type": "smoothgrad", "nt_samples": samples, "nt_samples_batch_size": 500, "stdevs": spread[0].item(), "abs": False}
    theirs = tunnel.attribute(one, **ask)
    generator, ours = torch.Generator().manual_seed(2), []
    for _ in range(samples // 500):
        noisy = one + spread[0] * torch.randn((500, *one.shape[1:]), generator=generator).double()
        noisy.requires_grad_(True)
        ours.append(torch.autograd.grad(score(noisy).sum(), noisy)[0])
    ours = torch.cat(ours)
    allowed = 5.0 * ours.std(0) * (2.0 / samples) ** 0.5
    worst = ((theirs[0] - ours.mean(0)).abs() / allowed).max().item()
    print(f"  captum's smoothgrad: at most {5 * worst:.1f} standard errors away over {ours[0].numel()} values")
    assert worst < 1.0, "captum means something else by smoothgrad"


def integrals(score, pixel_values, target):
    """captum's integrated gradients, and a reference with so many midpoints that quadrature does not show."""
    tensors, explainer = {}, IntegratedGradients(score, multiply_by_inputs=True)
    for baseline, value in (("mean", 0.0), ("black", -1.0)):
        start = torch.full_like(pixel_values, value)
        change = score(pixel_values) - score(start)
        for steps in STEPS:
            ask = {"baselines": start, "n_steps": steps, "method": "gausslegendre", "internal_batch_size": 64}
            found, gap = explainer.attribute(pixel_values, return_convergence_delta=True, **ask)
            tensors[f"integrated_gradients.{baseline}.{steps}.{target}"] = found
            tensors[f"gap.{baseline}.{steps}.{target}"] = gap
            print(f"  {target}, {baseline}, {steps} steps: gap {(gap / change).abs().max():.1e} of the change")
        exact = fine_integral(score, start, pixel_values)
        checks.close(f"completeness from {baseline}", exact.sum((1, 2, 3)), change, 1e-5)
        tensors[f"integrated_gradients.{baseline}.exact.{target}"] = exact
    return tensors


def fine_integral(score, start, pixel_values):
    sums = []
    for first, last in zip(start, pixel_values):
        total = torch.zeros_like(first)
        for places in ((torch.arange(FINE).double() + 0.5) / FINE).split(1_000):
            points = (first + places.view(-1, 1, 1, 1) * (last - first)).requires_grad_(True)
            total += torch.autograd.grad(score(points).sum(), points)[0].sum(0)
        sums.append(total / FINE * (last - first))
    return torch.stack(sums)


def write(tensors, folder):
    folder.mkdir(exist_ok=True)
    made_by = f"torch {torch.__version__.split('+')[0]}, captum {captum.__version__}, numpy {np.__version__}, export_methods.py"
    save_file({name: as_stored(tensor) for name, tensor in tensors.items()}, folder / "reference.safetensors", metadata={"made_by": made_by})
    print(f"{folder.name}: {len(tensors)} tensors, {(folder / 'reference.safetensors').stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
