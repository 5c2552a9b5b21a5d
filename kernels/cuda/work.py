"""What the kernels of a pass compute and move, from the shapes of the models: operations, exponentials, bytes."""

from dataclasses import dataclass

# What one H200 does in a second: bf16 operations on tensor cores, f32 operations, exponentials, bytes read or written.
TENSOR, PLAIN, EXPONENTIALS, BYTES = 790e12, 60e12, 3.7e12, 4.3e12
# Bytes of a number in storage, and of one that is kept as f32.
STORED, WIDE = 2, 4


@dataclass(frozen=True)
class Model:
    name: str
    size: int
    patch: int
    width: int
    heads: int
    layers: int

    @property
    def patches(self):
        return (self.size // self.patch) ** 2

    @property
    def tokens(self):
        return self.patches + 1

    @property
    def pixels(self):
        return 3 * self.size**2


MODELS = [
    Model("ViT-B/16-224", 224, 16, 768, 12, 12),
    Model("ViT-B/16-384", 384, 16, 768, 12, 12),
    Model("ViT-L/32-384", 384, 32, 1024, 16, 24),
    Model("ViT-H/14-224", 224, 14, 1280, 16, 32),
]


@dataclass(frozen=True)
class Piece:
    """A kernel's work for one picture, all its launches of a pass together; weights are read once for a whole batch."""

    name: str
    reads: str
    writes: str
    tensor: float = 0
    plain: float = 0
    exponentials: float = 0
    weights: float = 0
    bytes: float = 0

    def seconds(self, batch):
        moved = self.weights + batch * self.bytes
        units = [(self.tensor, TENSOR), (self.plain, PLAIN), (self.exponentials, EXPONENTIALS)]
        return max([moved / BYTES] + [batch * work / rate for work, rate in units])

    def bound(self, batch):
        limits = {
            "bytes": (self.weights + batch * self.bytes) / BYTES,
            "tensor cores": batch * self.tensor / TENSOR,
            "f32 units": batch * self.plain / PLAIN,
            "exponentials": batch * self.exponentials / EXPONENTIALS,
        }
        return max(limits, key=limits.get)


def product(name, model, inputs, outputs, reads, writes, extra=0):
    """`X·Wᵀ` of every layer: (N, inputs) to (N, outputs), and `extra` values a token read or written by what follows."""
    n, layers = model.tokens, model.layers
    return Piece(
        name,
        reads,
        writes,
        tensor=layers * 2 * n * inputs * outputs,
        weights=layers * STORED * inputs * outputs,
        bytes=layers * STORED * n * (inputs + outputs + extra),
    )


def forward(model):
    n, d, layers, heads = model.tokens, model.width, model.layers, model.heads
    values = 3 * model.patch**2
    return [
        Piece("patchify", "pixels (u8)", "patches", bytes=model.pixels * (1 + STORED), plain=2 * model.pixels),
        Piece(
            "linear, patches",
            "patches, weights, positions",
            "x",
            tensor=2 * model.patches * values * d,
            weights=STORED * values * d + WIDE * model.patches * d,
            bytes=STORED * model.patches * (values + d),
        ),
        Piece("layer_norm, twice", "x", "n, moments", bytes=2 * layers * (2 * STORED * n * d + 2 * WIDE * n), plain=2 * layers * 8 * n * d),
        product("linear, Q K V", model, d, 3 * d, "n, weights", "q, k, v"),
        Piece(
            "attention",
            "q, k, v",
            "o, log-sum-exp",
            tensor=layers * 4 * n * n * d,
            exponentials=layers * heads * n * n,
            bytes=layers * (4 * STORED * n * d + WIDE * heads * n),
        ),
        product("linear, projection", model, d, d, "o, weights, x", "x", extra=d),
        product("linear, first of MLP", model, d, 4 * d, "n, weights", "h"),
        product("linear, second of MLP", model, 4 * d, d, "h, weights, x", "x", extra=d),
    ]


def readouts(model):
    n, d, layers, heads = model.tokens, model.width, model.layers, model.heads
    maps = layers * STORED * n * n
    return [
        Piece("the map within attention", "", "map", bytes=maps, plain=2 * layers * heads * n * n),
        Piece(
            "attention_map",
            "q, k, log-sum-exp",
            "map",
            tensor=layers * 2 * n * n * d,
            exponentials=layers * heads * n * n,
            bytes=layers * (2 * STORED * n * d + WIDE * heads * n) + maps,
        ),
        Piece("rollout, one row", "maps", "row", plain=layers * 2 * n * n, bytes=maps),
        # Two products of tf32 numbers, which tensor cores take at half the rate of bf16, in place of one.
        Piece("rollout_explicit, all rows", "maps, R", "R", tensor=layers * 4 * 2 * n**3, bytes=maps + layers * 2 * WIDE * n * n),
        Piece("relevance within attention_backward", "", "partial rows", plain=layers * 3 * heads * n * n, bytes=layers * 2 * WIDE * heads * n),
    ]


def backward(model):
    n, d, layers, heads = model.tokens, model.width, model.layers, model.heads
    values = 3 * model.patch**2
    return [
        product("linear, second of MLP", model, d, 4 * d, "dx, weights, h before GELU", "dh", extra=4 * d),
        product("linear, first of MLP", model, 4 * d, d, "dh, weights", "dn"),
        Piece("layer_norm, twice", "dn, x, moments, dx", "dx", bytes=2 * layers * (4 * STORED * n * d + 2 * WIDE * n), plain=2 * layers * 12 * n * d),
        product("linear, projection", model, d, d, "dx, weights", "do"),
        Piece(
            "attention_backward",
            "q, k, v, o, do, log-sum-exp",
            "dq, dk, dv",
            tensor=layers * 14 * n * n * d,
            exponentials=layers * 2 * heads * n * n,
            bytes=layers * (12 * STORED * n * d + 4 * WIDE * heads * n),
        ),
        product("linear, Q K V", model, 3 * d, d, "dq, dk, dv, weights", "dn"),
        Piece(
            "linear, patches",
            "dx, weights",
            "gradient at patches",
            tensor=2 * model.patches * values * d,
            weights=STORED * values * d,
            bytes=STORED * model.patches * (values + d),
        ),
        Piece("saliency", "gradient at patches", "map", bytes=STORED * model.pixels + WIDE * model.pixels / 3, plain=2 * model.pixels),
    ]
