"""PyTorch's side of the GPU benchmark: the same models with random weights, the recipes of the field, as JSON.

    python gpu_peers.py --out peers.json                                     on a GPU
    python gpu_peers.py --device cpu --quick --models tiny --out peers.json   whether every recipe works, not how fast

Nothing is downloaded. What is not installed is named in the results, and the rest goes on.
"""

import argparse
import datetime
import importlib
import json
import statistics
import sys
import time
from pathlib import Path

WARM_UP = 4
PEERS = ["torch", "transformers", "captum", "triton"]


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
    import torch

    from gpu_models import DEFAULT

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    device = torch.device(options.device)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            report["missing"]["device"] = "PyTorch sees no CUDA device"
            return
        report["device"] = torch.cuda.get_device_name(device)
        torch.cuda.set_device(device)
    end = time.monotonic() + 60 * options.minutes
    for precision in options.precision.split(","):
        for name in options.models.split(",") if options.models else DEFAULT:
            report["rows"] += rows(options, device, name, precision, end)
            write(options, report)


def rows(options, device, name, precision, end):
    """All rows of one model in one precision."""
    import torch

    from gpu_models import build
    from gpu_recipes import recipes

    torch.manual_seed(options.seed)
    number = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    model, side = build(name)
    model = model.to(device, number)
    found = []
    for batch in map(int, options.batches.split(",")):
        for recipe, task, function, attention, how in recipes(2 if options.quick else 50):
            if batch > 1 and task.startswith(("smooth_grad", "integrated_gradients")):
                continue
            row = {"model": name, "precision": precision, "batch": batch, "recipe": recipe, "task": task}
            if time.monotonic() > end:
                found.append(row | {"left_out": "no time was left"})
                continue
            pictures = [torch.randn(batch, 3, side, side).to(number) for _ in range(2)]
            found.append(row | outcome(options, model, pictures, (function, attention, how), device))
            print(told(found[-1]), file=sys.stderr)
    return found


def outcome(options, model, pictures, recipe, device):
    """What was measured, or why nothing was."""
    import torch

    try:
        return figures(options, model, pictures, recipe, device)
    except torch.OutOfMemoryError as error:
        return {"left_out": f"out of memory: {str(error).splitlines()[0]}"}
    except Exception as error:  # noqa: BLE001 - one recipe that does not run must not end the others.
        return {"left_out": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    finally:
        if device.type == "cuda":
            torch.cuda.empty_cache()


def figures(options, model, pictures, recipe, device):
    """By the device's events around the recipe alone, and by the processor's clock from pixels there to numbers there."""
    import torch

    from gpu_recipes import prepared

    function, attention, how = recipe
    model.set_attn_implementation(attention)
    run = prepared(how, function, model, pictures[0].to(device))
    on_device = device.type == "cuda"
    if on_device:
        torch.cuda.reset_peak_memory_stats(device)
    for warm_up in range(WARM_UP):
        values = run(pictures[warm_up % 2].to(device)).numel()
    elapsed, end_to_end, begun = [], [], time.monotonic()
    while len(elapsed) < options.replays and (len(elapsed) < 3 or time.monotonic() - begun < options.seconds):
        started = time.perf_counter()
        pixels = pictures[len(elapsed) % 2].to(device)
        between = Moments(on_device)
        result = run(pixels)
        elapsed.append(between.milliseconds())
        if not bool(torch.isfinite(result.cpu()).all()):
            raise ArithmeticError("the result is not finite")
        end_to_end.append(1e3 * (time.perf_counter() - started))
    peak = torch.cuda.max_memory_allocated(device) if on_device else None
    return {"values": values, "elapsed": samples(elapsed), "end_to_end": samples(end_to_end), "peak_bytes": peak}


class Moments:
    """Two events of the device; the processor's clock where there is none."""

    def __init__(self, on_device):
        import torch

        self.events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if on_device else None
        self.started = time.perf_counter()
        if on_device:
            self.events[0].record()

    def milliseconds(self):
        if self.events is None:
            return 1e3 * (time.perf_counter() - self.started)
        self.events[1].record()
        self.events[1].synchronize()
        return self.events[0].elapsed_time(self.events[1])


def samples(raw):
    quartiles = statistics.quantiles(raw, n=4, method="inclusive") if len(raw) > 1 else [raw[0]] * 3
    return {"median": quartiles[1], "first_quartile": quartiles[0], "third_quartile": quartiles[2], "raw": raw}


def told(row):
    head = f"{row['model']:24} {row['precision']:4} batch {row['batch']:3} {row['recipe']:28}"
    return f"{head} {row['left_out']}" if "left_out" in row else f"{head} {row['elapsed']['median']:9.3f} ms"


def write(options, report):
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
