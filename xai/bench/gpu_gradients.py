"""Means of many gradients in PyTorch, for one picture: captum's, and by hand as short as they can be written.

Each gives, for a picture on the device, a function of model and pictures. What does not belong into a recipe's time (the scale
of the noise, which the processor reads from the device; a rule's points) is made before.
"""

import torch

AT_ONCE = 50  # Copies in one pass.


def scale(pixel_values):
    """The noise's deviation, as SmoothGrad's authors have it: 15 % of the range."""
    return 0.15 * float(pixel_values.max() - pixel_values.min())


def captum_smooth_grad(passes):
    """captum's NoiseTunnel over its Saliency: the mean of the gradients of noisy copies."""

    def ready(picture):
        from captum.attr import NoiseTunnel, Saliency

        settings = {"nt_type": "smoothgrad", "nt_samples": passes, "nt_samples_batch_size": min(passes, AT_ONCE), "stdevs": scale(picture)}

        def recipe(model, pixel_values):
            tunnel = NoiseTunnel(Saliency(lambda pixels: model(pixels).logits))
            return tunnel.attribute(pixel_values.clone().requires_grad_(True), target=0, abs=False, **settings)

        return recipe

    return ready


def captum_integrated_gradients(passes):
    """captum's, with its own rule of so many steps from a baseline of zeros."""

    def ready(_picture):
        from captum.attr import IntegratedGradients

        def recipe(model, pixel_values):
            method = IntegratedGradients(lambda pixels: model(pixels).logits)
            return method.attribute(pixel_values, target=0, n_steps=passes, internal_batch_size=min(passes, AT_ONCE) * len(pixel_values))

        return recipe

    return ready


def smooth_grad(passes):
    """The same mean by hand: noise is made on the device, copies go in batches, and nothing else is done."""

    def ready(picture):
        deviation = scale(picture)

        def recipe(model, pixel_values):
            total = torch.zeros_like(pixel_values)
            for count in batches(passes):
                copies = pixel_values.expand(count, -1, -1, -1)
                total += gradients(model, copies + deviation * torch.randn_like(copies)).sum(dim=0, keepdim=True)
            return total / passes

        return recipe

    return ready


def integrated_gradients(passes):
    """captum's rule (Gauss and Legendre's points, a baseline of zeros) by hand."""

    def ready(picture):
        import numpy

        points, weights = numpy.polynomial.legendre.leggauss(passes)
        settings = {"dtype": picture.dtype, "device": picture.device}
        points, weights = (torch.tensor(values / 2, **settings).view(-1, 1, 1, 1) for values in (points + 1, weights))

        def recipe(model, pixel_values):
            total, begin = torch.zeros_like(pixel_values), 0
            for count in batches(passes):
                part = slice(begin, begin + count)
                total += (weights[part] * gradients(model, points[part] * pixel_values)).sum(dim=0, keepdim=True)
                begin += count
            return total * pixel_values

        return recipe

    return ready


def batches(passes):
    return [min(AT_ONCE, passes - begin) for begin in range(0, passes, AT_ONCE)]


def gradients(model, pixel_values):
    """Of class 0, for every picture."""
    pixel_values = pixel_values.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(pixel_values).logits[:, 0].sum(), pixel_values)
    return gradient
