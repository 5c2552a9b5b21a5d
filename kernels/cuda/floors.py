"""The tables of FLOORS.md: what passes must compute and move, and how long a chip needs for that at least.

    python3 kernels/cuda/floors.py            writes the tables into FLOORS.md
    python3 kernels/cuda/floors.py --check    fails where they would change

All of it is arithmetic from the shapes of the models; nothing here was measured.
"""

import argparse
import sys
from pathlib import Path

from work import BYTES, MODELS, TENSOR, backward, forward, readouts

PAGE = Path(__file__).parent / "FLOORS.md"

SHOWN = [MODELS[2], MODELS[1]]


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
    names = ["rollout, map within attention", "rollout, map by a kernel of its own", "rollout, all rows", "gradient", "relevance"]
    rows = {name: [] for name in names}
    for model in SHOWN:
        base, back, (within, apart, row, every_row, relevance) = summed(forward(model), 64), summed(backward(model), 64), readouts(model)
        for name, more in zip(rows, [[within, row], [apart, row], [within, every_row], [], [relevance]]):
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
