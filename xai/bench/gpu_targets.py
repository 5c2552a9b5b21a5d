"""What the GPU benchmark aims at, and how each figure is read from its results."""

from dataclasses import dataclass
from typing import Callable

NOT_MEASURED = "not measured"
LARGE, BASE, HUGE = "vit_large_patch32_384", "vit_base_patch16_384", "vit_huge_patch14_224"


@dataclass
class Target:
    """A goal: `figure` gives a number of the results, or None; `shown` writes a number. What has no limit is told beside the goals."""

    goal: str
    limit: float | None  # None: nothing to reach.
    further: float | None
    shown: Callable[[float], str]
    figure: Callable
    at_least: bool = True

    @property
    def target(self):
        return self.bound(self.limit)

    @property
    def stretch(self):
        return self.bound(self.further)

    def bound(self, value):
        return "" if value is None else f"{'≥' if self.at_least else '≤'} {self.shown(value)}"

    def measured(self, found):
        value = self.figure(found)
        if value is None:
            return NOT_MEASURED
        if self.limit is None:
            return self.shown(value)
        reached = value >= self.limit if self.at_least else value <= self.limit
        return f"{self.shown(value)} ({'reached' if reached else 'missed'})"


def over(above, below):
    return None if above is None or below is None else above / below


def rate(model, **how):
    return lambda found: over(64e3, found.own(model, 64, "forward", **how))


def beside_forward(model, task, extra=0.0):
    """By the time in which the device computes: what is between the passes is not theirs."""

    def figure(found):
        ratio = over(found.own(model, 64, task, clock="computing"), found.own(model, 64, "forward", clock="computing"))
        return None if ratio is None else ratio - extra

    return figure


def beside_peer(batch, task, *recipes):
    """Against the fastest of these."""
    return lambda found: over(found.peer(LARGE, batch, *recipes), found.own(LARGE, batch, task))


def images(value):
    return f"{value:,.0f} img/s"


def milliseconds(value):
    return f"{value:.2f} ms"


def percent(value):
    return f"{100 * value:.1f} %"


def times(value):
    return f"{value:.1f} ×"


TARGETS = [
    Target("ViT-L/32-384 forward, 64 pictures", 6000, 6800, images, rate(LARGE)),
    Target("ViT-B/16-384 forward, 64 pictures", 4300, 4900, images, rate(BASE)),
    Target("ViT-H/14-224 forward, 64 pictures", 1600, 1850, images, rate(HUGE)),
    Target("ViT-L/32-384 forward, one picture, recorded", 0.60, 0.35, milliseconds, lambda found: found.own(LARGE, 1, "forward"), False),
    Target("ViT-L/32-384 rollout of the class token over the forward pass", 0.03, 0.0, percent, beside_forward(LARGE, "rollout", 1.0), False),
    Target("ViT-B/16-384 rollout of the class token over the forward pass", 0.08, None, percent, beside_forward(BASE, "rollout", 1.0), False),
    Target("ViT-L/32-384 Chefer's relevance beside the forward pass", 2.2, 2.0, times, beside_forward(LARGE, "relevance"), False),
    Target("ViT-L/32-384 SmoothGrad of 50, one picture", 20, 16, milliseconds, lambda found: found.own(LARGE, 1, "smooth_grad_50"), False),
    Target(
        "ViT-L/32-384 integrated gradients of 50, one picture",
        20,
        16,
        milliseconds,
        lambda found: found.own(LARGE, 1, "integrated_gradients_50"),
        False,
    ),
    Target("rollout against eager with maps, ViT-L/32-384, 64 pictures", 2.5, 4, times, beside_peer(64, "rollout", "eager with maps, rollout")),
    Target(
        "relevance against one backward to all maps (a CUDA graph of it where that is faster), one picture",
        None,
        None,
        times,
        beside_peer(1, "relevance", "one backward to all maps", "relevance, CUDA graph"),
    ),
    Target(
        "relevance against the official per-layer loop at 24 layers (all layers, one autograd.grad each, full N × N products), one picture",
        10,
        20,
        times,
        beside_peer(1, "relevance", "a backward for each layer"),
    ),
    Target(
        "SmoothGrad of 50 against captum's or one by hand, whichever is faster",
        1.5,
        2,
        times,
        beside_peer(1, "smooth_grad_50", "captum SmoothGrad", "SmoothGrad by hand"),
    ),
    Target(
        "integrated gradients of 50 against captum's or those by hand, whichever is faster",
        1.5,
        2,
        times,
        beside_peer(1, "integrated_gradients_50", "captum integrated gradients", "integrated gradients by hand"),
    ),
    Target("ViT-L/32-384 forward without cublasLt, 64 pictures", 3600, None, images, rate(LARGE, products="own")),
]
