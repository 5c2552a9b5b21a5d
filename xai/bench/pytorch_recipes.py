"""What is timed in PyTorch: each recipe as it is commonly written, from pixels in memory to plain numbers.

`forward` and `saliency` use the library's fused attention (SDPA). Fused attention shows no maps, so `rollout` and
`relevance` use its eager attention. Parameters take no gradients: a recipe that forgets this is slower.
"""

import torch


def forward(model, pixel_values):
    """Class scores, nothing else."""
    with torch.inference_mode():
        return model(pixel_values).logits


def rollout(model, pixel_values):
    """Attention rollout: mean over heads, plus identity, rows renormalised, full N x N products, row of CLS."""
    with torch.inference_mode():
        attentions = model(pixel_values, output_attentions=True).attentions
        identity = torch.eye(attentions[0].shape[-1], dtype=attentions[0].dtype, device=attentions[0].device)
        product = identity.expand(len(pixel_values), -1, -1)
        for attention in attentions:  # (B, H, N, N)
            fused = attention.mean(dim=1) + identity
            fused = fused / fused.sum(dim=-1, keepdim=True)
            product = fused @ product
        return product[:, 0, 1:]


def relevance(model, pixel_values):
    """Chefer's generic relevance (ICCV 2021) of class 0: one backward pass to all attention maps, full N x N products."""
    output = model(pixel_values.clone().requires_grad_(True), output_attentions=True)
    gradients = torch.autograd.grad(output.logits[:, 0].sum(), output.attentions)
    with torch.inference_mode():
        identity = torch.eye(gradients[0].shape[-1], dtype=gradients[0].dtype, device=gradients[0].device)
        product = identity.repeat(len(pixel_values), 1, 1)
        for attention, gradient in zip(output.attentions, gradients):
            product = product + (attention * gradient).clamp(min=0.0).mean(dim=1) @ product
        return product[:, 0, 1:]


def saliency(model, pixel_values):
    """Largest absolute gradient of class 0 over the channels of a pixel."""
    pixel_values = pixel_values.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(pixel_values).logits[:, 0].sum(), pixel_values)
    return gradient.abs().amax(dim=1)


TASKS = {recipe.__name__: recipe for recipe in (forward, rollout, relevance, saliency)}
ATTENTION = {"forward": "sdpa", "rollout": "eager", "relevance": "eager", "saliency": "sdpa"}
