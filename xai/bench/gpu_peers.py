"""PyTorch's side of the GPU benchmark: the same models with random weights, the recipes of the field, as JSON.

    python gpu_peers.py --out peers.json                                     on a GPU
    python gpu_peers.py --device cpu --quick --models tiny --out peers.json   whether every recipe works, not how fast

Nothing is downloaded. What is not installed is named in the results, and the rest goes on.
"""

import argparse
import datetime
import importlib
import json
import os
import sys
import time
from pathlib import Path

PEERS = ["torch", "transformers", "timm", "captum", "triton"]
NO_TIME = {"left_out": "no time was left"}


def main():
    options = arguments()
    there, missing = installed()
    report = {
        "kind": "peers gpu",
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "versions": there,
        "missing": missing,
        "quick": options.quick or options.device == "cpu",
        "replays": options.replays,
        "seed": options.seed,
        "rows": [],
    }
    for name, why in missing.items():
        print(f"missing: {name} ({why})", file=sys.stderr)
    if "torch" in there and "transformers" in there:
        measure(options, report)
    write(options, report)
    print(f"{len(report['rows'])} rows, of which {sum('left_out' in row for row in report['rows'])} were left out: {options.out}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu with --quick")
    parser.add_argument("--models", help="names with commas between them; those of `pellucid bench gpu` without it")
    parser.add_argument("--batches", default="1,64", help="pictures at once")
    parser.add_argument("--precision", default="bf16,f32", help="in which numbers; f32 is taken without tf32")
    parser.add_argument("--replays", type=int, default=30, help="runs of everything that is timed; a figure to publish has 30 or more")
    parser.add_argument("--seed", type=int, default=0, help="of weights and pictures")
    parser.add_argument("--minutes", type=float, default=15.0, help="no row is begun after so many minutes")
    parser.add_argument("--seconds", type=float, default=30.0, help="a row that takes longer ends early, and tells how many runs it has")
    parser.add_argument("--resume", action="store_true", help="keep the rows that --out has of a call with the same settings")
    parser.add_argument("--quick", action="store_true", help="few passes: whether it runs, not how fast")
    parser.add_argument("--out", type=Path, default=Path("peers.json"))
    return parser.parse_args()


def installed():
    """Versions of the peers that are there, and why the others are not."""
    there, missing = {}, {}
    for name in PEERS:
        try:
            there[name] = getattr(importlib.import_module(name), "__version__", "unknown")
        except Exception as error:  # noqa: BLE001 - a broken package must not end the visit.
            missing[name] = f"{type(error).__name__}: {error}"
    return there, missing


def measure(options, report):
    """Rows that targets need first, what must be compiled after them, and f32 last: time may run out at any of them."""
    import torch

    from gpu_models import DEFAULT

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    device = torch.device(options.device)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            report["missing"]["device"] = "PyTorch sees no CUDA device"
            return
        report["device"] = torch.cuda.get_device_name(device)
        torch.cuda.set_device(device)
    report["rows"] = earlier(options, report)
    end = time.monotonic() + 60 * options.minutes
    for precision in options.precision.split(","):
        for compiled, libraries in ((False, ["transformers"]), (True, ["transformers", "timm"])):
            for name in options.models.split(",") if options.models else DEFAULT:
                for library in libraries:
                    for row in rows(options, device, (library, name, precision, compiled), report["rows"], end):
                        report["rows"].append(row)
                        print(told(row), file=sys.stderr)
                        write(options, report)


def earlier(options, report):
    """The measured rows of a former call with the same settings, where --resume asks for them."""
    if not options.resume:
        return []
    try:
        former = json.loads(options.out.read_text(encoding="utf-8"))
        same = all(former.get(key) == report.get(key) for key in ("kind", "versions", "device", "quick", "replays", "seed"))
        return [row for row in former["rows"] if "left_out" not in row] if same else []
    except (OSError, ValueError, KeyError, AttributeError):
        return []


def wanted_of(options, which, there):
    """Rows of one model in one precision that are not there yet, without figures, and the recipe of each."""
    from gpu_recipes import recipes

    library, name, precision, compiled = which
    taken = {key(row) for row in there}
    for batch in map(int, options.batches.split(",")):
        for recipe in recipes(2 if options.quick else 50):
            row = {"model": name, "precision": precision, "batch": batch, "recipe": recipe.name, "task": recipe.task}
            if (recipe.library, recipe.is_compiled) == (library, compiled) and recipe.takes(batch) and key(row) not in taken:
                yield row, recipe


def rows(options, device, which, there, end):
    """One by one, what is measured of them, or why nothing is."""
    import torch

    from gpu_models import build

    library, name, precision, _ = which
    wanted = list(wanted_of(options, which, there))
    if time.monotonic() > end or not wanted:
        yield from (row | NO_TIME for row, _ in wanted)
        return
    torch.manual_seed(options.seed)
    number = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    model = attempt(device, lambda: build(library, name, device, number))
    pictures = {}
    for row, recipe in wanted:
        if isinstance(model, dict):
            yield row | model
        elif time.monotonic() > end:
            yield row | NO_TIME
        else:
            if row["batch"] not in pictures:
                pictures = {row["batch"]: [torch.randn(row["batch"], 3, model[1], model[1]).to(number) for _ in range(2)]}
            yield row | outcome(options, model[0], pictures[row["batch"]], recipe, device)


def key(row):
    return row["model"], row["precision"], row["batch"], row["recipe"]


def outcome(options, model, pictures, recipe, device):
    """What was measured, or why nothing was."""
    from gpu_timing import figures

    return attempt(device, lambda: figures(options, model, pictures, recipe, device))


def attempt(device, function):
    """What the function gives, or why it gives nothing, as a row has it."""
    import torch

    try:
        return function()
    except torch.OutOfMemoryError as error:
        return {"left_out": f"out of memory: {first_line(error)}"}
    except Exception as error:  # noqa: BLE001 - one recipe that does not run must not end the others.
        return {"left_out": f"{type(error).__name__}: {first_line(error)}"}
    finally:
        if device.type == "cuda":
            torch.cuda.empty_cache()


def first_line(error):
    return (str(error).strip().splitlines() or [""])[0]


def told(row):
    head = f"{row['model']:24} {row['precision']:4} batch {row['batch']:3} {row['recipe']:45}"
    return f"{head} {row['left_out']}" if "left_out" in row else f"{head} {row['elapsed']['median']:9.3f} ms"


def write(options, report):
    """After every row, and never in place: a visit that is ended in the middle of it leaves the rows before."""
    options.out.parent.mkdir(parents=True, exist_ok=True)
    aside = options.out.with_name(options.out.name + ".new")
    aside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, options.out)


if __name__ == "__main__":
    main()
