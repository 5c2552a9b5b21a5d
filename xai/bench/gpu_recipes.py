"""What is timed in PyTorch on a GPU, besides the four recipes of `pytorch_recipes.py`.

A recipe takes a model and pictures on the device and gives a map or logits there. Before it is timed, `prepared` readies the
model for it: which attention, compiled or recorded. Parameters take no gradients: a recipe that forgets this is slower.
"""

from dataclasses import dataclass
from typing import Callable

import torch

import gpu_gradients
from pytorch_recipes import forward, relevance, rollout, saliency


def relevance_per_layer(model, pixel_values):
    """Chefer's relevance of class 0 with one `autograd.grad` for each layer, full N x N products, all layers.

    The loop is that of the authors' notebook for CLIP, which begins at the last layer unless it is told another: a reader who leaves
    it at that pays for one layer, not for all of them, and gets another map.
    """
    output = model(pixel_values.clone().requires_grad_(True), output_attentions=True)
    score = output.logits[:, 0].sum()
    tokens = output.attentions[0].shape[-1]
    product = torch.eye(tokens, dtype=score.dtype, device=score.device).repeat(len(pixel_values), 1, 1)
    for attention in output.attentions:
        (gradient,) = torch.autograd.grad(score, attention, retain_graph=True)
        with torch.inference_mode():
            product = product + (attention.detach() * gradient).clamp(min=0.0).mean(dim=1) @ product
    return product[:, 0, 1:]


def forward_timm(model, pixel_values):
    """Class scores of timm's model, which gives them as they are."""
    with torch.inference_mode():
        return model(pixel_values)


# How a model is readied: as it is; recorded with the recipe around it; compiled; compiled and recorded by the compiler.
PLAIN, RECORDED, COMPILED, REDUCED = "plain", "CUDA graph", "torch.compile", "torch.compile, reduce-overhead"


@dataclass
class Recipe:
    """A row: its name, what it makes of ours, and `ready`, which gives for a picture the function that is timed."""

    name: str
    task: str
    ready: Callable
    attention: str = "sdpa"
    how: str = PLAIN
    library: str = "transformers"
    only_one: bool = False  # Picture at a time.

    @property
    def is_compiled(self):
        return self.how in (COMPILED, REDUCED)

    def takes(self, batch):
        return batch == 1 or not self.only_one


def at_once(function):
    """A recipe that has nothing to make before."""
    return lambda _picture: function


def recipes(passes):
    """All recipes, in the order in which targets need them; those that make many passes have so many."""
    smooth, path = f"smooth_grad_{passes}", f"integrated_gradients_{passes}"
    return [
        Recipe("eager with maps, rollout", "rollout", at_once(rollout), "eager"),
        Recipe("one backward to all maps", "relevance", at_once(relevance), "eager"),
        Recipe("a backward for each layer", "relevance", at_once(relevance_per_layer), "eager"),
        Recipe("captum SmoothGrad", smooth, gpu_gradients.captum_smooth_grad(passes), only_one=True),
        Recipe("SmoothGrad by hand", smooth, gpu_gradients.smooth_grad(passes), only_one=True),
        Recipe("captum integrated gradients", path, gpu_gradients.captum_integrated_gradients(passes), only_one=True),
        Recipe("integrated gradients by hand", path, gpu_gradients.integrated_gradients(passes), only_one=True),
        Recipe("forward, SDPA", "forward", at_once(forward)),
        Recipe("forward, eager", "forward", at_once(forward), "eager"),
        Recipe("saliency, SDPA", "saliency", at_once(saliency)),
        Recipe("forward, CUDA graph", "forward", at_once(forward), how=RECORDED),
        Recipe("rollout, CUDA graph", "rollout", at_once(rollout), "eager", RECORDED),
        Recipe("relevance, CUDA graph", "relevance", at_once(relevance), "eager", RECORDED),
        Recipe("saliency, CUDA graph", "saliency", at_once(saliency), how=RECORDED),
        Recipe("forward, torch.compile", "forward", at_once(forward), how=COMPILED),
        Recipe("forward, torch.compile, reduce-overhead", "forward", at_once(forward), how=REDUCED, only_one=True),
        Recipe("forward, timm, torch.compile", "forward", at_once(forward_timm), how=COMPILED, library="timm"),
        Recipe("forward, timm, torch.compile, reduce-overhead", "forward", at_once(forward_timm), how=REDUCED, library="timm", only_one=True),
    ]


def prepared(recipe, model, picture):
    """A function of pictures that does the recipe."""
    if recipe.library == "transformers":
        model.set_attn_implementation(recipe.attention)
    function = recipe.ready(picture)
    if recipe.is_compiled:
        # Else what was compiled for other models counts against a limit, beyond which nothing is compiled any more.
        torch.compiler.reset()
        compiled = torch.compile(model, dynamic=False, mode="reduce-overhead" if recipe.how == REDUCED else "default")
        return lambda pixels: function(compiled, pixels)
    if recipe.how == RECORDED:
        return recorded(function, model, picture)
    return lambda pixels: function(model, pixels)


def recorded(recipe, model, pixel_values):
    """The recipe as one recording of the device that is replayed; pictures are copied to where it reads them."""
    if pixel_values.device.type != "cuda":
        raise NotImplementedError("CUDA graphs need a CUDA device")
    place, graph = pixel_values.clone(), torch.cuda.CUDAGraph()
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            recipe(model, place)
    torch.cuda.current_stream().wait_stream(aside)
    with torch.cuda.graph(graph):
        result = recipe(model, place)

    def replay(pixels):
        place.copy_(pixels)
        graph.replay()
        return result

    return replay
