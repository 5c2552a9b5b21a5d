"""The tables of FLOORS.md: what passes must compute and move, and how long a chip needs for that at least.

    python3 kernels/cuda/floors.py            writes the tables into FLOORS.md
    python3 kernels/cuda/floors.py --check    fails where they would change

All of it is arithmetic from the shapes of the models; nothing here was measured.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "FLOORS.md"

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
SHOWN = [MODELS[2], MODELS[1]]


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


def summed(pieces, batch):
    """Seconds of the pieces one after the other, none over its floor."""
    return sum(piece.seconds(batch) for piece in pieces)


def at_once(pieces, batch):
    """Seconds of a pass that does all its work in one place: nothing but products, weights and pixels."""
    tensor = batch * sum(piece.tensor for piece in pieces)
    return max(tensor / TENSOR, sum(piece.weights for piece in pieces) / BYTES)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(heads, rows):
    left = {"kernel", "reads", "writes", "64 bound by", "model"}
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join(":--" if head in left else "--:" for head in heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def models_table():
    heads = ["model", "tokens", "10⁹ operations", "MB of weights", "computing, µs a picture", "reading weights, µs", "one picture, µs", "64 pictures, ms", "64 pictures, kernel by kernel, ms"]
    rows = []
    for model in MODELS:
        pieces = forward(model)
        tensor, weights = sum(piece.tensor for piece in pieces), sum(piece.weights for piece in pieces)
        figures = [model.tokens, tensor / 1e9, weights / 1e6, 1e6 * tensor / TENSOR, 1e6 * weights / BYTES]
        figures += [1e6 * at_once(pieces, 1), 1e3 * at_once(pieces, 64), 1e3 * summed(pieces, 64)]
        rows.append([model.name] + [number(figure) for figure in figures])
    return table(heads, rows)


def pieces_table(pieces_of):
    heads = ["kernel", "reads", "writes"] + [f"{model.name}, {what}" for model in SHOWN for what in ("1, µs", "64, µs")] + ["64 bound by"]
    rows = []
    for pieces in zip(*[pieces_of(model) for model in SHOWN]):
        figures = [number(1e6 * piece.seconds(batch)) for piece in pieces for batch in (1, 64)]
        bounds = dict.fromkeys(piece.bound(64) for piece in pieces)
        rows.append([pieces[0].name, pieces[0].reads, pieces[0].writes, *figures, ", ".join(bounds)])
    if pieces_of is not readouts:
        rows.append(["**sum**", "", ""] + [number(1e6 * summed(pieces_of(model), batch)) for model in SHOWN for batch in (1, 64)] + [""])
    return table(heads, rows)


def explanations_table():
    heads = ["explanation, over the forward pass of 64 pictures"] + [model.name for model in SHOWN]
    rows = {"rollout, map within attention": [], "rollout, map by a kernel of its own": [], "gradient": [], "relevance": []}
    for model in SHOWN:
        base, back, (within, apart, row, relevance) = summed(forward(model), 64), summed(backward(model), 64), readouts(model)
        for name, more in zip(rows, [[within, row], [apart, row], [], [relevance]]):
            gradients = back if name in ("gradient", "relevance") else 0
            rows[name].append(f"{1 + (summed(more, 64) + gradients) / base:.3f}")
    return table(heads, [[name, *figures] for name, figures in rows.items()])


TABLES = {
    "models": models_table,
    "forward": lambda: pieces_table(forward),
    "read-outs": lambda: pieces_table(readouts),
    "backward": lambda: pieces_table(backward),
    "explanations": explanations_table,
}


def written(page):
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, _, rest = page.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            sys.exit(f"{PAGE.name} has no place for the table `{name}`: put `{start.strip()}` and `{end.strip()}` where it belongs")
        page = before + start + make() + end + after
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a table differs")
    arguments = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    made = written(page)
    if arguments.check and made != page:
        sys.exit(f"{PAGE.name} is not what floors.py makes: run python3 kernels/cuda/floors.py")
    if not arguments.check:
        PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
