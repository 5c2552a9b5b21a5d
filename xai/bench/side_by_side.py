"""Drives our worker and the PyTorch worker in turns and prints a table. Only the standard library.

    python side_by_side.py --ours PATH [--peer-python PYTHON] [--pairs 15] [--model NAME ...]

See README.md for the protocol and for what the numbers mean.
"""

import argparse
import json
import os
import platform
import shlex
import statistics
import sys
import time
from pathlib import Path

from worker import Others, Worker

HERE = Path(__file__).resolve().parent
MODELS = ["vit_large_patch32_384", "vit_base_patch16_224", "dinov2_small"]
SETTLE_SECONDS = 0.05  # Lets the thread pool of the one that just ran fall asleep.
LOUD = 0.1  # Cores used by other programs from which on the figures are not to be published.


def main():
    options = arguments()
    ours = Worker(shlex.split(options.ours))
    peer = Worker([options.peer_python, str(HERE / "peer_pytorch.py")])
    machine = {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "load_average_before": os.getloadavg()[0],
    }
    results = []
    for model in options.model or MODELS:
        results.append(compare(ours, peer, model, options))
        print(f"{model}: {results[-1]['ratio_of_medians']:.2f}", file=sys.stderr)
    machine["load_average_after"] = os.getloadavg()[0]
    report = {
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "machine": machine,
        "workers": [{"name": w.name, "threads": w.threads, "versions": w.versions} for w in (ours, peer)],
        "runs_per_turn": options.runs,
        "results": results,
    }
    ours.close()
    peer.close()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(markdown(report))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="our worker: an executable, or a command line in quotes")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has torch and transformers")
    parser.add_argument("--model", action="append", choices=MODELS, help="once or several times; all without it")
    parser.add_argument("--pairs", type=int, default=15, help="pairs per model (15 or more for a figure to publish)")
    parser.add_argument("--runs", type=int, default=3, help="runs per turn; a turn counts with their median")
    parser.add_argument("--warm-up", type=int, default=3, help="runs of each before the first pair")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "side_by_side.json")
    return parser.parse_args()


def compare(ours, peer, model, options):
    """Warm-up, then pairs of turns; who goes first changes with every pair, so that drift favours nobody."""
    for worker in (ours, peer):
        worker.turn(model, options.warm_up)
        time.sleep(SETTLE_SECONDS)
    idle = [ours.idle_share(1.0), peer.idle_share(1.0)]
    pairs, runs = [], []
    others = Others(ours, peer)
    for number in range(options.pairs):
        medians, all_runs = {}, {}
        for worker in (ours, peer) if number % 2 == 0 else (peer, ours):
            all_runs[worker] = worker.turn(model, options.runs)
            medians[worker] = statistics.median(all_runs[worker])
            time.sleep(SETTLE_SECONDS)
        pairs.append([medians[ours], medians[peer]])
        runs.append([all_runs[ours], all_runs[peer]])
    ratios = [peer_ms / ours_ms for ours_ms, peer_ms in pairs]
    ours_ms, peer_ms = (statistics.median(side) for side in zip(*pairs))
    return {
        "model": model,
        "ours_median_ms": ours_ms,
        "peer_median_ms": peer_ms,
        "ratio_of_medians": peer_ms / ours_ms,
        "pairwise_ratio_median": statistics.median(ratios),
        "pairwise_ratio_range": [min(ratios), max(ratios)],
        "idle_cores": idle,
        "cores_used_by_others": others.cores(),
        "pairs_ms": pairs,
        "runs_ms": runs,
    }


def markdown(report):
    machine, (ours, peer) = report["machine"], report["workers"]
    versions = lambda worker: ", ".join(f"{name} {version}" for name, version in worker["versions"].items())
    lines = [
        f"| model | {ours['name']}, ms | {peer['name']}, ms | ratio of medians | pairwise ratio: median (range) | pairs |",
        "|---|---|---|---|---|---|",
    ]
    for result in report["results"]:
        low, high = result["pairwise_ratio_range"]
        lines.append(
            f"| {result['model']} | {result['ours_median_ms']:.1f} | {result['peer_median_ms']:.1f}"
            f" | {result['ratio_of_medians']:.2f} | {result['pairwise_ratio_median']:.2f} ({low:.2f} to {high:.2f})"
            f" | {len(result['pairs_ms'])} |"
        )
    lines += [
        "",
        f"A ratio above 1: {ours['name']} is faster. Batch 1, float32, forward pass and rollout.",
        f"{machine['cpu']}, {machine['cores']} cores; {report['when']}; load average before {machine['load_average_before']:.2f}.",
    ]
    busy = max(result["cores_used_by_others"] for result in report["results"])
    lines.append(f"Cores used by other programs during the pairs: {busy:.2f}{' (too loud to publish)' if busy > LOUD else ''}.")
    for side, worker in enumerate((ours, peer)):
        idle = max(result["idle_cores"][side] for result in report["results"])
        lines.append(f"{worker['name']}: {worker['threads']} threads, {versions(worker)}; cores in use while idle {idle:.2f}.")
    return "\n".join(lines)


def cpu_model():
    """The processor's name as the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
