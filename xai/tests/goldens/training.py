"""Reference for fine-tuning: a loss, the gradients of all weights, three steps of AdamW."""

import tempfile

import torch
from safetensors.torch import load_file

import recorded_attention

LABELS = [1, 3]
ADAMW = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.05}
STEPS = 3


def training_reference(model, pixel_values):
    """Mean cross-entropy on the same batch at every step; weight decay on every parameter alike."""
    labels = torch.tensor(LABELS)
    optimiser = torch.optim.AdamW(model.parameters(), **ADAMW)
    tensors, losses = {"labels": labels.to(torch.int32)}, []
    for step in range(STEPS):
        optimiser.zero_grad()
        output, _ = recorded_attention.run(model, pixel_values)
        loss = torch.nn.functional.cross_entropy(output.logits, labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
            tensors |= prefixed("gradient", named_as_on_disk(model, gradients))
        optimiser.step()
    print(f"  losses {', '.join(f'{loss:.6f}' for loss in losses)}")
    assert losses[2] < losses[1] < losses[0], "three steps must lower the loss"
    after = {name: parameter.detach() for name, parameter in model.named_parameters()}
    return (
        tensors
        | {"losses": torch.tensor(losses, dtype=torch.float64)}
        | prefixed(f"after_{STEPS}_steps", named_as_on_disk(model, after))
        | adamw_alone()
    )


def adamw_alone(width=16):
    """The optimiser without a model: given gradients, tiny and zero ones included, and the values after each step."""
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(width, generator=generator).double()
    scale = torch.logspace(-10, 3, width).double() * (torch.arange(width) != width // 2)
    gradients = (torch.randn((STEPS, width), generator=generator) * scale).float().double()
    parameter = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.AdamW([parameter], **ADAMW)
    values = [start]
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimiser.step()
        values.append(parameter.detach().clone())
    return {"adamw.gradients": gradients, "adamw.values": torch.stack(values)}


@torch.no_grad()
def named_as_on_disk(model, values):
    """Names `values` as the library names the parameters in a checkpoint, by writing one with them in it."""
    original = {name: parameter.clone() for name, parameter in model.named_parameters()}
    for name, parameter in model.named_parameters():
        parameter.copy_(values[name])
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        on_disk = load_file(f"{folder}/model.safetensors")
    for name, parameter in model.named_parameters():
        parameter.copy_(original[name])
    return on_disk


def prefixed(prefix, tensors):
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}
