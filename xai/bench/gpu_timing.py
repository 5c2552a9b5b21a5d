"""How a recipe is timed: warmed up, then by the device's events and by the processor's clock."""

import statistics
import subprocess
import time

import torch

from gpu_recipes import prepared

WARM_UP = 4
WARM_SECONDS = 0.3  # What has idled needs longer than four short runs until its clocks have risen.


def figures(options, model, pictures, recipe, device):
    """By the device's events around the recipe alone, and by the processor's clock from pixels there to numbers there."""
    run = prepared(recipe, model, pictures[0].to(device))
    on_device = device.type == "cuda"
    if on_device:
        torch.cuda.reset_peak_memory_stats(device)
    warmed(run, pictures, device)
    elapsed, end_to_end, begun = [], [], time.monotonic()
    while len(elapsed) < options.replays and (len(elapsed) < 3 or time.monotonic() - begun < options.seconds):
        started = time.perf_counter()
        pixels = pictures[len(elapsed) % 2].to(device)
        between = Moments(on_device)
        result = run(pixels)
        elapsed.append(between.milliseconds())
        result.cpu()
        end_to_end.append(1e3 * (time.perf_counter() - started))
        if not bool(torch.isfinite(result).all()):
            raise ArithmeticError("the result is not finite")
    found = clocks(device) if on_device else None
    peak = torch.cuda.max_memory_allocated(device) if on_device else None
    figures = {"values": result.numel(), "elapsed": samples(elapsed), "end_to_end": samples(end_to_end)}
    return figures | {"peak_bytes": peak, "clocks": found}


def warmed(run, pictures, device):
    """Runs until nothing is done for the first time any more and the clocks are those of work."""
    runs, begun = 0, None
    while runs < WARM_UP or time.monotonic() - begun < WARM_SECONDS:
        run(pictures[runs % 2].to(device))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        runs += 1
        # The first run compiles and loads; that is no work of the device.
        begun = begun or time.monotonic()


def clocks(device):
    """Megahertz and watts right after the last replay, before the device idles again; nothing where nvidia-smi says nothing."""
    asked = ["nvidia-smi", f"--id={device.index or 0}", "--query-gpu=clocks.sm,power.draw", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout
        megahertz, watts = (float(value) for value in said.strip().splitlines()[0].split(","))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return {"sm_mhz": megahertz, "watts": watts}


class Moments:
    """Two events of the device; the processor's clock where there is none."""

    def __init__(self, on_device):
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
