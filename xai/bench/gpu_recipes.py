"""What is timed in PyTorch on a GPU, besides the four recipes of `pytorch_recipes.py`.

A recipe takes a model and pictures on the device and gives a map or logits there. Before it is timed, `prepared` readies the
model for it: which attention, compiled or recorded. Parameters take no gradients: a recipe that forgets this is slower.
"""

import torch

from pytorch_recipes import forward, relevance, rollout, saliency


def relevance_per_layer(model, pixel_values):
    """Chefer's relevance of class 0 as the authors' notebook takes it: one `autograd.grad` for each layer, full N x N products."""
    output = model(pixel_values.clone().requires_grad_(True), output_attentions=True)
    score = output.logits[:, 0].sum()
    tokens = output.attentions[0].shape[-1]
    product = torch.eye(tokens, dtype=score.dtype, device=score.device).repeat(len(pixel_values), 1, 1)
    for attention in output.attentions:
        (gradient,) = torch.autograd.grad(score, attention, retain_graph=True)
        with torch.inference_mode():
            product = product + (attention.detach() * gradient).clamp(min=0.0).mean(dim=1) @ product
    return product[:, 0, 1:]


def smooth_grad(passes):
    """captum's NoiseTunnel over its Saliency: the mean of the gradients of noisy copies."""

    def recipe(model, pixel_values):
        from captum.attr import NoiseTunnel, Saliency

        tunnel = NoiseTunnel(Saliency(lambda pixels: model(pixels).logits))
        deviation = 0.15 * float(pixel_values.max() - pixel_values.min())
        at_once = min(passes, AT_ONCE)
        settings = {"nt_type": "smoothgrad", "nt_samples": passes, "nt_samples_batch_size": at_once, "stdevs": deviation, "abs": False}
        return tunnel.attribute(pixel_values.clone().requires_grad_(True), target=0, **settings)

    return recipe


def integrated_gradients(passes):
    """captum's, with its own rule of so many steps from a baseline of zeros."""

    def recipe(model, pixel_values):
        from captum.attr import IntegratedGradients

        method = IntegratedGradients(lambda pixels: model(pixels).logits)
        return method.attribute(pixel_values, target=0, n_steps=passes, internal_batch_size=min(passes, AT_ONCE) * len(pixel_values))

    return recipe


AT_ONCE = 50  # Copies in one pass.

# Recipe, what it makes of ours, the function, its attention, how the model is readied.
PLAIN, COMPILED, RECORDED = "plain", "torch.compile", "CUDA graph"


def recipes(passes):
    """All recipes; those that make many passes have so many."""
    return [
        ("forward, SDPA", "forward", forward, "sdpa", PLAIN),
        ("forward, torch.compile", "forward", forward, "sdpa", COMPILED),
        ("forward, CUDA graph", "forward", forward, "sdpa", RECORDED),
        ("forward, eager", "forward", forward, "eager", PLAIN),
        ("eager with maps, rollout", "rollout", rollout, "eager", PLAIN),
        ("one backward to all maps", "relevance", relevance, "eager", PLAIN),
        ("a backward for each layer", "relevance", relevance_per_layer, "eager", PLAIN),
        ("saliency, SDPA", "saliency", saliency, "sdpa", PLAIN),
        ("captum SmoothGrad", f"smooth_grad_{passes}", smooth_grad(passes), "sdpa", PLAIN),
        ("captum integrated gradients", f"integrated_gradients_{passes}", integrated_gradients(passes), "sdpa", PLAIN),
    ]


def prepared(how, recipe, model, pixel_values):
    """A function of pictures that does the recipe."""
    if how == COMPILED:
        # Else what was compiled for other models counts against a limit, beyond which nothing is compiled any more.
        torch.compiler.reset()
        compiled = torch.compile(model, dynamic=False)
        return lambda pixels: recipe(compiled, pixels)
    if how == RECORDED:
        return recorded(recipe, model, pixel_values)
    return lambda pixels: recipe(model, pixels)


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
