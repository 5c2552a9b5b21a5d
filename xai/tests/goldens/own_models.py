"""Models whose checkpoints are met but whose code is not installed, written from their papers and their tensor names."""

import torch
import transformers
from torch import nn


class Recorder(nn.Module):
    """Keeps every map that passes; stands where a library has its dropout on attention."""

    maps: list[torch.Tensor] = []

    def forward(self, attention):
        Recorder.maps.append(attention)
        return attention


class Attention(nn.Module):
    """softmax(q k^T / sqrt(d)) v with q, k, v from one packed product (B, N, D) -> (B, N, 3 A)."""

    def __init__(self, heads, head_width):
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.record = Recorder()

    def forward(self, qkv):
        batch, tokens, _ = qkv.shape
        q, k, v = qkv.reshape(batch, tokens, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        attention = self.record(torch.softmax(q @ k.transpose(-1, -2) / self.head_width**0.5, dim=-1))  # (B, H, N, N)
        return (attention @ v).transpose(1, 2).reshape(batch, tokens, -1)


# DINOv2 (Oquab et al. 2023) with its own names; registers after Darcet et al. 2024.


class SelfAttention(Attention):
    def __init__(self, width, heads):
        super().__init__(heads, width // heads)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        return self.proj(super().forward(self.qkv(x)))


class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.gamma


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = SelfAttention(width, heads), Mlp(width, hidden)
        self.ls1, self.ls2 = Scale(width), Scale(width)

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Backbone(nn.Module):
    def __init__(self, width, layers, heads, hidden, side, patch, registers, chunks):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, width))
        if registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, registers, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        blocks = [Block(width, heads, hidden) for _ in range(layers)]
        if chunks:
            # Block i stands at place i of its chunk; identities fill the places before it.
            each = layers // chunks
            ranges = [range(start, start + each) for start in range(0, layers, each)]
            blocks = [nn.ModuleList([nn.Identity()] * chunk.start + [blocks[i] for i in chunk]) for chunk in ranges]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, pixels):
        patches = self.patch_embed["proj"](pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(pixels), -1, -1), patches], 1) + self.pos_embed
        registers = getattr(self, "register_tokens", x[:1, :0])
        x = torch.cat([x[:, :1], registers.expand(len(pixels), -1, -1), x[:, 1:]], 1)
        for block in self.modules():
            if isinstance(block, Block):
                x = block(x)
        return self.norm(x)


class Dinov2(nn.Module):
    """A backbone, and the linear classifier on class token and mean of patches where there are classes."""

    def __init__(self, *, width, registers, classes, **size):
        super().__init__()
        self.special = 1 + registers
        self.backbone = Backbone(width, registers=registers, **size)
        if classes:
            self.linear_head = nn.Linear(2 * width, classes)

    def forward(self, pixels):
        tokens = self.backbone(pixels)
        features = torch.cat([tokens[:, 0], tokens[:, self.special :].mean(1)], 1)
        return (self.linear_head(features) if hasattr(self, "linear_head") else None), tokens, features


# vit-pytorch as it was when norms stood around its branches. ReLU where a user has changed the activation.


class PreNorm(nn.Module):
    def __init__(self, width, fn):
        super().__init__()
        self.norm, self.fn = nn.LayerNorm(width), fn

    def forward(self, x):
        return self.fn(self.norm(x))


class InnerAttention(Attention):
    def __init__(self, width, heads, head_width):
        super().__init__(heads, head_width)
        self.to_qkv = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(heads * head_width, width), nn.Dropout(0.0))

    def forward(self, x):
        return self.to_out(super().forward(self.to_qkv(x)))


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(0.0), nn.Linear(hidden, width), nn.Dropout(0.0))

    def forward(self, x):
        return self.net(x)


class OlderVitPytorch(nn.Module):
    """`hidden` 0 makes blocks of attention alone; `pool` mean is over all tokens."""

    def __init__(self, *, channels, size, patch, width, layers, heads, head_width, hidden, classes, pool="cls"):
        super().__init__()
        self.patch, self.pool = patch, pool
        patches = size[0] * size[1] // patch**2
        self.to_patch_embedding = nn.Sequential(nn.Identity(), nn.Linear(channels * patch**2, width))
        self.pos_embedding = nn.Parameter(torch.zeros(1, patches + 1, width))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        attention = lambda: PreNorm(width, InnerAttention(width, heads, head_width))
        block = lambda: nn.ModuleList([attention(), PreNorm(width, FeedForward(width, hidden))]) if hidden else attention()
        self.transformer = nn.ModuleDict({"layers": nn.ModuleList([block() for _ in range(layers)])})
        self.mlp_head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, pixels):
        batch, channels, height, width = pixels.shape
        p, rows, cols = self.patch, height // self.patch, width // self.patch
        cut = pixels.reshape(batch, channels, rows, p, cols, p).permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * cols, -1)
        x = torch.cat([self.cls_token.expand(batch, -1, -1), self.to_patch_embedding(cut)], 1) + self.pos_embedding
        for block in self.transformer["layers"]:
            for branch in block if isinstance(block, nn.ModuleList) else [block]:
                x = branch(x) + x
        features = self.mlp_head[0](x.mean(1) if self.pool == "mean" else x[:, 0])
        return self.mlp_head[1](features), x, features


# The thesis's classifier in the place of a Hugging Face model's own.


class Dnn3(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.fc1, self.bn1 = nn.Linear(width, 512), nn.BatchNorm1d(512)
        self.fc2, self.bn2 = nn.Linear(512, 256), nn.BatchNorm1d(256)
        self.fc3, self.bn3 = nn.Linear(256, 64), nn.BatchNorm1d(64)
        self.out = nn.Linear(64, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.fc1(x)))
        x = torch.relu(self.bn2(self.fc2(x)))
        return self.out(torch.relu(self.bn3(self.fc3(x))))


class Thesis(nn.Module):
    def __init__(self, config, classes):
        super().__init__()
        self.vit = transformers.ViTForImageClassification(config)
        self.vit.classifier = Dnn3(config.hidden_size, classes)

    def forward(self, pixels):
        return self.vit.classifier(self.vit.vit(pixels).last_hidden_state[:, 0])

    @torch.no_grad()
    def spread_statistics(self, seed):
        """Running statistics as training leaves them, and weights from a formula that a test can repeat."""
        generator = torch.Generator().manual_seed(seed)
        for name, buffer in self.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))
            elif name.endswith("running_var"):
                buffer.copy_(0.2 + torch.rand(buffer.shape, generator=generator))
        for name, parameter in self.named_parameters():
            if parameter.numel() > 5000:
                parameter.copy_(formula(parameter.numel()).reshape(parameter.shape))


def formula(count):
    """Numbers that float32 holds exactly: ((7919 i) mod 257 - 128) / 1024."""
    return ((7919 * torch.arange(count)) % 257 - 128).float() / 1024
