"""Times our worker and its peers in turns, in one run on one machine. Only the standard library; see README.md.

    python side_by_side.py --ours PATH [--candle PATH] [--peer-python PYTHON] [--rounds 15] [--model NAME ...]
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import table
from contests import BATCHES, MODELS, compared, contestants
from flops import fma_peak, with_flops
from machine import described, workers
from worker import Others

HERE = Path(__file__).resolve().parent
SETTLE_SECONDS = 0.05  # Lets the thread pool of the one that just ran fall asleep.


def main():
    options = arguments()
    everyone = workers(options, options.device)
    report = described(everyone) | {"runs_per_turn": options.runs, "device": options.device, "results": []}
    report["fma_peak"] = fma_peak(options.fma_peak)
    try:
        for model in options.model or MODELS:
            for batch in options.batch or BATCHES:
                report["results"].append(race(everyone, model, batch, options))
                print(table.speed({**report, "results": report["results"][-1:]}), file=sys.stderr)
    finally:
        for worker in everyone:
            worker.close()
    report["fma_peak_after"] = fma_peak(options.fma_peak)
    report["machine"]["load_average_after"] = os.getloadavg()[0]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table.speed(report))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="our worker: an executable, or a command line in quotes")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda:N for our worker and PyTorch; onnxruntime and candle have none then")
    parser.add_argument("--candle", help="the candle worker; without it candle is left out")
    parser.add_argument("--fma-peak", help="the program that measures what the processor can do; without it no share is told")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has torch, transformers and onnxruntime")
    parser.add_argument("--model", action="append", choices=MODELS, help="once or several times; all without it")
    parser.add_argument("--batch", action="append", type=int, help="once or several times; all without it")
    parser.add_argument("--rounds", type=int, default=15, help="rounds for batch 1 (15 or more for a figure to publish)")
    parser.add_argument("--large-rounds", type=int, default=7, help="rounds for larger batches")
    parser.add_argument("--runs", type=int, default=3, help="runs per turn for batch 1; a turn counts with their median; one for larger batches")
    parser.add_argument("--warm-up", type=int, default=2, help="runs of each before the first round")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "side_by_side.json")
    return parser.parse_args()


def race(everyone, model, batch, options):
    """Warm-up, then rounds in which everybody has a turn; who goes first moves on with every round, so that drift favours nobody."""
    racing = [contestant for contestant in contestants(everyone[0], everyone[1:]) if contestant.takes(model, batch)]
    rounds, runs = (options.rounds, options.runs) if batch == 1 else (options.large_rounds, 1)
    values = {}
    for contestant in racing:
        contestant.turn(model, batch, options.warm_up)
        values[contestant.name] = contestant.worker.values
        time.sleep(SETTLE_SECONDS)
    idle = {worker.name: worker.idle_share(1.0) for worker in everyone}
    times = {contestant.name: [] for contestant in racing}
    others = Others(everyone)
    for number in range(rounds):
        first = number % len(racing)
        for contestant in racing[first:] + racing[:first]:
            times[contestant.name].append(contestant.turn(model, batch, runs))
            time.sleep(SETTLE_SECONDS)
    medians = {name: [statistics.median(turn) for turn in turns] for name, turns in times.items()}
    return {
        "model": model,
        "batch": batch,
        "contests": compared(everyone[0], medians),
        "medians_ms": {name: statistics.median(turns) for name, turns in medians.items()},
        "work": with_flops(model, batch),
        "values": values,
        "idle_cores": idle,
        "cores_used_by_others": others.cores(),
        "turns_ms": times,
    }


if __name__ == "__main__":
    main()
